"""What people do at their pages, each by the names that a reader of the screen hears; all that is drawn comes from the
dice of its step.

An act raises `Impossible` where a person would do something else, and `Wrong` where the page does not do its part.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.browsers import texts
from tests.e2e.browsers.checker import Sent
from tests.e2e.browsers.desk import ACT_WITHIN_MS, SOON_MS, WRITTEN, Desk, Impossible

PICKS = {"Thumbs up": "👍", "Heart": "❤️", "Party": "🎉", "Rocket": "🚀", "Looking": "👀", "Coffee": "☕"}
NOT_GREEN = "() => document.querySelector('[data-testid=sync-mark]')?.dataset.state !== 'synced'"
IN_SIGHT = """() => {
  const log = document.querySelector('main [role=log]');
  if (!log) return [];
  const { top, bottom } = log.getBoundingClientRect();
  const inside = (box) => box.top >= top && box.top + 30 <= bottom && box.height > 0;
  return [...log.querySelectorAll('article[data-state=sent][data-seq]')]
    .filter((each) => inside(each.getBoundingClientRect()) && getComputedStyle(each).visibility !== 'hidden')
    .map((each) => ({ seq: Number(each.dataset.seq), client_id: each.dataset.clientId ?? '',
      text: each.querySelector('[data-testid=message-text]')?.textContent ?? null,
      mine: [...each.querySelectorAll('[aria-label=Reactions] button[aria-pressed=true]')]
        .map((pill) => pill.textContent.trim().split(/\\s+/)[0]) }));
}"""


class Wrong(Exception):
    """A page did not do its part: what was expected, and what is there."""

    def __init__(self, expected: str, there: str):
        super().__init__(f"expected {expected}; there is {there}")
        self.expected = expected
        self.there = there


@dataclass
class Ledger:
    """What people wrote and wished, as the log must have it in the end."""

    sent: dict[str, Sent] = field(default_factory=dict)
    wishes: dict[tuple[str, str, str, str], bool] = field(default_factory=dict)

    def said(self, user: str, room: str, client_id: str, text: str) -> None:
        self.sent[client_id] = Sent(user, room, client_id, {text})

    def changed(self, client_id: str, text: str | None, certain: bool) -> None:
        """It says that now, or (`None`) is deleted; what is not certain may still be as it was."""
        texts_ = self.sent[client_id].texts
        self.sent[client_id].texts = {text} if certain else texts_ | {text}

    def doubt(self) -> None:
        """Something was away: what was wished meanwhile may not have come about."""
        self.wishes.clear()

    def own(self, user: str) -> set[str]:
        return {client_id for client_id, sent in self.sent.items() if sent.user == user}


@dataclass
class Scene:
    """A tab of somebody at one step of the script; `rough`: something is away, or was a moment ago."""

    desk: Desk
    tab: Page
    dice: random.Random
    desks: list[Desk]
    ledger: Ledger
    step: int
    rough: bool
    notes: list[str] = field(default_factory=list)

    @property
    def user(self) -> str:
        return self.desk.person.user

    def note(self, text: object) -> None:
        """What was drawn, for the list of acts."""
        self.notes.append(str(text)[:90])

    def sight(self, own: bool = False) -> dict[str, Any]:
        """A message on the screen, one of their own or anybody's."""
        mine = self.ledger.own(self.user)
        rows = [row for row in self.tab.evaluate(IN_SIGHT) if row["text"] is not None]
        rows = [row for row in rows if not own or row["client_id"] in mine]
        if not rows:
            raise Impossible("no such message in sight")
        row = self.dice.choice(rows)
        self.note(f"{row['seq']} {row['text'][:30]!r}")
        return dict(row)

    def gives_focus_back(self, what: str) -> None:
        if not self.desk.holds_focus(self.tab):
            raise Wrong(f"the focus somewhere after {what}", "it on <body>")


# --- writing ----------------------------------------------------------------------------------------------------------


