"""The list of screens: every route and every dialog of the page, each as it looks empty, full and failing.

`@shot("name.state", *what it shows)` sets one up; `test_list.py` says what may be missing. What a shot shows is
`route PATH`, `panel NAME` (of `Panel` in ChatRoom.tsx) or `dialog NAME` (a component with a dialog or a popover).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from playwright.sync_api import expect

from tests.e2e.parley import PASSWORD
from tests.screens.sample import (
    CODE,
    FAR_BACK,
    JOINABLE,
    LONG_NAMES,
    LONG_ROOM,
    ME,
    MINE,
    PARAGRAPH,
    REACTED,
    UNBROKEN_ROOM,
)
from tests.screens.stage import Device, Stage

State = Literal["empty", "full", "failing"]
Arrange = Callable[[Stage], None]
BOTH: tuple[Device, ...] = ("desk", "phone")
ROOM = "route /r/:room/:seq?"
DESIGN = "/r/design"


@dataclass(frozen=True)
class Shot:
    """One screen in one state. `anew`: it is set up again for each size, because it does not follow a change of it."""

    name: str
    state: State
    shows: tuple[str, ...]
    arrange: Arrange
    devices: tuple[Device, ...] = BOTH
    anew: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}.{self.state}"


SHOTS: list[Shot] = []


def shot(
    title: str, *shows: str, devices: tuple[Device, ...] = BOTH, anew: bool = False
) -> Callable[[Arrange], Arrange]:
    """Puts the function that sets up a screen on the list."""
    name, state = title.split(".")
    assert state in get_args(State), title
    assert title not in {other.title for other in SHOTS}, title

    def add(arrange: Arrange) -> Arrange:
        SHOTS.append(Shot(name, state, shows, arrange, devices, anew))  # type: ignore[arg-type]
        return arrange

    return add


# --- the doors ----------------------------------------------------------------------------------------------------


@shot("login.empty", "route /login")
def login_empty(stage: Stage) -> None:
    stage.guest("/login")
    stage.sees("Sign in")


@shot("login.full", "route /login")
def login_full(stage: Stage) -> None:
    stage.guest("/login?next=%2Fr%2Fdesign")
    stage.page.get_by_role("textbox", name="Name").fill(LONG_NAMES[1])
    stage.page.get_by_label("Password").fill(PASSWORD * 3)


@shot("login-kept.full", "route /login")
def login_kept(stage: Stage) -> None:
    stage.guest("/login")
    stage.page.get_by_role("textbox", name="Name").fill(ME)
    stage.page.get_by_label("Password").fill(PASSWORD)
    stage.page.get_by_role("checkbox", name="Keep me signed in on this device").check()


@shot("login.failing", "route /login")
def login_failing(stage: Stage) -> None:
    stage.guest("/login")
    stage.sign_in(ME, "not the password")
    stage.alarmed("do not match")


@shot("login-away.failing", "route /login")
def login_away(stage: Stage) -> None:
    stage.guest("/login")
    stage.line.cut()
    stage.sign_in(ME)
    stage.alarmed("cannot be reached")


@shot("register.empty", "route /register")
def register_empty(stage: Stage) -> None:
    stage.guest("/register")
    stage.sees("Create an account")


@shot("register.full", "route /register")
def register_full(stage: Stage) -> None:
    stage.guest("/register")
    stage.page.get_by_role("textbox", name="Name").fill("Bartholomew Fitzgerald-Montagu of the northern office")
    stage.page.get_by_label("Password").fill(PASSWORD * 3)


@shot("register.failing", "route /register")
def register_failing(stage: Stage) -> None:
    stage.guest("/register")
    stage.sign_in(ME, button="Create account")
    stage.alarmed("is taken")


@shot("register-name.failing", "route /register")
def register_name(stage: Stage) -> None:
    stage.guest("/register")
    stage.sign_in("Olivia Marsh", button="Create account")
    stage.alarmed("A name has")


@shot("register-password.failing", "route /register")
def register_password(stage: Stage) -> None:
    stage.guest("/register")
    stage.sign_in("Newcomer", "password1", button="Create account")
    stage.alarmed("easy to guess")


# --- another language ---------------------------------------------------------------------------------------------


def in_german(stage: Stage) -> None:
    stage.page.add_init_script("localStorage.setItem('parley.language', 'de')")


@shot("login-german.failing", "route /login")
def login_german(stage: Stage) -> None:
    stage.prepare("empty")
    in_german(stage)
    stage.go("/login")
    stage.page.get_by_role("textbox", name="Name").fill(ME)
    stage.page.get_by_label("Passwort").fill("not the password")
    stage.press("Anmelden")
    stage.alarmed("passen nicht zusammen")


@shot("room-german.full", ROOM)
def room_german(stage: Stage) -> None:
    """A refused message, and the line that says that the server is away: the longest words there are."""
    stage.prepare("full", stage.new_session().cookie)
    in_german(stage)
    stage.go(DESIGN)
    stage.in_sync()
    stage.line.refuse("message:send", "text_too_long")
    field = stage.page.get_by_role("textbox", name="Nachricht", exact=True)
    field.fill("Das wurde abgelehnt.")
    stage.press("Senden")
    stage.alarmed("Nicht gesendet.")
    stage.line.cut()
    stage.sees("Neuer Versuch")


@shot("account-german.full", "panel account", "dialog AccountPanel")
def account_german(stage: Stage) -> None:
    stage.prepare("full", stage.new_session().cookie)
    in_german(stage)
    stage.go(DESIGN)
    stage.in_sync()
    if stage.is_phone:
        stage.page.get_by_role("button", name=re.compile("^Räume")).click()
    stage.page.get_by_role("button", name=re.compile("Dein Konto")).click()
    expect(stage.page.get_by_role("list", name="Deine Geräte").get_by_role("listitem").first).to_be_visible()


# --- coming in ----------------------------------------------------------------------------------------------------


@shot("opening.empty", ROOM)
def opening(stage: Stage) -> None:
    """Nobody knows yet whether somebody is signed in."""
    stage.prepare("empty")
    stage.line.hold("**/api/auth/protected")
    stage.go("/r/general")
    expect(stage.page.locator("[aria-busy=true]")).to_be_attached()


@shot("opening.failing", ROOM)
def opening_failing(stage: Stage) -> None:
    stage.prepare("empty")
    stage.line.cut()
    stage.go("/r/general")
    stage.alarmed("cannot be reached")


@shot("home.full", "route *")
def home(stage: Stage) -> None:
    """An address that is none of the page's leads to the room one was in."""
    stage.enter("/r/design/12/and/more")
    expect(stage.page).to_have_url(re.compile("/r/general$"))


