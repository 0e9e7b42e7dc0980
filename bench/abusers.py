"""People who mean harm, for bench/hostile.py: `python -m bench.abusers PORT URL NUMBER [WAY…]`.

Each has a thread and one way, ten times a second or for as long as it is let, and comes back when it is thrown out. It
says when all have begun, ends at a line on stdin, and prints how often each way was gone.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from chat.sockets.transport.frames import TEXT
from tests.e2e.parley import PASSWORD, Person, new_id
from tests.faults.people import Door
from tests.transport.peers import Peer, handshake, masked

COMPRESSED = 0x40  # a flag of permessage-deflate, which nobody agreed to
PAUSE_S = 0.1  # between two goes of one: a hundred of them share the cores with everybody else
WITHIN_S = 0.02  # between two of the same connection
ACCOUNTS = 10


@dataclass
class Abuser:
    """`go` until `over`."""

    port: int
    person: Person
    over: threading.Event
    dice: random.Random
    did: Counter[str] = field(default_factory=Counter)

    def live(self, way: str) -> None:
        while not self.over.wait(PAUSE_S):
            try:
                WAYS[way](self)
            except (OSError, AssertionError, ValueError):
                self.did[f"{way}: thrown out"] += 1

    def socket(self, **more: int) -> Peer:
        """Connected, as somebody who is signed in."""
        peer = Peer(self.port, Cookie=self.person.cookie, **more)  # type: ignore[arg-type]
        peer.say("40")
        while text := peer.text():
            if text.startswith("40"):
                return peer
        raise ConnectionResetError

    def count(self, way: str) -> bool:
        """Counts one go; whether to go on."""
        self.did[way] += 1
        return not self.over.is_set()


def flood(abuser: Abuser) -> None:
    """Messages without waiting for any answer."""
    with abuser.socket() as peer:
        peer.sock.settimeout(1)
        while abuser.count("flood"):
            for _ in range(20):
                message = {"room": "general", "client_id": new_id(), "text": "x" * 200, "after": 0}
                peer.say(f'42["message:send",{json.dumps(message)}]')
            time.sleep(WITHIN_S)


def nonsense(abuser: Abuser) -> None:
    """Events that nobody knows, packets that are none, attachments that never come."""
    with abuser.socket() as peer:
        while abuser.count("nonsense"):
            peer.say(abuser.dice.choice(['42["typing"]', "42[{}]", "451-[{}]", "9", "42{", '427["room:open",7,7]']))
            time.sleep(WITHIN_S)


def large(abuser: Abuser) -> None:
    """A frame that says it has 200 MB, and then as much of it as the server takes."""
    with abuser.socket() as peer:
        abuser.count("large frame")
        peer.sock.sendall(masked(TEXT, b"", size=200_000_000))
        for _ in range(100):
            peer.sock.sendall(bytes(1 << 16))


def compressed(abuser: Abuser) -> None:
    """What would be hundreds of megabytes once it is unpacked."""
    with abuser.socket() as peer:
        abuser.count("compressed frame")
        peer.sock.sendall(masked(TEXT, os.urandom(60_000), flags=COMPRESSED))
        peer.text()


def deaf(abuser: Abuser) -> None:
    """Asks for the newest page of everybody's room, again and again, and reads nothing."""
    with abuser.socket(receive_buffer=4096) as peer:
        peer.sock.settimeout(1)
        while abuser.count("deaf"):
            peer.say(f'42{abuser.dice.randrange(1000)}["room:open",{{"room":"general","after":0}}]')
            time.sleep(WITHIN_S)


def dribble(abuser: Abuser) -> None:
    """The head of a request, a byte at a time."""
    with socket.create_connection(("127.0.0.1", abuser.port), 5) as sock:
        for byte in handshake(abuser.port):
            sock.sendall(bytes([byte]))
            if not abuser.count("dribble"):
                return
            time.sleep(0.1)


def churn(abuser: Abuser) -> None:
    """Comes and goes."""
    with abuser.socket():
        abuser.count("connect")


def strangers(abuser: Abuser) -> None:
    """Sockets of somebody who is not signed in, and does not even connect."""
    held = [Peer(abuser.port) for _ in range(10)]
    abuser.count("stranger")
    abuser.over.wait(2)
    for peer in held:
        peer.sock.close()


def passwords(abuser: Abuser) -> None:
    """Guesses at what is somebody's password."""
    somebody = Person(abuser.person.parley, f"c{abuser.dice.randrange(100)}")
    status, _ = somebody.post("/api/auth/login", username=somebody.name, password=new_id())
    abuser.count(f"password: {status}")


def pages(abuser: Abuser) -> None:
    """Asks for what costs most: all rooms, and pages of history."""
    abuser.person.get("/api/rooms")
    status, _ = abuser.person.get("/api/rooms/general/messages?limit=200")
    abuser.count(f"page: {status}")


WAYS: dict[str, Callable[[Abuser], None]] = {
    way.__name__: way for way in (flood, nonsense, large, compressed, deaf, dribble, churn, strangers, passwords, pages)
}


def main(port: int, url: str, number: int, ways: list[str]) -> None:
    people = [Person(Door(url), f"mallory{k}") for k in range(ACCOUNTS)]  # type: ignore[arg-type]
    for person in people:
        person.post("/api/auth/register", username=person.name, password=PASSWORD)
        person.sign_in()
    over = threading.Event()
    abusers = [Abuser(port, people[k % ACCOUNTS], over, random.Random(k)) for k in range(number)]
    threads = [
        threading.Thread(target=abuser.live, args=(ways[k * len(ways) // number],), daemon=True)
        for k, abuser in enumerate(abusers)
    ]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    sys.stdin.readline()
    over.set()
    time.sleep(1)
    print(json.dumps(sum((abuser.did for abuser in abusers), Counter())), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:] or list(WAYS))