def say(scene: Scene, text: str) -> None:
    """Writes and sends; the message stands there at once."""
    desk, tab = scene.desk, scene.tab
    room, composer = desk.room(tab), desk.composer(tab)
    before = [id_ for id_, sent in scene.ledger.sent.items() if text in sent.texts and sent.user == scene.user]
    composer.fill(text)
    if desk.phone:
        tab.get_by_role("button", name="Send", exact=True).click()
    else:
        composer.press("Enter")
    try:
        client_id = tab.wait_for_function(WRITTEN, arg=[text, before]).json_value()
    except PlaywrightTimeout:
        if tab.get_by_role("dialog", name="Sign in again").is_visible():
            raise Impossible("the session ended meanwhile, and the page asks to sign in") from None
        raise Wrong(f"{text[:60]!r} in the room as soon as it is sent", "nothing of it") from None
    scene.ledger.said(scene.user, room, client_id, text)


def write(scene: Scene) -> None:
    text = f"{scene.step}: {texts.plain(scene.dice)}"
    scene.note(text)
    say(scene, text)


def write_a_burst(scene: Scene) -> None:
    number = scene.dice.randint(4, 12)
    scene.note(number)
    for turn in range(number):
        say(scene, f"{scene.step}.{turn}: {texts.plain(scene.dice)}")


def write_the_same_twice(scene: Scene) -> None:
    for _ in range(2):
        say(scene, f"{scene.step}: +1")


def write_lines(scene: Scene) -> None:
    say(scene, f"{scene.step}: {texts.lines(scene.dice)}")


def write_odd_text(scene: Scene) -> None:
    text = texts.odd(scene.dice)
    scene.note(repr(text[:60]))
    say(scene, text)


def begin_to_write_and_think_better_of_it(scene: Scene) -> None:
    composer = scene.desk.composer(scene.tab)
    composer.press_sequentially("hm, per")
    composer.fill("")


def edit(scene: Scene) -> None:
    row, text = scene.sight(own=True), f"{scene.step}: edited {texts.plain(scene.dice)}"
    scene.desk.press(scene.tab, row["seq"], "Edit")
    field_ = scene.tab.get_by_role("textbox", name="Edit text")
    field_.fill(text)
    scene.ledger.changed(row["client_id"], text, certain=False)
    field_.press("Control+Enter" if scene.desk.phone else "Enter")  # on a phone it is a new line
    expect(field_).to_have_count(0, timeout=ACT_WITHIN_MS)
    scene.ledger.changed(row["client_id"], text, certain=not scene.rough)


def begin_to_edit(scene: Scene) -> None:
    row = scene.sight(own=True)
    scene.desk.press(scene.tab, row["seq"], "Edit")
    field_ = scene.tab.get_by_role("textbox", name="Edit text")
    field_.fill("never mind")
    field_.press("Escape")
    expect(field_).to_have_count(0, timeout=SOON_MS)
    scene.gives_focus_back("Escape in an edit")


def delete(scene: Scene) -> None:
    row = scene.sight(own=True)
    scene.desk.press(scene.tab, row["seq"], "Delete")
    question = scene.desk.article(scene.tab, row["seq"]).get_by_role("button", name="Delete it")
    if scene.dice.random() < 0.3:
        scene.note("and keep it")
        question.press("Escape")
        expect(question).to_have_count(0, timeout=SOON_MS)
    else:
        scene.ledger.changed(row["client_id"], None, certain=False)
        question.click()
        expect(question).to_have_count(0, timeout=ACT_WITHIN_MS)
        scene.ledger.changed(row["client_id"], None, certain=not scene.rough)
    scene.gives_focus_back("the question whether to delete")


def reply(scene: Scene) -> None:
    row = scene.sight()
    scene.desk.press(scene.tab, row["seq"], "Reply")
    expect(scene.tab.get_by_role("button", name="Do not reply")).to_be_visible(timeout=SOON_MS)
    say(scene, f"{scene.step}: in reply, {texts.plain(scene.dice)}")