@shot("not-found.failing")
def not_found(stage: Stage) -> None:
    """An address that is none of the server's either."""
    stage.guest("/nowhere/at/all")
    stage.sees("There is nothing here.")


@shot("rooms-unknown.failing", ROOM)
def rooms_unknown(stage: Stage) -> None:
    """The storage is away, and with it the list of rooms."""
    stage.prepare("full", stage.new_session().cookie)
    stage.line.refuse_http("**/api/rooms", "unavailable")
    stage.go(DESIGN)
    stage.alarmed("cannot reach its storage")


@shot("boundary.failing")
def boundary(stage: Stage) -> None:
    """A part of the page cannot be fetched."""
    stage.enter(DESIGN)
    stage.line.lose("**/assets/MembersPanel*.js")
    stage.press("People")
    stage.alarmed("could not be fetched")


# --- a room -------------------------------------------------------------------------------------------------------


@shot("room.empty", ROOM)
def room_empty(stage: Stage) -> None:
    stage.chat("/r/general", "empty")
    stage.sees("This is the beginning of General")


@shot("room.full", ROOM)
def room_full(stage: Stage) -> None:
    stage.chat(DESIGN)
    expect(stage.message(MINE)).to_be_visible()


@shot("room.failing", ROOM)
def room_failing(stage: Stage) -> None:
    """A message was refused, the server went away, and more was written."""
    stage.enter(DESIGN)
    stage.line.refuse("message:send", "text_too_long")
    stage.composer.fill("This was refused.")
    stage.press("Send")
    stage.alarmed("Not sent.")
    stage.line.cut()
    stage.composer.fill("This waits, and so does what I write next: " + PARAGRAPH)
    stage.press("Send")
    stage.sees("Reconnecting")
    stage.sees("Waiting to be sent")


