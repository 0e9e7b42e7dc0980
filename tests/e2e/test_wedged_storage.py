"""Storage that never answers, and a tab that stands still, keep nobody from being heard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.hostile import NEVER_ANSWERS

# As behind a print dialog or at a breakpoint: no script of the page runs, its socket and its locks stay.
STANDS_STILL = "frozen"


def test_with_an_indexeddb_that_never_answers_messages_go_out_and_the_page_says_that_nothing_is_kept(
    parley, two, visitor
):
    ada, grace = two
    room = ada.room("wedged", grace)
    writer, reader = visitor(), visitor()
    writer.context.add_init_script(NEVER_ANSWERS)
    writer.enter(ada, room)
    reader.enter(grace, room)
    expect(writer.page.get_by_text("This device keeps nothing at the moment")).to_be_visible()
    for text in ("one", "two"):
        writer.write(text)
    reader.sees(["one", "two"])
    writer.sees(["one", "two"])


def test_a_tab_that_stands_still_silences_no_other(parley, visitor):
    ada = parley.person("Ada")
    room = ada.room("still")
    first = visitor()
    first.enter(ada, room)
    first.write("from the first")
    first.sees(["from the first"])
    second = first.tab(f"/r/{room}")
    expect(second.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced")
    held = first.page.evaluate("navigator.locks.query().then(({held}) => held.length)")
    assert held == 1, "the first tab leads"
    debugger = first.context.new_cdp_session(first.page)
    debugger.send("Page.setWebLifecycleState", {"state": STANDS_STILL})
    field = second.get_by_role("textbox", name="Message", exact=True)
    field.fill("from the second")
    field.press("Enter")
    own = second.get_by_role("log").locator("[data-client-id]").filter(has_text="from the second")
    expect(own).to_have_attribute("data-state", "sent")
    debugger.send("Page.setWebLifecycleState", {"state": "active"})
    first.sees(["from the first", "from the second"])
    first.write("from the first again")
    first.sees(["from the first", "from the second", "from the first again"])
    said = [text for _, _, text in ada.everything(room)]
    assert said == ["from the first", "from the second", "from the first again"]
