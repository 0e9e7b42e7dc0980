"""Who may what in which room, cell by cell at the services: tests/security/matrix.py says what must come out.

Twice: by a worker that asks the tables, and by one whose sockets follow the rooms. What is refused must leave the log
of the room as it was.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chat.config import Config
from chat.errors import ChatError
from chat.models import Page, Person, User
from chat.services.rooms.rooms import GENERAL
from chat.services.storage import redis_client
from tests.conftest import make_tables
from tests.security.matrix import CELLS, EXPECTED, LINES, REFUSALS
from tests.services.worker import Wire, Worker

EARLY, LATER = "early", "later"
MEMBERS = ("member", "back", "left", "removed")  # from the beginning
OWN = ("edit", "delete")
ALL_LINES = [line for lines in LINES.values() for line in lines]
ids = (f"id{n}" for n in itertools.count())


@dataclass
class Place:
    """A room in which all that the table speaks of has happened: the numbers of the messages, by who wrote them and
    what they are for; `sent` has the client_id and the text of each one's first message."""

    room: str
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    deleted: int = 0


class World:
    """People and rooms of one worker."""

    def __init__(self, worker: Worker, followed: bool):
        self.worker = worker
        self._followed = followed
        self._numbers = itertools.count()
        self._people: dict[str, Person] = {}
        self._places: dict[tuple[str, ...], Place] = {}

    def person(self, name: str) -> Person:
        """Somebody with an account, the same one for the same name."""
        if name not in self._people:
            self.worker.storage.users.put(User(name, name.title()))
            self._people[name] = Person(name, name.title())
        return self._people[name]

    def someone(self) -> Person:
        """Somebody who was nowhere yet."""
        return self.person(f"someone{next(self._numbers)}")

    def place(self, kind: str, who: str, asked: str) -> Place:
        """Where that is asked: those who come or go by it do so in a room without a word."""
        if who == "nowhere":
            return Place("nowhere")
        founder, silent = "former" if who == "former" else "owner", asked.startswith(("join", "leave"))
        key = (kind, founder, asked if silent else "") if kind else (GENERAL.id,)
        if key not in self._places:
            place = self._places[key] = Place(self._new_room(kind, founder) if kind else GENERAL.id)
            if kind:
                self._furnish(place, founder, *(() if silent else (EARLY, LATER)))
            else:
                self._talk(place, EARLY, "member", "neighbour")
                self._talk(place, LATER, "member", "neighbour")
                self._finish(place, "neighbour")
            self._follow(place)
        return self._places[key]

    def invite(self, place: Place, by: str, *whom: str) -> None:
        for username in whom:
            self.worker.memberships.invite(self.person(by), next(ids), place.room, self.person(username).username)

    def _new_room(self, kind: Any, founder: str) -> str:
        name = f"Room {next(self._numbers)}"
        return str(self.worker.memberships.create(self.person(founder), next(ids), name, kind)["room"])

    def _furnish(self, place: Place, founder: str, *spoken: str) -> None:
        """People come and go, and some have a socket meanwhile."""
        memberships, owner = self.worker.memberships, self.person(founder)
        members = MEMBERS if founder == "owner" else ("member",)
        self.invite(place, founder, *members)
        if spoken:
            self._talk(place, EARLY, founder, *members)
        self._follow(place)
        if founder == "former":
            memberships.leave(owner, next(ids), place.room)
        else:
            for who in ("removed", "back"):
                memberships.remove(owner, next(ids), place.room, who)
            memberships.leave(self.person("left"), next(ids), place.room)
            self.invite(place, founder, "late", "back")
        if spoken:
            self._talk(place, LATER, *(("owner", "member", "late", "back") if founder == "owner" else ("member",)))
            self._finish(place, "member" if founder == "former" else founder)

    def _talk(self, place: Place, when: str, *writers: str) -> None:
        """Of each a message for each act that is tried on one's own, and one for the others'."""
        for who, act in itertools.product(writers, (*OWN, "others")):
            client_id, text = next(ids), f"{when}, {act}, of {who}"
            said = self.worker.messages.send(self.person(who), place.room, client_id, text)
            place.numbers[who, f"{when} {act}"] = said["seq"]
            place.sent.setdefault(who, (client_id, text))

    def _finish(self, place: Place, changer: str) -> None:
        """A change of what is early, and something that is deleted."""
        messages, member = self.worker.messages, self.person("member")
        place.deleted = messages.send(member, place.room, next(ids), f"{LATER}, to be deleted")["seq"]
        messages.delete(member, place.room, next(ids), place.deleted)
        changed = place.numbers[changer, f"{EARLY} others"]
        messages.send(member, place.room, next(ids), f"{LATER}, an answer", reply_to=changed)
        messages.edit(self.person(changer), place.room, next(ids), changed, f"{EARLY}, changed since")

    def _follow(self, place: Place) -> None:
        """Who is in the room now has a socket, where that is what is tried."""
        for member in self.worker.storage.rooms.members(place.room) if self._followed else ():
            if member.inside:
                self.worker.connect(self.person(member.username))