def react(scene: Scene) -> None:
    row, name = scene.sight(), scene.dice.choice(sorted(PICKS))
    scene.note(name)
    scene.desk.press(scene.tab, row["seq"], "Add reaction")
    palette = scene.tab.get_by_role("dialog", name="Pick a reaction")
    palette.get_by_role("button", name=name, exact=True).click()
    expect(palette).to_have_count(0, timeout=SOON_MS)
    _wish(scene, row, PICKS[name], PICKS[name] not in row["mine"])
    scene.gives_focus_back("the palette of reactions")


def press_a_reaction(scene: Scene) -> None:
    """Joins somebody's, or takes their own back."""
    row = scene.sight()
    pills = scene.desk.article(scene.tab, row["seq"]).get_by_role("group", name="Reactions").get_by_role("button")
    if not pills.count():
        raise Impossible("nobody has reacted to it")
    pill = pills.nth(scene.dice.randrange(pills.count()))
    emoji = pill.inner_text().split()[0]
    scene.note(emoji)
    pill.click()
    _wish(scene, row, emoji, emoji not in row["mine"])


def _wish(scene: Scene, row: dict[str, Any], emoji: str, wanted: bool) -> None:
    key = (scene.user, scene.desk.room(scene.tab), row["client_id"], emoji)
    if scene.rough:
        scene.ledger.wishes.pop(key, None)
    else:
        scene.ledger.wishes[key] = wanted


# --- rooms ------------------------------------------------------------------------------------------------------------


def open_a_room(scene: Scene) -> None:
    links = scene.desk.badges(scene.tab)
    room = scene.dice.choice(sorted(links)) if links else "general"
    scene.note(room)
    scene.desk.go(scene.tab, room)


def go_by_a_few_letters(scene: Scene) -> None:
    tab = scene.tab
    if scene.desk.phone:
        scene.desk.rooms(tab).get_by_role("button", name=re.compile("Go to")).click()
    else:
        tab.keyboard.press("Control+k")
    search = tab.get_by_role("combobox", name="Go to a room")
    search.fill(scene.dice.choice(["gen", "co", "lo", "r"]))
    if not tab.get_by_role("option").count():
        tab.keyboard.press("Escape")
    else:
        search.press("Enter")
    expect(search).to_have_count(0, timeout=ACT_WITHIN_MS)
    scene.gives_focus_back("going to a room by its letters")


def make_a_room(scene: Scene) -> None:
    tab, name = scene.tab, f"Room {scene.user} {scene.step}"
    private = scene.dice.random() < 0.5
    scene.note(f"{name}, {'private' if private else 'public'}")
    scene.desk.rooms(tab).get_by_role("button", name="New room").click()
    dialog = tab.get_by_role("dialog", name="New room")
    dialog.get_by_role("textbox", name="Room name").fill(name)
    dialog.get_by_role("radio", name=re.compile("Invited people" if private else "Everybody here")).check()
    dialog.get_by_role("button", name="Create room").click()
    expect(tab.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=ACT_WITHIN_MS)
    scene.gives_focus_back("making a room")
    for other in scene.desks:
        if other is not scene.desk and scene.dice.random() < 0.7:
            _invite(scene, other)


def invite(scene: Scene) -> None:
    _invite(scene, scene.dice.choice([desk for desk in scene.desks if desk is not scene.desk]))


def _invite(scene: Scene, other: Desk) -> None:
    dialog, name = people(scene), other.person.name
    scene.note(name)
    field_ = dialog.get_by_role("textbox", name="Invite by name")
    if field_.count() and not dialog.get_by_role("listitem").filter(has_text=name).count():
        field_.fill(name)
        dialog.get_by_role("button", name="Invite", exact=True).click()
        expect(dialog.get_by_role("listitem").filter(has_text=name)).to_be_visible(timeout=ACT_WITHIN_MS)
    scene.tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=SOON_MS)
    scene.gives_focus_back("the list of people")


