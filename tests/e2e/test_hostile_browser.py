"""One visit for each thing that a browser does to a page: the same small act goes well, the page says truly what state
it is in, nothing is lost, and the focus neither."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import REFUSALS, Visitor
from tests.e2e.hostile import HOSTILITIES, Hostility
from tests.e2e.parley import PASSWORD, Parley, Person, new_id
from tests.e2e.peer import Peer

# Resolves when nothing moves that ends by itself, and the list takes the pointer again, which it does not in scrolling.
AT_REST = """async () => {
    const ends = (each) => each.effect.getComputedTiming().endTime !== Infinity;
    const scrolls = (one) => getComputedStyle(one).pointerEvents === "none";
    for (let frames = 0; frames < 300; frames++) {
        await new Promise(requestAnimationFrame);
        if (document.getAnimations().some((each) => ends(each) && each.playState === "running")) continue;
        if (![...document.querySelectorAll("[role=log] > *")].some(scrolls)) return;
    }
    throw new Error("the page does not come to rest");
}"""
# What somebody can use, and cannot: it lies beside the window even when it is scrolled to, or under something else.
UNREACHABLE = """() => {
    const USABLE = "button, a[href], input, textarea, select, [role=option], [role=log]";
    const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    const there = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const focused = document.activeElement;
    const found = [];
    for (const one of [...place.querySelectorAll(USABLE)].filter((one) => there(one) && !one.closest("[inert]"))) {
        if (one.matches("a[href^='#']")) one.focus(); // comes into sight by that
        const seen = one.labels?.[0]?.contains(one) ? one.labels[0] : one;
        if (!one.matches("[role=log]")) seen.scrollIntoView({ block: "nearest", inline: "nearest" });
        const { left, right, top, bottom } = seen.getBoundingClientRect();
        const [l, r] = [Math.max(0, left) + 2, Math.min(innerWidth, right) - 2];
        const [t, b] = [Math.max(0, top) + 2, Math.min(innerHeight, bottom) - 2];
        const points = [[(l + r) / 2, (t + b) / 2], [l, t], [r, t], [l, b], [r, b]];
        const met = points.map(([x, y]) => document.elementFromPoint(x, y));
        const isMet = met.some((each) => seen.contains(each) || (one.matches("input") && each?.contains(one)));
        if (left < 0 || right > innerWidth || !isMet) {
            const at = [left, top, right, bottom].map(Math.round);
            found.push(`${one.outerHTML.slice(0, 120)} at ${at} under ${met[0]?.outerHTML.slice(0, 120)}`);
        }
        if (document.activeElement === one) one.blur();
    }
    focused?.focus();
    const log = document.querySelector("[role=log]");
    if (log) log.scrollTop = log.scrollHeight;
    for (const [name, part] of [["page", document.documentElement], ["dialog", place], ["log", log ?? place]])
        if (part.scrollWidth > part.clientWidth) found.push(`the ${name} scrolls sideways`);
    return found;
}"""
# What has the colour of the ground on which it stands.
INVISIBLE = """() => {
    const ground = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at);
            if (!/^rgba.*, 0\\)$/.test(backgroundColor)) return backgroundColor;
        }
    };
    const there = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const parts = (one) => (one.matches("svg") ? [...one.querySelectorAll("*")] : [one]);
    const ink = (part) => {
        const { color, stroke, fill } = getComputedStyle(part);
        return part.ownerSVGElement ? [stroke, fill].filter((each) => /^rgb/.test(each)) : [color];
    };
    return [...document.querySelectorAll("button, a[href], textarea, input, [role=option], h1, h2, p, svg")]
        .filter((one) => there(one) && (one.textContent || one.matches("svg")))
        .filter((one) => parts(one).flatMap(ink).every((each) => each === ground(one)))
        .map((one) => one.outerHTML.slice(0, 120));
}"""
# What is on its way elsewhere, or will go there smoothly, where somebody asked that nothing does.
MOVING = """() => {
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) return [];
    const places = /transform|translate|scale|rotate|left|right|top|bottom|width|height|margin|padding|inset/;
    const moving = document.getAnimations().filter((each) => each.playState === "running")
        .flatMap(({ effect }) => effect.getKeyframes().flatMap(Object.keys)).filter((name) => places.test(name));
    const isSmooth = (one) => getComputedStyle(one).scrollBehavior === "smooth";
    const smooth = [...document.querySelectorAll("*")].filter(isSmooth);
    return [...moving, ...smooth.map((one) => one.outerHTML.slice(0, 80))];
}"""

# A style sheet that no content security policy stands in the way of, instead of the one before.
STYLE = """css => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
}"""


@pytest.fixture(scope="module")
def ada(parley: Parley) -> Person:
    return parley.person("Ada")


@pytest.fixture(scope="module")
def grace(parley: Parley) -> Iterator[Peer]:
    """Somebody else, who hears and writes by a client of her own."""
    with Peer(parley.person("Grace"), follow=False) as peer:
        yield peer


def looks_well(page: Page) -> None:
    """Whatever can be used is reached and seen, and nothing moves that should not; the focus stays where it is."""
    assert page.evaluate(MOVING) == []
    page.evaluate(AT_REST)
    for look in (INVISIBLE, UNREACHABLE):
        assert page.evaluate(look) == []


def says(visitor: Visitor, texts: list[str]) -> None:
    expect(visitor.log.get_by_test_id("message-text")).to_have_text(texts)


def changes(peer: Peer, event: str, room: str, **what: object) -> None:
    answer = peer.emit(event, {"room": room, "client_id": new_id(), **what})
    assert answer.get("ok"), answer


def every_panel_can_be_used(visitor: Visitor) -> None:
    """And the message field, with two lines to be read over it."""
    page, field = visitor.page, visitor.composer.bounding_box()
    assert field and page.viewport_size and field["y"] + field["height"] <= page.viewport_size["height"]
    assert visitor.log.evaluate("log => log.clientHeight") >= 48
    page.get_by_role("button", name="People").click()
    for panel in ("New room", "Browse rooms", "Your account"):
        expect(page.get_by_role("dialog")).to_be_visible()
        looks_well(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name=re.compile("^Rooms")).click()
        looks_well(page)
        page.get_by_role("button", name=panel).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    looks_well(page)


@pytest.mark.parametrize("hostility", HOSTILITIES.values(), ids=HOSTILITIES)
def test_the_same_small_act_goes_well(visitor, ada: Person, grace: Peer, hostility: Hostility):
    room = ada.room("hostile", grace.person)
    morning = ada.say(room, "good morning")["seq"]
    guest = hostility.visit(visitor)
    strike, hands, page = hostility.strike(guest), hostility.hands(guest), guest.page
    guest.enter(ada, room)
    says(guest, ["good morning"])
    expect(guest.composer).to_be_focused()

    # Both write, one of them through it.
    hands.write("on my way")
    with strike:
        lunch = grace.send(room, "lunch at one")["message"]["seq"]
        if not hostility.is_cut_off:
            says(guest, ["good morning", "lunch at one"])
        if not hostility.stands_still:
            expect(guest.composer).to_have_value("on my way")
            hands.enter()
            expect(page.get_by_test_id("sync-mark")).to_have_attribute("data-state", hostility.mark)
            if hostility.says:
                expect(page.get_by_role("status").filter(has_text=hostility.says)).to_be_visible()
    if hostility.stands_still:
        hands.enter()
    guest.in_sync()
    guest.sees(["good morning", "lunch at one", "on my way"])
    grace.hears("message:sent", lambda said: said["room"] == room and said["text"] == "on my way")
    expect(guest.composer).to_be_focused()
    looks_well(page)

    # A single key answers a message; what was answered changes, and something goes.
    guest.message("lunch at one").focus()
    hands.key("r", "KeyR")
    expect(page.get_by_role("button", name="Do not reply")).to_be_visible()
    expect(guest.composer).to_be_focused()
    hands.write("with soup")
    hands.enter()
    guest.sees(["good morning", "lunch at one", "on my way", "with soup"])
    changes(grace, "message:edit", room, seq=lunch, text="lunch at two")
    with Peer(ada, follow=False) as elsewhere:
        changes(elsewhere, "message:delete", room, seq=morning)
    says(guest, ["lunch at two", "on my way", "with soup"])
    expect(guest.message("with soup").get_by_role("button", name="lunch at two")).to_be_visible()

    # Ctrl-K leads to another room.
    hands.key("k", "KeyK", ctrl=True)
    expect(page.get_by_role("dialog", name="Go to a room")).to_be_visible()
    looks_well(page)
    hands.write("General")
    expect(page.get_by_role("option")).to_have_count(1)
    hands.enter()
    expect(page).to_have_url(f"{guest.parley.url}/r/general")
    expect(guest.composer).to_be_focused()
    guest.in_sync()
    assert [text for _, _, text in ada.everything(room)].count("on my way") == 1
    if hostility.is_narrow:
        every_panel_can_be_used(guest)


@pytest.mark.parametrize("knows", [True, False], ids=["the browser says so", "the browser drops them"])
def test_without_cookies_nobody_comes_in_and_the_page_says_why(visitor, ada: Person, knows: bool):
    guest = Hostility(expected=REFUSALS).visit(visitor)
    if knows:
        guest.context.new_cdp_session(guest.page).send("Emulation.setDocumentCookieDisabled", {"disabled": True})

    def drop(route) -> None:
        answer = route.fetch()
        guest.context.clear_cookies()
        kept = {name: value for name, value in answer.headers.items() if name.casefold() != "set-cookie"}
        route.fulfill(status=answer.status, headers=kept, body=answer.body())

    guest.context.route("**/api/auth/login", drop)
    guest.page.goto("/login")
    if knows:
        expect(guest.page.get_by_role("alert")).to_have_text(re.compile("keeps no cookies for this site"))
    guest.fill_in(ada.name, PASSWORD, "Sign in")
    expect(guest.page.get_by_text("did not keep the sign-in")).to_be_visible()
    expect(guest.page.get_by_role("textbox", name="Name")).to_have_value(ada.name)
    looks_well(guest.page)


def test_what_cannot_be_used_is_found(visitor):
    """So the tests above can fail."""
    guest = HOSTILITIES["reduced motion"].visit(visitor)
    guest.page.goto("/login")
    expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
    looks_well(guest.page)
    for look, css in (
        (UNREACHABLE, "button { position: fixed !important; left: 101vw !important; }"),
        (UNREACHABLE, "form::after { content: ''; position: fixed; inset: 0; }"),
        (UNREACHABLE, "body { width: 101vw; }"),
        (INVISIBLE, "button { color: red !important; background: red !important; }"),
        (MOVING, "html { scroll-behavior: smooth !important; }"),
        (MOVING, "@keyframes away { to { transform: scale(2); } } button { animation: away 9s !important; }"),
    ):
        guest.page.evaluate(STYLE, css)
        if look != MOVING:
            guest.page.evaluate(AT_REST)
        assert guest.page.evaluate(look) != [], css