@pytest.fixture(scope="module", params=[False, True], ids=["by the tables", "as the worker follows it"])
def world(request: pytest.FixtureRequest, redis_url: str, dynamodb: str) -> World:
    config = Config(
        secret_key="x" * 43,
        redis_url=redis_url,
        dynamodb_endpoint=dynamodb,
        table_prefix=f"t{uuid.uuid4().hex[:8]}-",
        testing=True,
        bcrypt_cost=4,
    )
    redis_client.connect(redis_url).flushall()
    make_tables(config)
    return World(Worker(config, Wire()), request.param)


# --- what is asked ----------------------------------------------------------------------------------------------------


class Ask:
    """One question of one person about one room."""

    def __init__(self, world: World, kind: str, who: str, asked: str):
        self.place = world.place(kind, who, asked)
        self.room = self.place.room
        self.who = who
        self._world = world
        self._asked = asked
        self.me = world.someone() if who in ("stranger", "newcomer", "nowhere") else world.person(who)
        worker = world.worker
        self.memberships, self.overview = worker.memberships, worker.overview
        self.messages, self.history = worker.messages, worker.history
        self.read_positions, self.typing = worker.read_positions, worker.typing

    def __call__(self) -> str:
        """The word for the answer; of a refusal its code."""
        storage = self._world.worker.storage
        ask, target = _find(self._asked), self._target()
        before = storage.entries.head(self.room)
        try:
            return ask(self, target)
        except ChatError as refusal:
            assert storage.entries.head(self.room) == before, "what is refused takes no number"
            return refusal.code

    def _target(self) -> Any:
        """Whom, or which message, the line speaks of: somebody who may be lost by it is brought in first."""
        asked, numbers = self._asked, self.place.numbers
        when = EARLY if "early" in asked else LATER
        if asked.startswith(("invite", "remove", "leave to")):
            return self._whom()
        if "no message" in asked or self.who == "nowhere":
            return 1 if self.room != GENERAL.id else 10_000
        if "deleted" in asked:
            return self.place.deleted
        if " my " in asked:
            return numbers[self.who, f"{when} {asked.split()[0]}"]
        return numbers[self._another(when), f"{when} others"] if asked.endswith(" one") else None

    def _another(self, when: str) -> str:
        """Somebody else who wrote then."""
        writers = (who for who, what in self.place.numbers if what == f"{when} others")
        return next(who for who in writers if who != self.who)

    def _whom(self) -> str:
        whom = self._asked.split(" ", 1)[1].removeprefix("to ")
        if whom == "nobody":
            return "nobody-at-all"
        if whom == "the owner":
            return "former" if self.who == "former" else "owner"
        someone = self._world.someone().username
        if whom in ("who is there", "a member") and self.who != "nowhere":
            by = "owner" if (self.place.room != GENERAL.id and self.who != "former") else "member"
            self._world.invite(self.place, by, someone)
        return someone


Question = Callable[[Ask, Any], str]


def _listed(ask: Ask, _: Any) -> str:
    mine = ask.overview.rooms(ask.me)
    found = [word for word, name in (("listed", "rooms"), ("joinable", "joinable")) if _has(mine[name], ask.room)]
    return found[0] if len(found) == 1 else "hidden" if not found else "both"


def _has(rooms: list[dict[str, Any]], room: str) -> bool:
    return any(each["room"] == room for each in rooms)