def people(scene: Scene) -> Any:
    """The list of a room's people, read."""
    button = scene.tab.get_by_role("main").get_by_role("button", name="People")
    if not button.is_visible():
        raise Impossible("no room is open")
    button.click()
    dialog = scene.tab.get_by_role("dialog", name=re.compile("^People in"))
    expect(dialog.get_by_role("listitem").filter(has_text="(you)")).to_be_visible(timeout=ACT_WITHIN_MS)
    return dialog


def remove(scene: Scene) -> None:
    dialog = people(scene)
    buttons = dialog.get_by_role("button", name=re.compile("^Remove "))
    if buttons.count():
        name = buttons.first.get_attribute("aria-label")
        scene.note(name)
        buttons.first.click()
        dialog.get_by_role("button", name="Remove from the room", exact=True).click()
        expect(dialog.get_by_role("button", name=name, exact=True)).to_have_count(0, timeout=ACT_WITHIN_MS)
    scene.tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=SOON_MS)
    scene.gives_focus_back("the list of people")
    if not buttons.count() and not scene.notes:
        raise Impossible("there is nobody whom they may remove")


def leave(scene: Scene) -> None:
    if scene.desk.room(scene.tab) == "general":
        raise Impossible("nobody leaves general")
    if scene.desk.state(scene.tab) != "synced":
        raise Impossible("something is still to be sent")
    dialog = people(scene)
    dialog.get_by_role("button", name="Leave room").click()
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_have_count(0, timeout=ACT_WITHIN_MS)
    scene.gives_focus_back("leaving a room")


def join(scene: Scene) -> None:
    scene.desk.rooms(scene.tab).get_by_role("button", name="Browse rooms").click()
    dialog = scene.tab.get_by_role("dialog", name="Rooms you can join")
    expect(dialog).to_be_visible(timeout=ACT_WITHIN_MS)
    ours = dialog.get_by_role("button", name=re.compile("^Join (Room|common|long)"))
    if ours.count():
        button = ours.nth(scene.dice.randrange(ours.count()))
        scene.note(button.get_attribute("aria-label"))
        button.click()
    else:
        scene.tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=ACT_WITHIN_MS)
    scene.gives_focus_back("the list of rooms to join")


# --- reading ----------------------------------------------------------------------------------------------------------


def scroll_back(scene: Scene) -> None:
    log = scene.tab.get_by_role("log")
    if not log.is_visible():
        raise Impossible("there are no messages")
    turns = scene.dice.randint(2, 25)
    scene.note(turns)
    for _ in range(turns):
        if scene.desk.phone:
            log.evaluate("(log) => { log.dispatchEvent(new Event('touchmove')); log.scrollTop -= 500; }")
        else:
            log.hover()
            scene.tab.mouse.wheel(0, -500)
        scene.tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def to_the_newest(scene: Scene) -> None:
    scene.desk.to_newest(scene.tab)


def follow_a_permalink(scene: Scene) -> None:
    tab, row = scene.tab, scene.sight()
    link = scene.desk.article(tab, row["seq"]).locator(f'a[href$="/{row["seq"]}"]')
    if not link.count():
        raise Impossible("it has no link")
    link.first.evaluate("(link) => link.click()")  # beside the first of a turn it shows only under a pointer
    expect(tab).to_have_url(re.compile(f"/{row['seq']}$"), timeout=SOON_MS)


def open_an_address(scene: Scene) -> None:
    room = scene.desk.room(scene.tab) or "general"
    seq = scene.dice.randint(1, 120)
    scene.note(f"/r/{room}/{seq}")
    scene.tab.goto(f"/r/{room}/{seq}")


def idle(scene: Scene) -> None:
    scene.tab.wait_for_timeout(scene.dice.randint(500, 3_000))  # a person who does nothing for so long