@shot("room-days.full", ROOM, anew=True)
def room_days(stage: Stage) -> None:
    """Where one day ends and another begins."""
    stage.enter(f"{DESIGN}/{stage.sample('full').seqs[FAR_BACK] + 12}")
    expect(stage.page.get_by_role("separator").filter(has_text=re.compile("[a-z]")).first).to_be_attached()


@shot("room-beginning.full", ROOM, anew=True)
def room_beginning(stage: Stage) -> None:
    """The beginning of a room that is private, for somebody who came later."""
    stage.enter(f"/r/{stage.sample('full').rooms['Leadership']}")
    stage.page.get_by_role("log").press("Home")
    stage.sees("You see what was said since you joined.")


@shot("room-languages.full", ROOM)
def room_languages(stage: Stage) -> None:
    stage.enter("/r/languages")
    stage.sees("Thumbs")


@shot("room-handbook.full", ROOM)
def room_handbook(stage: Stage) -> None:
    """Messages that are too long, lines that cannot be broken, code."""
    stage.enter("/r/handbook")
    stage.sees("Short.")


@shot("room-code.full", ROOM, anew=True)
def room_code(stage: Stage) -> None:
    stage.enter(f"/r/handbook/{stage.sample('full').seqs[CODE]}")
    stage.sees("def settle")


@shot("room-unread.full", ROOM, anew=True)
def room_unread(stage: Stage) -> None:
    """Sixty messages came since one was here."""
    stage.enter("/r/support")
    expect(stage.page.get_by_role("separator").filter(has_text="new")).to_be_visible()


@shot("room-permalink.full", ROOM, anew=True)
def room_permalink(stage: Stage) -> None:
    stage.enter(f"{DESIGN}/{stage.sample('full').seqs[FAR_BACK]}")
    expect(stage.message(FAR_BACK)).to_be_in_viewport()


@shot("room-permalink.failing", ROOM)
def room_permalink_failing(stage: Stage) -> None:
    """A message that is not there."""
    stage.enter(f"{DESIGN}/99999", synced=False)
    expect(stage.composer).to_be_visible()
    expect(stage.page.get_by_test_id("sync-mark")).not_to_have_attribute("data-state", "offline")


@shot("room-unloaded.failing", ROOM)
def room_unloaded(stage: Stage) -> None:
    """The list of rooms is there; what was said in this one cannot be had."""
    stage.prepare("full", stage.new_session().cookie)
    stage.line.refuse("room:open", "unavailable")
    stage.line.refuse_http("**/api/rooms/*/messages*", "unavailable")
    stage.go(DESIGN)
    expect(stage.page.get_by_role("heading", name="Design")).to_be_visible()
    expect(stage.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "syncing")


@shot("room-unlisted.failing", ROOM)
def room_unlisted(stage: Stage) -> None:
    """The list of rooms was there, and is refused since."""
    stage.enter(DESIGN)
    stage.line.refuse_http("**/api/rooms", "unavailable")
    stage.line.say("rooms:changed")
    stage.sees("Your list of rooms may be old.")


@shot("room-long-name.full", ROOM)
def room_long_name(stage: Stage) -> None:
    stage.enter(f"/r/{stage.sample('full').rooms[LONG_ROOM]}")


@shot("room-removed.failing", ROOM)
def room_removed(stage: Stage) -> None:
    """Somebody else took one out of the room while one was reading."""
    stage.enter(DESIGN)
    without: dict = {"rooms": [], "joinable": []}
    stage.page.context.route("**/api/rooms", lambda route: route.fulfill(json=without))
    stage.line.say("member:removed", room="design", generation=1, entry=1, user=ME.casefold(), name=ME, by="ben")
    stage.line.say("rooms:changed")
    stage.sees("You were removed from Design")


