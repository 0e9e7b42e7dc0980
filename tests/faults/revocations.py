"""Sessions revoked under traffic: how long after it anything still reaches their sockets.

`python -m tests.faults.revocations --trials 1000 --at-a-time 100` runs the product with two workers, keeps a room busy,
signs 100 people in with two sockets each, ends their sessions in every way there is, and says what it measured. The
same with Redis or a worker stopped meanwhile, and with Redis emptied under 500 sockets. Exits with 1 when anything of
the room arrived later than two seconds after a revoke, or a socket was not closed by then.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import wait_until
from tests.e2e.parley import PASSWORD, Parley, Person, children
from tests.faults.sockets import Seen, Sockets

ROOM = "general"
BOUND_S = 2.0
FLUSH_BOUND_S = 5.0
SOCKETS_EACH = 2
SIDE_BY_SIDE = 8
SPREAD_S = 3.0  # the revokes of one round are spread over this time
STOPPED_S = 4.0
SETTINGS = {
    "WORKERS": "2", "SOCKETS_PER_ADDRESS": "2000", "SOCKETS_PER_WORKER": "2000", "REGISTRATIONS_PER_ADDRESS": "10000",
    "READS_PER_USER": "5000", "LOGINS_PER_ACCOUNT": "10000",
    "SENDS_PER_USER": "5000", "LOGIN_FAILURES_PER_ADDRESS": "10000",
}  # fmt: skip


@dataclass
class Member:
    """Somebody with a session that will be revoked, and another one at a second device."""

    person: Person
    second: Person
    password: str = PASSWORD

    def sign_in(self, sessions: int = 2) -> None:
        for device in (self.person, self.second)[:sessions]:
            device.cookie = ""
            status, answer = device.post("/api/auth/login", username=device.name, password=self.password)
            assert status == 200, answer

    @property
    def key(self) -> str:
        return "session:" + self.person.cookie.split("=", 1)[1]


def log_out(member: Member) -> None:
    assert member.person.post("/api/auth/logout")[0] == 204


def end_from_second(member: Member) -> None:
    [mine] = [each["id"] for each in member.person.get("/api/auth/sessions")[1]["sessions"] if each["current"]]
    assert member.second.request("DELETE", f"/api/auth/sessions/{mine}")[0] == 204


def log_out_everywhere(member: Member) -> None:
    assert member.second.request("DELETE", "/api/auth/sessions")[0] == 204


def change_password(member: Member) -> None:
    new = member.password[::-1]
    assert member.second.post("/api/auth/password", password=member.password, new_password=new)[0] == 200
    member.password = new


def delete_key(member: Member) -> None:
    assert member.person.parley.redis.delete(member.key) == 1


def expire(member: Member) -> None:
    assert member.person.parley.redis.pexpire(member.key, 1) == 1


REVOKES: dict[Callable[[Member], None], str] = {
    log_out: "logout",
    end_from_second: "elsewhere",
    log_out_everywhere: "everywhere",
    change_password: "password",
    delete_key: "expired",
    expire: "expired",
}


@dataclass
class Measured:
    """Seconds after the revoke began: the last that arrived of the room, being told, being closed; one per session.
    `written_s` counts from when the revoke was answered, to when the last message that arrived had been written."""

    name: str
    content_s: list[float] = field(default_factory=list)
    written_s: list[float] = field(default_factory=list)
    told_s: list[float] = field(default_factory=list)
    closed_s: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    contents: int = 0

    def add(self, sockets: Sockets, ids: list[str], revoked_at: float, done_at: float, reason: str | None) -> None:
        """A session that was to end at `revoked_at` and was over at `done_at`."""
        seen = sockets.seen(ids).values()
        self.contents += sum(each.contents for each in seen)
        self.content_s.append(max(each.content_at for each in seen) - revoked_at)
        self.written_s.append(max(each.written_at for each in seen) - done_at)
        self.closed_s.append(max(each.closed_at or float("inf") for each in seen) - revoked_at)
        told = [each.ended_at for each in seen if each.ended_at]
        if told:
            self.told_s.append(max(told) - revoked_at)
        for each in seen:
            if reason is not None and each.reason != reason:
                self.wrong[f"{reason} told as {each.reason}"] += 1

    def late(self, bound_s: float = BOUND_S) -> int:
        """How many sessions got something of the room later than that."""
        return sum(each > bound_s for each in self.content_s)

    def outlived(self, bound_s: float = BOUND_S) -> int:
        """How many sessions got a message that was written only so long after they were over. Unlike what is late, none
        does because this machine is busy: the product looks at the clock before each delivery."""
        return sum(each > bound_s for each in self.written_s)

    def unclosed(self, bound_s: float = BOUND_S) -> int:
        """How many sessions had a socket open for longer than that."""
        return sum(each > bound_s for each in self.closed_s)

    def __str__(self) -> str:
        lines = [f"{self.name}: {len(self.content_s)} sessions, {self.contents} deliveries before, {self.late()} late"]
        for what, values in (("last delivery", self.content_s), ("told", self.told_s), ("closed", self.closed_s)):
            if values:
                p50, p99, most = quantile(values, 0.5), quantile(values, 0.99), max(values)
                lines.append(f"  {what:<14} p50 {p50:6.2f} s   p99 {p99:6.2f} s   max {most:6.2f} s")
        return "\n".join(lines + [f"  wrong: {what} × {times}" for what, times in self.wrong.items()])


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """These processes stand still meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class Revocations:
    """A running product, its busy room, and people whose sessions come and go."""

    def __init__(self, parley: Parley, sockets: Sockets, people: int, per_s: float, seed: int, spread_s: float):
        self.parley = parley
        self.sockets = sockets
        self._spread_s = spread_s
        self._random = random.Random(seed)
        self._round = 0
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE)
        senders = [parley.person("Sender") for _ in range(2)]
        sockets.open({f"sender-{n}": sender.cookie for n, sender in enumerate(senders)}, reconnects=True)
        for n in range(len(senders)):
            sockets.chatter(f"sender-{n}", ROOM, per_s / len(senders))
        self._senders = [f"sender-{n}" for n in range(len(senders))]
        self.members = list(self._threads.map(lambda n: self._member(n), range(people)))

    def _member(self, number: int) -> Member:
        person = Person(self.parley, f"member{number}")
        assert person.post("/api/auth/register", username=person.name, password=PASSWORD)[0] == 201
        return Member(person, Person(self.parley, person.name))

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        arbiter = self.parley.pid_of("chat.embedded.web")
        return sorted(children(arbiter) & self.parley.pids())

    def acked(self) -> int:
        """How many messages the traffic has had acked so far."""
        return sum(seen.acked for seen in self.sockets.seen(self._senders).values())

    def enter(self, members: list[Member]) -> dict[int, list[str]]:
        """Signs them in and opens their sockets; returns the sockets' ids by member, once each has got something."""
        self._round += 1
        list(self._threads.map(lambda member: member.sign_in(), members))
        ids = {n: [f"{self._round}-{n}-{k}" for k in range(SOCKETS_EACH)] for n in range(len(members))}
        self.sockets.open({id: members[n].person.cookie for n, mine in ids.items() for id in mine})
        self._all(ids, lambda seen: seen.contents > 3, "everybody gets the traffic")
        return ids

    def _all(self, ids: dict[int, list[str]], check: Callable, what: str, within_s: float = 30.0) -> None:
        every = [id for mine in ids.values() for id in mine]

        def left() -> dict[str, Seen]:
            return {id: seen for id, seen in self.sockets.seen(every).items() if not check(seen)}

        try:
            wait_until(lambda: not left(), within_s, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\nfor {left()}\nsenders {self.sockets.seen(self._senders)}") from error

    def leave(self, ids: dict[int, list[str]]) -> None:
        self.sockets.forget(id for mine in ids.values() for id in mine)

    def under_traffic(self, measured: Measured, number: int, ways: Iterable[Callable] = REVOKES) -> None:
        """One round: so many sessions, each revoked at a moment and in a way of its own."""
        ways = list(ways)
        members = self.members[:number]
        ids = self.enter(members)
        self._random.shuffle(ways)
        plans = [(self._random.uniform(0, self._spread_s), ways[n % len(ways)]) for n in range(len(members))]
        began = time.time()

        def revoke(n: int) -> tuple[float, float, str]:
            wait_s, how = plans[n]
            time.sleep(max(0.0, began + wait_s - time.time()))
            at = time.time()
            how(members[n])
            return at, time.time(), REVOKES[how]

        order = sorted(ids, key=lambda n: plans[n][0])
        revoked = dict(zip(order, self._threads.map(revoke, order), strict=True))
        self._all(ids, lambda seen: seen.closed_at, "every socket is closed")
        for n, mine in ids.items():
            measured.add(self.sockets, mine, *revoked[n])
        self.leave(ids)

    def while_stopped(
        self, measured: Measured, number: int, pids: list[int], before: Callable, after: Callable
    ) -> None:
        """One round: sessions whose keys go just before (or after) these processes are stopped."""
        members = self.members[:number]
        ids = self.enter(members)
        keys = [member.key for member in members]
        before(keys)
        revoked_at = time.time()
        with stopped(pids):
            after(keys)
            done_at = time.time()
            time.sleep(STOPPED_S)
        self._all(ids, lambda seen: seen.closed_at, "every socket is closed")
        for mine in ids.values():
            measured.add(self.sockets, mine, revoked_at, done_at, None)
        self.leave(ids)

    def emptied(self, measured: Measured, number: int) -> None:
        """Redis is emptied under so many sockets."""
        members = self.members[: number // SOCKETS_EACH]
        ids = self.enter(members)
        flushed_at = time.time()
        self.parley.redis.flushall()
        done_at = time.time()
        self._all(ids, lambda seen: seen.closed_at, "every socket is closed")
        for mine in ids.values():
            measured.add(self.sockets, mine, flushed_at, done_at, "expired")
        statuses = set(self._threads.map(lambda member: member.person.get("/api/auth/protected")[0], members))
        assert statuses == {401}, statuses
        self.leave(ids)


@contextmanager
def running(people: int, per_s: float, seed: int, spread_s: float = SPREAD_S) -> Iterator[Revocations]:
    """The product with two workers and a busy room."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Parley(Path(folder) / "data", **SETTINGS) as parley,
        Sockets(parley.url) as sockets,
    ):
        yield Revocations(parley, sockets, people, per_s, seed, spread_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--at-a-time", type=int, default=100)
    parser.add_argument("--stops", type=int, default=5, help="rounds with Redis stopped, and with a worker stopped")
    parser.add_argument("--sockets", type=int, default=500, help="open when Redis is emptied")
    parser.add_argument("--per-s", type=float, default=20.0, help="messages a second in the room")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    late = 0
    people = max(options.at_a_time, options.sockets // SOCKETS_EACH)
    with running(people, options.per_s, options.seed) as revocations:
        redis = revocations.parley.redis
        trials = Measured("revoked under traffic, in every way")
        while len(trials.content_s) < options.trials:
            revocations.under_traffic(trials, min(options.at_a_time, options.trials - len(trials.content_s)))
        print(trials, flush=True)
        swept = Measured("found by the sweep alone (key events off)")
        redis.config_set("notify-keyspace-events", "")
        revocations.under_traffic(swept, options.at_a_time, (delete_key, expire))
        print(swept, flush=True)
        late += sum(each.late() + each.unclosed() + sum(each.wrong.values()) for each in (trials, swept))
        delete = lambda keys: redis.delete(*keys)  # noqa: E731
        nothing = lambda keys: None  # noqa: E731
        server = [revocations.parley.pid_of("redis-server")]
        for name, pids, before, after in (
            ("keys deleted, then Redis stopped", lambda: server, delete, nothing),
            ("keys deleted while a worker is stopped", lambda: revocations.workers[:1], nothing, delete),
            ("keys deleted, then both workers stopped", lambda: revocations.workers, delete, nothing),
        ):
            measured = Measured(name)
            for _ in range(options.stops):
                revocations.while_stopped(measured, options.at_a_time, pids(), before, after)
            print(measured, flush=True)
            late += measured.late()
        flushed = Measured(f"Redis emptied under {options.sockets} sockets")
        revocations.emptied(flushed, options.sockets)
        print(flushed, flush=True)
        late += flushed.late() + flushed.unclosed(FLUSH_BOUND_S) + sum(flushed.wrong.values())
        said = [line for line in revocations.parley.stderr().splitlines() if line and not line.startswith("{")]
        for line, times in Counter(line.partition("] ")[2][:160] for line in said).most_common(12):
            print(f"the product said {times} times: {line}")
    print("late or wrong:", late)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