# --- the page ---------------------------------------------------------------------------------------------------------


def switch_theme(scene: Scene) -> None:
    before = scene.tab.evaluate("document.documentElement.outerHTML.slice(0, 300)")
    scene.desk.rooms(scene.tab).get_by_role("button", name="Light or dark").click()
    after = scene.tab.evaluate("document.documentElement.outerHTML.slice(0, 300)")
    if before == after:
        raise Wrong("another theme", "the same page")


def reload(scene: Scene) -> None:
    scene.tab.reload()


def open_and_escape(scene: Scene) -> None:
    tab, name = scene.tab, scene.dice.choice(["People", "Browse rooms", "New room", "Your account", "Keys"])
    if name == "Keys" and scene.desk.phone:
        name = "Your account"
    scene.note(name)
    place = tab.get_by_role("main") if name == "People" else scene.desk.rooms(tab)
    button = place.get_by_role("button", name=re.compile(f"^{name}"))
    if not button.is_visible():
        raise Impossible("there is no such button")
    button.click()
    expect(tab.locator("dialog[open]")).to_be_visible(timeout=ACT_WITHIN_MS)
    tab.keyboard.press("Escape")
    expect(tab.locator("dialog[open]")).to_have_count(0, timeout=SOON_MS)
    scene.gives_focus_back(f"Escape in {name!r}")


def close_and_reopen(scene: Scene) -> None:
    room = scene.desk.room(scene.tab) or "general"
    scene.desk.close(scene.tab)
    scene.tab = scene.desk.open(f"/r/{room}")


def sign_out_and_in(scene: Scene) -> None:
    if scene.rough or any(scene.desk.state(tab) != "synced" for tab in scene.desk.tabs):
        raise Impossible("something is still to be sent")
    scene.desk.rooms(scene.tab).get_by_role("button", name="Sign out", exact=True).click()
    expect(scene.tab.get_by_role("heading", name="Sign in")).to_be_visible(timeout=ACT_WITHIN_MS)
    if not scene.desk.come_in(scene.tab):
        raise Wrong("a door after signing out", scene.tab.url)


def go_offline(scene: Scene) -> None:
    scene.desk.offline = True
    scene.desk.visitor.context.set_offline(True)
    for tab in scene.desk.tabs:
        try:
            tab.wait_for_function(NOT_GREEN, timeout=SOON_MS)
        except PlaywrightTimeout:
            raise Wrong("the mark not green without a network", "'In sync'") from None


def go_online(scene: Scene) -> None:
    scene.desk.offline = False
    scene.desk.visitor.context.set_offline(False)


Act = Callable[[Scene], None]
# How often, by weight.
ACTS: dict[Act, int] = {
    write: 16,
    write_a_burst: 4,
    write_the_same_twice: 2,
    write_lines: 3,
    write_odd_text: 7,
    begin_to_write_and_think_better_of_it: 2,
    edit: 6,
    begin_to_edit: 1,
    delete: 4,
    reply: 5,
    react: 7,
    press_a_reaction: 5,
    open_a_room: 12,
    go_by_a_few_letters: 2,
    make_a_room: 1,
    invite: 2,
    remove: 1,
    leave: 1,
    join: 3,
    scroll_back: 5,
    to_the_newest: 3,
    follow_a_permalink: 3,
    open_an_address: 2,
    idle: 2,
    switch_theme: 1,
    reload: 3,
    open_and_escape: 3,
    close_and_reopen: 2,
    sign_out_and_in: 1,
    go_offline: 2,
}
# What somebody does who has no network; the rest would be refused, as they know.
OFFLINE: dict[Act, int] = {
    write: 6,
    write_a_burst: 1,
    write_odd_text: 2,
    open_a_room: 2,
    scroll_back: 1,
    reload: 1,
    idle: 1,
    go_online: 4,
}
