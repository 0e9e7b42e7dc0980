"""Whatever somebody writes is shown as they wrote it: nothing of it runs, asks or fetches."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PAYLOADS = [
    "<script>alert(1)</script>",
    "<script src=//elsewhere.example/x></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=//elsewhere.example/x>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=//elsewhere.example/x>",
    "<link rel=stylesheet href=//elsewhere.example/x>",
    "<style>@import '//elsewhere.example/x';</style>",
    "<style>*{background:url(//elsewhere.example/x)}</style>",
    "<base href=//elsewhere.example/>",
    "<meta http-equiv=refresh content='0;url=//elsewhere.example/x'>",
    "<form action=//elsewhere.example/x><button autofocus>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "[x](javascript:alert(1))",
    "![x](//elsewhere.example/x)",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\u202egnp.exe",
    "]]><!--<script>alert(1)</script>-->",
]


def test_markup_is_shown_literally_and_does_nothing(parley, visitor):
    author, reader = parley.person("Mallory"), parley.person("Grace")
    room = author.room("markup", reader)
    at_page = visitor()
    at_page.enter(reader, room)
    for payload in PAYLOADS[:5]:
        author.say(room, payload)  # live
    expect(at_page.message(PAYLOADS[4])).to_be_visible()
    for payload in PAYLOADS[5:]:
        author.say(room, payload)
    expect(at_page.message(PAYLOADS[-1])).to_be_visible()
    at_page.page.reload()
    at_page.in_sync()
    expect(at_page.message(PAYLOADS[-1])).to_be_visible()
    shown = at_page.log.evaluate(COLLECTED, len(PAYLOADS))
    stored = author.page(room, "limit=200")["messages"]
    assert shown["texts"] == {str(message["seq"]): message["text"] for message in stored}
    assert set(shown["texts"].values()) == set(PAYLOADS)
    assert shown["foreign"] == [], "nothing in a message is an element but text and links"
    assert all(href.startswith(("http://", "https://", "mailto:")) for href in shown["links"])
    at_page.page.goto("/r/<img src=x onerror=alert(1)>")
    expect(at_page.page.get_by_text("There is no such room")).to_be_visible()
    # And the visitor's end fails on any dialog, any request elsewhere and anything on the console.


# Walks the whole list, since only what is in sight is there: the text of each message, and elements that text has not.
# A list that still finds its place, or has not drawn yet where it stands, is walked again.
COLLECTED = """async (log, all) => {
  const texts = {}, foreign = [], links = [];
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  log.scrollTop = 0;
  for (let turn = 0; turn < 1000 && Object.keys(texts).length < all; turn++) {
    await frame();
    for (const row of log.querySelectorAll('[data-seq]')) {
      const text = row.querySelector('[data-testid=message-text]');
      texts[row.dataset.seq] = text.textContent;
      for (const inside of text.querySelectorAll('*')) {
        if (inside.tagName === 'A') links.push(inside.href);
        else foreign.push(inside.outerHTML);
      }
    }
    const stood = log.scrollTop;
    log.scrollTop += 150;
    if (log.scrollTop === stood) log.scrollTop = 0;
  }
  return { texts, foreign, links };
}"""


@pytest.mark.parametrize("path", ["/login?next=javascript:alert(1)", "/login?next=//elsewhere.example/x"])
def test_an_address_is_no_way_in_by_signing_in(parley, visitor, path):
    at_page = visitor()
    at_page.sign_in(parley.person("Grace").name, path)
    expect(at_page.page).to_have_url(f"{parley.url}/r/general")