def _seen(page: Page) -> str:
    """What of the room somebody is shown: everything goes into it that a page carries."""
    told = str(page.to_dict())
    if EARLY in told:
        return "all"
    oldest = [entry.seq for entry in page.entries] + [shown.seq for shown in (*page.messages, *page.quotes)]
    assert min(oldest, default=page.start) >= page.start, page
    return "since" if LATER in told else "none"


def _written(answer: dict[str, Any]) -> str:
    return "ok" if "rev" in answer else "seq" if answer.keys() == {"seq"} else str(answer)


def _done(answer: None) -> str:
    return "ok"


QUESTIONS: dict[str, Question] = {
    "the list": _listed,
    "join": lambda a, _: "ok" if a.memberships.join(a.me, next(ids), a.room)["room"] == a.room else "another",
    "leave": lambda a, _: _done(a.memberships.leave(a.me, next(ids), a.room)),
    "leave to": lambda a, whom: _done(a.memberships.leave(a.me, next(ids), a.room, whom)),
    "invite": lambda a, whom: _done(a.memberships.invite(a.me, next(ids), a.room, whom)),
    "remove": lambda a, whom: _done(a.memberships.remove(a.me, next(ids), a.room, whom)),
    "members": lambda a, _: "ok" if _is_in(a.overview.members(a.me, a.room), a.me) else "without me",
    "the newest page": lambda a, _: _seen(a.history.page(a.me, a.room, 200)),
    "a page after nothing": lambda a, _: _seen(a.history.page(a.me, a.room, 200, after=0)),
    "a page before": lambda a, seq: _seen(a.history.page(a.me, a.room, 200, before=seq)),
    "a page around": lambda a, seq: _seen(a.history.page(a.me, a.room, 200, around=seq)),
    "send by http": lambda a, _: _written(a.messages.send(a.me, a.room, next(ids), LATER)),
    "open after the first entry": lambda a, _: _seen(a.history.open(a.me, a.room, 1)),
    "open": lambda a, _: _seen(a.history.open(a.me, a.room, 0)),
    "read": lambda a, _: "ok" if a.read_positions.move(a.me, a.room, 3) >= 3 else "not moved",
    "start typing": lambda a, _: _done(a.typing.tell(a.me, a.room, True)),
    "stop typing": lambda a, _: _done(a.typing.tell(a.me, a.room, False)),
    "send again": lambda a, _: _written(a.messages.send(a.me, a.room, *a.place.sent[a.who])),
    "send": lambda a, _: _written(a.messages.send(a.me, a.room, next(ids), LATER, seen=1)),
    "reply to": lambda a, seq: _written(a.messages.send(a.me, a.room, next(ids), LATER, reply_to=seq)),
    "edit": lambda a, seq: _written(a.messages.edit(a.me, a.room, next(ids), seq, f"{LATER}, edited")),
    "delete": lambda a, seq: _written(a.messages.delete(a.me, a.room, next(ids), seq)),
    "react": lambda a, seq: _written(a.messages.react(a.me, a.room, next(ids), seq, "👍", True)),
    "unreact": lambda a, seq: _written(a.messages.react(a.me, a.room, next(ids), seq, "🎉", False)),
    "who reacted": lambda a, seq: "ok" if isinstance(a.history.who_reacted(a.me, a.room, seq), dict) else "?",
}


def _find(asked: str) -> Question:
    """The question that the line begins with, the longest of them."""
    return QUESTIONS[max((name for name in QUESTIONS if asked.startswith(name)), key=len)]


def _is_in(members: list[dict[str, str]], person: Person) -> bool:
    return person.username in [member["username"] for member in members]


# --- the cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ALL_LINES)
def test_everybody_gets_what_the_table_says(world: World, asked: str) -> None:
    for kind, table in EXPECTED.items():
        expected = {who: REFUSALS.get(word, word) for who, word in table.get(asked, {}).items()}
        answers = {who: Ask(world, kind, who, asked)() for who in expected}
        assert answers == expected, f"in a {kind or 'general or no'} room"


def test_every_line_of_the_table_belongs_to_a_door_and_is_in_every_kind_of_room() -> None:
    assert len(ALL_LINES) == len(set(ALL_LINES))
    for kind in ("private", "public"):
        assert set(EXPECTED[kind]) == set(ALL_LINES)
    assert set(ALL_LINES) - set(EXPECTED[""]) == {"remove the owner"}, "nobody owns general"
    assert CELLS >= 500
