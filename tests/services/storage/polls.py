"""Polls, a noun that the product does not have. A vote counts with the message that casts it, or not at all.

`chat`: `POLL#<room>#<poll>`/`STATE` says whether it is open, /`TALLY` how many have voted, /`BY#<user>` that somebody
has.
"""

from __future__ import annotations

from chat.errors import ChatError
from chat.services.storage.client import Client
from chat.services.storage.facts import Fact, Write, again, final, put_new, update
from chat.services.storage.rows import Row
from chat.services.storage.values import pack


def poll_key(room: str, poll: str, what: str) -> Row:
    """Where that lies of a poll."""
    return {"pk": f"POLL#{room}#{poll}", "sk": what}


def vote_fact(room: str, poll: str, username: str) -> Fact:
    """Somebody votes, and has not before. Its error, for good: `reactions_full`."""
    row = poll_key(room, poll, f"BY#{username}") | {"username": username}
    return Fact((put_new("chat", row),), final(ChatError("reactions_full", "You have voted.")))


def open_fact(room: str, poll: str) -> Fact:
    """The poll is open. Its error, for good: `expired`."""
    check = {
        "Key": pack(poll_key(room, poll, "STATE")),
        "ConditionExpression": "#open = :yes",
        "ExpressionAttributeNames": {"#open": "open"},
        "ExpressionAttributeValues": pack({":yes": True}),
    }
    return Fact((Write("chat", "ConditionCheck", check),), final(ChatError("expired", "This poll is closed.")))


def tally_fact(room: str, poll: str, before: int) -> Fact:
    """One vote more than there were when it was judged; after others it is judged again, and late it is `busy`."""
    condition = "#votes = :before" if before else "attribute_not_exists(#votes)"
    values = {":before": before} if before else None
    write = update("chat", poll_key(room, poll, "TALLY"), {"votes": before + 1}, condition, values)
    return Fact((write,), again(ChatError("busy")))


class PollRows:
    """The rows of polls."""

    def __init__(self, client: Client):
        self._client = client

    def set_open(self, room: str, poll: str, open_: bool) -> None:
        """Opens or closes a poll."""
        row = poll_key(room, poll, "STATE") | {"open": open_}
        self._client.call("put_item", TableName=self._client.table("chat"), Item=pack(row))

    def tally(self, room: str, poll: str) -> int:
        """How many votes were counted."""
        row = self._client.get("chat", poll_key(room, poll, "TALLY"))
        return row["votes"] if row else 0

    def voters(self, room: str, poll: str) -> list[str]:
        """Who has voted."""
        return [row["username"] for row in self._client.partition("chat", f"POLL#{room}#{poll}", "BY#")]