@shot("link-copied.full", ROOM, anew=True)
def link_copied(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(REACTED, "c")
    stage.sees("Link copied")


@shot("room-missing.failing", ROOM)
def room_missing(stage: Stage) -> None:
    stage.enter("/r/no-such-room")
    stage.sees("There is no such room")


@shot("room-joinable.full", ROOM)
def room_joinable(stage: Stage) -> None:
    stage.enter(f"/r/{stage.sample('full').rooms[UNBROKEN_ROOM]}")
    stage.sees("You are not in")


@shot("room-joinable.failing", ROOM)
def room_joinable_failing(stage: Stage) -> None:
    stage.enter(f"/r/{stage.sample('full').rooms[JOINABLE[0]]}")
    stage.line.refuse_http("**/api/rooms/*/join", "unavailable")
    stage.press(f"Join {JOINABLE[0]}")
    stage.alarmed("cannot reach its storage")


# --- writing ------------------------------------------------------------------------------------------------------


@shot("composer.full", ROOM)
def composer_full(stage: Stage) -> None:
    """A long draft, and three people who type."""
    stage.enter(DESIGN)
    stage.composer.fill((PARAGRAPH * 20)[:3_900])
    expect(stage.page.get_by_text("100 left")).to_be_attached()
    for user in ("Ben", LONG_NAMES[0], LONG_NAMES[1]):
        stage.line.say("typing", room="design", user=user.casefold(), name=user, typing=True)
    stage.sees("are typing")


@shot("composer.failing", ROOM)
def composer_failing(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.composer.fill(PARAGRAPH * 20)
    stage.alarmed("at most 4,000")


@shot("reply.full", ROOM)
def reply(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(REACTED, "r")
    stage.composer.fill("In that case, so am I.")
    expect(stage.button("Do not reply")).to_be_visible()


@shot("edit.full", ROOM)
def edit(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(MINE, "e")
    expect(stage.field("Edit text")).to_be_visible()


@shot("edit.failing", ROOM)
def edit_failing(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(MINE, "e")
    stage.field("Edit text").fill("")
    stage.press("Save")
    stage.alarmed("cannot be empty")


@shot("delete-question.full", ROOM)
def delete_question(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(MINE, "Delete")
    expect(stage.button("Delete it")).to_be_visible()


@shot("delete-question.failing", ROOM)
def delete_question_failing(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.refuse("message:delete", "unavailable")
    stage.act(MINE, "Delete")
    stage.press("Delete it")
    stage.alarmed("cannot reach its storage")


@shot("message-actions.full", ROOM, anew=True)
def message_actions(stage: Stage) -> None:
    stage.enter(DESIGN)
    own = stage.message(MINE)
    if stage.is_phone:
        own.tap()
    else:
        own.hover()
    expect(own.get_by_role("group", name="Message actions")).to_be_visible()


@shot("reaction-palette.full", "dialog ReactionPalette", anew=True)
def reaction_palette(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.act(REACTED, "+")
    expect(stage.page.get_by_role("dialog", name="Pick a reaction")).to_be_visible()


@shot("room-late.failing", ROOM)
def room_late(stage: Stage) -> None:
    stage.prepare("full", stage.new_session().cookie)
    stage.line.hold("**/api/rooms*")
    stage.line.hold("**/api/rooms/**")
    stage.line.stand()
    stage.go(DESIGN)
    stage.sees("Your rooms are on their way")


@shot("room-slow.failing", ROOM)
def room_slow(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.stand()
    stage.composer.fill("This is on its way for a while.")
    stage.press("Send")
    stage.sees("The server is slow to answer")


@shot("room-keeps-nothing.failing", ROOM)
def room_keeps_nothing(stage: Stage) -> None:
    stage.prepare("full", stage.new_session().cookie)
    stage.page.add_init_script("indexedDB.open = () => { throw new Error('this browser keeps nothing'); };")
    stage.go(DESIGN)
    stage.in_sync()
    stage.sees("This device keeps nothing")


@shot("reaction-refused.failing", ROOM)
def reaction_refused(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.refuse("reaction:add", "reactions_full")
    stage.act(REACTED, "+")
    stage.page.get_by_role("dialog", name="Pick a reaction").get_by_role("button", name="Coffee").click()
    stage.alarmed("as many reactions")


@shot("who-reacted.full", "dialog ReactionNames", anew=True)
def who_reacted(stage: Stage) -> None:
    stage.enter(DESIGN)
    pill = stage.message(REACTED).get_by_role("group", name="Reactions").get_by_role("button").first
    if stage.is_phone:
        pill.focus()
    else:
        pill.hover()
    expect(stage.page.get_by_role("tooltip")).to_be_visible()


# --- the rooms ----------------------------------------------------------------------------------------------------


@shot("rooms-sheet.empty", "panel rooms", devices=("phone",))
def rooms_sheet_empty(stage: Stage) -> None:
    stage.enter(DESIGN, "empty")
    stage.side()


@shot("rooms-sheet.full", "panel rooms", devices=("phone",))
def rooms_sheet_full(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.side()


@shot("rooms-sheet.failing", "panel rooms", devices=("phone",))
def rooms_sheet_failing(stage: Stage) -> None:
    stage.prepare("full", stage.new_session().cookie)
    stage.line.refuse_http("**/api/rooms", "unavailable")
    stage.go(DESIGN)
    stage.alarmed("cannot reach its storage")
    stage.side()


@shot("switcher.empty", "panel switcher", "dialog QuickSwitcher")
def switcher_empty(stage: Stage) -> None:
    """Nothing is called like that."""
    stage.chat(DESIGN)
    stage.page.keyboard.press("Control+k")
    stage.page.get_by_role("combobox").fill("nothing of the kind")
    stage.sees("No room is called like that.")


@shot("switcher.full", "panel switcher", "dialog QuickSwitcher")
def switcher_full(stage: Stage) -> None:
    stage.chat(DESIGN)
    stage.page.keyboard.press("Control+k")
    expect(stage.page.get_by_role("option").first).to_be_visible()


@shot("switcher.failing", "panel switcher", "dialog QuickSwitcher")
def switcher_failing(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.refuse_http("**/api/rooms/*/join", "unavailable")
    stage.page.keyboard.press("Control+k")
    stage.page.get_by_role("combobox").fill(JOINABLE[0])
    stage.page.get_by_role("combobox").press("Enter")
    stage.alarmed("cannot reach its storage")


def browse(stage: Stage) -> None:
    stage.side()
    stage.press("Browse rooms")
    expect(stage.page.get_by_role("dialog", name="Rooms you can join")).to_be_visible()


@shot("browse.empty", "panel browse", "dialog BrowseRooms")
def browse_empty(stage: Stage) -> None:
    stage.chat(DESIGN, "empty")
    browse(stage)


@shot("browse.full", "panel browse", "dialog BrowseRooms")
def browse_full(stage: Stage) -> None:
    stage.chat(DESIGN)
    browse(stage)


@shot("browse.failing", "panel browse", "dialog BrowseRooms")
def browse_failing(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.refuse_http("**/api/rooms/*/join", "unavailable")
    browse(stage)
    stage.press(f"Join {JOINABLE[0]}")
    stage.alarmed("cannot reach its storage")


@shot("browse-away.failing", "panel browse", "dialog BrowseRooms")
def browse_away(stage: Stage) -> None:
    stage.enter(DESIGN, "empty")
    stage.line.cut()
    browse(stage)
    stage.sees("cannot be known now")


@shot("create.empty", "panel create", "dialog CreateRoom")
def create_empty(stage: Stage) -> None:
    stage.chat(DESIGN, "empty")
    stage.side()
    stage.press("New room")
    expect(stage.field("Room name")).to_be_visible()


@shot("create.full", "panel create", "dialog CreateRoom")
def create_full(stage: Stage) -> None:
    stage.chat(DESIGN)
    stage.side()
    stage.press("New room")
    stage.field("Room name").fill(LONG_ROOM)
    stage.page.get_by_role("radio", name=re.compile("Invited")).check()


@shot("create.failing", "panel create", "dialog CreateRoom")
def create_failing(stage: Stage) -> None:
    stage.chat(DESIGN)
    stage.side()
    stage.press("New room")
    stage.field("Room name").fill("General")
    stage.press("Create room")
    stage.alarmed("already a room")


def people(stage: Stage) -> None:
    stage.press("People")
    expect(stage.dialog.get_by_role("listitem").first).to_be_visible()


@shot("members.empty", "panel members", "dialog MembersPanel")
def members_empty(stage: Stage) -> None:
    """Nobody else is here yet."""
    stage.chat(DESIGN, "empty")
    people(stage)


@shot("members.full", "panel members", "dialog MembersPanel")
def members_full(stage: Stage) -> None:
    stage.chat(DESIGN)
    people(stage)


@shot("members.failing", "panel members", "dialog MembersPanel")
def members_failing(stage: Stage) -> None:
    stage.chat(DESIGN)
    people(stage)
    stage.field("Invite by name").fill("Nobody")
    stage.press("Invite")
    stage.alarmed("nobody with that name")


@shot("members-leaving.full", "panel members", "dialog MembersPanel")
def members_leaving(stage: Stage) -> None:
    stage.enter(f"/r/{stage.sample('full').rooms['Leadership']}")
    people(stage)
    stage.press("Leave room")
    stage.sees("You will need an invitation")


@shot("members-handing-on.full", "panel members", "dialog MembersPanel")
def members_handing_on(stage: Stage) -> None:
    stage.chat(DESIGN)
    people(stage)
    stage.press("Leave room")
    stage.sees("Who owns this room then?")


# --- the account, the keys ----------------------------------------------------------------------------------------


def account(stage: Stage) -> None:
    stage.side()
    stage.page.get_by_role("button", name=re.compile("Your account")).click()
    expect(stage.page.get_by_role("list", name="Your devices").get_by_role("listitem").first).to_be_visible()


@shot("account.empty", "panel account", "dialog AccountPanel")
def account_empty(stage: Stage) -> None:
    stage.chat(DESIGN, "empty")
    account(stage)


@shot("account.full", "panel account", "dialog AccountPanel")
def account_full(stage: Stage) -> None:
    """Many devices, and the question before all of them are signed out."""
    stage.chat(DESIGN)
    account(stage)
    stage.press("Sign out everywhere")
    stage.sees("You will sign in again")


@shot("account.failing", "panel account", "dialog AccountPanel")
def account_failing(stage: Stage) -> None:
    """The devices cannot be had, and the password is wrong."""
    stage.enter(DESIGN)
    account(stage)
    stage.line.refuse_http("**/api/auth/sessions", "unavailable")
    stage.press("Sign out everywhere")
    stage.press("Sign out all")
    stage.alarmed("cannot reach its storage")
    stage.field("Password now").fill("not the password")
    stage.field("New password").fill("another password")
    stage.press("Change password")
    stage.alarmed("That is not your password.")


@shot("sign-out.full", "panel leaving", "dialog SignOut")
def sign_out(stage: Stage) -> None:
    """Something was typed and not sent."""
    stage.enter(DESIGN)
    stage.composer.fill("half a thought")
    if stage.is_phone:
        stage.page.get_by_role("button", name=re.compile("^Rooms")).click()
    stage.press("Sign out")
    stage.sees("There is a draft in one room.")


@shot("keys.full", "panel keys", "dialog ShortcutSheet")
def keys(stage: Stage) -> None:
    stage.chat(DESIGN)
    stage.page.get_by_role("log").focus()
    stage.page.keyboard.press("?")
    stage.sees("Go to any room")


# --- the session --------------------------------------------------------------------------------------------------


def session_ends(stage: Stage, chat: str) -> None:
    """The session ends while somebody writes."""
    me = stage.new_session(chat)
    stage.prepare(chat, me.cookie)
    stage.go(DESIGN)
    stage.in_sync()
    stage.composer.fill("Half a thought, which")
    stage.sample(chat).parley.redis.delete(*me.session_key)
    stage.sees("Your session has ended.")


@shot("session-ended.empty", "route /login", "dialog SessionPanel")
def session_ended_empty(stage: Stage) -> None:
    session_ends(stage, "empty")


@shot("session-ended.full", "route /login", "dialog SessionPanel")
def session_ended_full(stage: Stage) -> None:
    session_ends(stage, "full")


@shot("session-ended.failing", "route /login", "dialog SessionPanel")
def session_ended_failing(stage: Stage) -> None:
    session_ends(stage, "full")
    stage.page.get_by_label("Password").fill("not the password")
    stage.press("Sign in")
    stage.alarmed("do not match")


def expires(stage: Stage) -> None:
    stage.enter(DESIGN)
    stage.line.say("session:expiring", expires_at=int(time.time()) + 100)
    stage.sees("You have been quiet")


@shot("stay.full", ROOM)
def stay(stage: Stage) -> None:
    expires(stage)


@shot("stay.failing", ROOM)
def stay_failing(stage: Stage) -> None:
    expires(stage)
    stage.line.refuse_http("**/api/auth/stay", "unavailable")
    stage.press("Stay signed in")
    stage.sees("cannot reach its storage")


@shot("somebody-else.failing", ROOM)
def somebody_else(stage: Stage) -> None:
    """Another person signed in with this browser."""
    expires(stage)
    stage.line.refuse_http("**/api/auth/stay", "user_mismatch")
    stage.press("Stay signed in")
    stage.alarmed("as somebody else")
