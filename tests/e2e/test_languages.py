"""The page in another language than English: what a German browser sees, and who chose it on their phone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.browser import REFUSALS
from tests.e2e.browsers.desk import PHONE
from tests.e2e.parley import PASSWORD

# What was ever shown, from the first frame on, also for a moment.
REMEMBERS = """
  window.shown = new Set();
  new MutationObserver(() => {
    const root = document.getElementById("root");
    if (root?.innerText) for (const line of root.innerText.split("\\n")) window.shown.add(line.trim());
  }).observe(document, { childList: true, characterData: true, subtree: true });
"""


def test_a_german_browser_is_spoken_to_in_german_from_the_first_frame_on(parley, visitor):
    ada = parley.person("Ada")
    guest = visitor(expected=REFUSALS, locale="de-AT")
    page = guest.page
    page.add_init_script(REMEMBERS)
    page.goto("/login")
    expect(page.get_by_role("heading", name="Anmelden", exact=True)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "de"

    page.get_by_role("textbox", name="Name").fill(ada.name)
    page.get_by_label("Passwort").fill("not the password")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Name und Passwort passen nicht zusammen.")).to_be_visible()
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    guest.in_sync()

    field = page.get_by_role("textbox", name="Nachricht", exact=True)
    field.fill("Grüß dich")
    field.press("Enter")
    said = guest.message("Grüß dich")
    expect(said).to_have_attribute("data-state", "sent")
    assert page.get_by_role("log").get_attribute("aria-label") == "Nachrichten in General"
    page.get_by_role("button", name="Leute", exact=True).click()
    expect(page.get_by_role("dialog", name="Leute in General").get_by_role("listitem").first).to_be_visible()
    shown = set(page.evaluate("[...window.shown]"))
    assert "Anmelden" in shown
    assert not shown & {"Sign in", "Password", "Create an account", "People", "Rooms", "In sync", "Catching up"}


def test_who_chooses_german_on_a_small_phone_has_it_at_once_and_after_a_reload(parley, visitor):
    ada = parley.person("Ada")
    guest = visitor(**PHONE)
    page = guest.page
    page.set_viewport_size({"width": 320, "height": 568})
    guest.enter(ada)
    guest.composer.fill("half a thought")
    page.get_by_role("button", name="Rooms").click()
    page.get_by_role("button", name="Your account").click()
    page.get_by_label("Language").select_option("Deutsch")
    expect(page.get_by_role("dialog", name="Dein Konto")).to_be_visible()
    expect(page.get_by_role("textbox", name="Nachricht", exact=True)).to_have_value("half a thought")

    page.reload()
    guest.in_sync()
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.get_by_role("textbox", name="Nachricht", exact=True)).to_have_value("half a thought")
    expect(page.get_by_test_id("sync-mark")).to_have_text("Aktuell")
    wider = "[...document.querySelectorAll('main, main > header, form')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{wider}.map((e) => e.outerHTML.slice(0, 80))") == []
