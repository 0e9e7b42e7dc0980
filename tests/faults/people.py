"""The people of a run: who they are, in which rooms, with which devices; and the evidence of what happened to them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from chat.services.storage.storage import Storage
from tests.e2e.parley import PASSWORD, Person
from tests.faults.checker import Evidence, scan
from tests.faults.days import miscounts
from tests.faults.fleet import Fleet

AT_ONCE = 4
PAGE = 200


@dataclass(frozen=True)
class Door:
    """An address of the product, as tests.e2e.parley.Person wants it."""

    url: str


@dataclass
class People:
    """People behind the devices of one fleet. `urls` are the product's addresses, of which a device draws one at each
    connect; HTTP goes to the first."""

    fleet: Fleet
    storage: Storage
    urls: Sequence[str]
    dice: random.Random
    persons: dict[str, Person] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)  # device → user
    rooms: dict[str, list[str]] = field(default_factory=dict)  # room → its first members, the owner first
    public: set[str] = field(default_factory=set)

    # --- people and rooms -----------------------------------------------------------------------------------------

    def enrol(self, *names: str) -> None:
        """These people have accounts and a session each."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.persons.update(zip(names, pool.map(self._enrol, names), strict=True))

    def _enrol(self, name: str) -> Person:
        person = Person(Door(self.urls[0]), name)  # type: ignore[arg-type]  # of a product it uses the address only
        status, answer = person.post("/api/auth/register", username=name, password=PASSWORD)
        assert status == 201, answer
        person.sign_in()
        return person

    def device(self, client: str, user: str, **settings: Any) -> str:
        """Another device of somebody, on their session; `settings` as Fleet.add has them."""
        self.devices[client] = user
        urls = settings.pop("urls", self.urls)
        self.fleet.add(client, user, self.persons[user].cookie, urls, **settings)
        return client

    def room(self, name: str, *members: str, kind: str = "private") -> str:
        """A room of the first of these people with all of them in it; returns its id."""
        owner, *others = (self.persons[member] for member in members)
        room = owner.room(name, *others, kind=kind)
        self.rooms[room] = list(members)
        if kind == "public":
            self.public.add(room)
        return room

    def remove(self, room: str, user: str) -> None:
        """The owner puts somebody out."""
        status, answer = self.persons[self.rooms[room][0]].act(room, "remove", username=user)
        assert status == 204, answer
        self.fleet.removed(user, room)
        self.rooms[room].remove(user)

    def devices_of(self, *users: str) -> list[str]:
        return [client for client, user in self.devices.items() if user in users]

    def crash(self, share: float) -> None:
        """This share of the devices crash and come back."""
        self.fleet.crash(self.dice.sample(sorted(self.devices), max(1, round(share * len(self.devices)))))

    # --- the end --------------------------------------------------------------------------------------------------

    def settle(self, within_s: float = 45.0, patient: bool = True) -> bool:
        """Waits until every outbox is empty and every member's device has come to the end of its rooms; False when
        that does not happen. Not `patient`: stops waiting as soon as only cursors are missing and none has moved for
        five seconds, as with a bug that keeps them back."""
        deadline, moved_at, last = time.monotonic() + within_s, time.monotonic(), None
        while time.monotonic() < deadline:
            state = self.fleet.state()
            behind = self._behind(state)
            pending = sum(device["pending"] for device in state.values())
            if not behind and not pending:
                return True
            if last != (behind, pending):
                last, moved_at = (behind, pending), time.monotonic()
            if not patient and not pending and time.monotonic() - moved_at > 5:
                return False
            time.sleep(0.2)
        return False

    def _behind(self, state: dict[str, dict[str, Any]]) -> dict[tuple[str, str], int]:
        heads = {room: self.storage.entries.head(room) for room in self.rooms}
        return {
            (client, room): state[client]["cursors"].get(room, 0)
            for room, head in heads.items()
            for client in self.devices_of(*self.rooms[room])
            if not state[client]["away"] and state[client]["cursors"].get(room, 0) < head
        }

    def evidence(self, patient: bool = True) -> Evidence:
        """What a run has left, once it is quiet: call `fleet.load()` first."""
        quiet = self.settle(patient=patient)
        newcomer = f"newcomer{self.dice.randrange(10**9)}"
        self.enrol(newcomer)
        for room in sorted(self.public):
            assert self.persons[newcomer].act(room, "join")[0] == 200
            self.rooms[room].append(newcomer)
        if quiet:
            self.settle(patient=patient)
        readers = {room: newcomer if room in self.public else members[0] for room, members in self.rooms.items()}
        fresh = {room: everything(self.persons[reader], room) for room, reader in readers.items()}
        listed = {(user, room["room"]): room for user in self.persons for room in lists(self.persons[user])}
        wrong = miscounts(self.storage, self.rooms) if patient else []
        return Evidence(self.fleet.history(), scan(self.storage, self.rooms), fresh, listed=listed, miscounts=wrong)


def lists(person: Person) -> list[dict[str, Any]]:
    """This person's rooms as they are listed to them, if they have a session and it is given out within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status, answer = person.get("/api/rooms")
        if status != 503:
            return list(answer["rooms"]) if status == 200 else []
    return []


def everything(person: Person, room: str) -> dict[str, Any]:
    """A room's whole history by HTTP: `{entries, messages}`; of a message that is on several pages, its newest
    snapshot. As far as it is given out within ten seconds."""
    entries: list[dict[str, Any]] = []
    snapshots: dict[int, dict[str, Any]] = {}
    more, deadline = True, time.monotonic() + 10
    while more and time.monotonic() < deadline:
        status, page = person.get(f"/api/rooms/{room}/messages?after={len(entries)}&limit={PAGE}")
        if status == 503:
            continue
        assert status == 200, page
        new = [entry for entry in page["entries"] if entry["seq"] > len(entries)]
        entries += new
        for snapshot in page["messages"]:
            if snapshot["seq"] not in snapshots or snapshots[snapshot["seq"]]["rev"] <= snapshot["rev"]:
                snapshots[snapshot["seq"]] = snapshot
        more = page["more"] and bool(new)
    return {"entries": entries, "messages": list(snapshots.values())}
