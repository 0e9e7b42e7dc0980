"""Faults of the core, one line each, and the tests that must notice them: what a faster suite may not lose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """In `file` the text `old`, which stands there once, becomes `new`; one of the `guards`, paths of tests, must
    fail."""

    name: str
    file: str
    old: str
    new: str
    guards: tuple[str, ...]

    def planted(self, source: str) -> str:
        """That source with the fault in it. Raises: ValueError when the old text is not there once."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: its old text stands {source.count(self.old)} times in {self.file}")
        return source.replace(self.old, self.new)


MUTANTS = (
    # --- the log --------------------------------------------------------------------------------------------------
    Mutant(
        "a slot is written over whoever has it",
        "chat/services/appends.py",
        '("slot", self.put_new("messages", rows.log_row(entry, own_image)))',
        '("slot", {"Put": {"TableName": self._table("messages"), "Item": pack(rows.log_row(entry, own_image))}})',
        ("tests/services/test_log.py", "tests/services/test_commits.py"),
    ),
    Mutant(
        "a claim is written whether it stands or not",
        "chat/services/appends.py",
        '("claim", self.put_new("chat", rows.claim_row(proof)))',
        '("claim", {"Put": {"TableName": self._table("chat"), "Item": pack(rows.claim_row(proof))}})',
        ("tests/services/test_log.py",),
    ),
    Mutant(
        "a tombstone is told and not written",
        "chat/services/log.py",
        "if self._storage.tombstone(room.room, number, at_ms):",
        "if number:",
        ("tests/services/test_log.py", "tests/services/test_followers.py"),
    ),
    Mutant(
        "a decided number does not raise the head",
        "chat/services/numbers.py",
        "        if seq > self._known.get(room, 0):\n            self._known[room] = seq",
        "        self._known.setdefault(room, seq)",
        ("tests/services/test_log.py", "tests/services/test_numbers.py"),
    ),
    Mutant(
        "an append is answered before it is written",
        "chat/services/commits.py",
        "                gevent.spawn(self._depart)\n            passenger.ended.wait()\n",
        "                gevent.spawn(self._depart)\n",
        ("tests/services/test_commits.py",),
    ),
    Mutant(
        "those of one call hear in the order in which they came",
        "chat/services/commits.py",
        "in sorted(zip(batch, ends, strict=True), key=lambda pair: pair[0].append.entry.seq):",
        "in zip(batch, ends, strict=True):",
        ("tests/services/test_commits.py",),
    ),
    # --- reading and writing --------------------------------------------------------------------------------------
    Mutant(
        "who opens a room again misses the next entry",
        "chat/services/messages.py",
        "return self._after(person, room, membership, after, MAX_PAGE)",
        "return self._after(person, room, membership, after + 1, MAX_PAGE)",
        ("tests/services/test_messages.py", "tests/services/test_machine.py"),
    ),
    Mutant(
        "whoever knows a room may speak in it",
        "chat/services/messages.py",
        '        request = ("send", room_id, text, reply_to)\n        try:\n'
        "            room, membership = self._rooms.require(person, room_id)\n",
        '        request = ("send", room_id, text, reply_to)\n        try:\n'
        "            room = self._rooms.get(room_id)\n"
        "            membership = Membership(room_id, person.username, person.name, inside=True)\n",
        ("tests/services/test_messages.py",),
    ),
    Mutant(
        "who left while a page was read still gets it",
        "chat/services/messages.py",
        "if now is None or not now.inside or now.start != membership.start:",
        "if now is None:",
        ("tests/services/test_messages.py",),
    ),
    Mutant(
        "a message below the floor may be changed",
        "chat/services/messages.py",
        "if seq >= max(membership.start, room.floor) else None",
        "if seq >= membership.start else None",
        ("tests/services/test_retention.py",),
    ),
    Mutant(
        "a room's members may put its owner out, and its owner nobody",
        "chat/services/rooms.py",
        "if room.owner != person.username:",
        "if room.owner == person.username:",
        ("tests/services/test_rooms.py",),
    ),
    Mutant(
        "reactions to other messages of a room join the first",
        "chat/services/reactions.py",
        "place = room.room, seq\n",
        "place = room.room, 0\n",
        ("tests/services/test_reactions_together.py",),
    ),
    Mutant(
        "a message holds one emoji too many",
        "chat/services/reactions.py",
        "len(message.reactions) >= MAX_EMOJI)",
        "len(message.reactions) > MAX_EMOJI)",
        ("tests/services/test_reactions.py",),
    ),
    # --- followers and the bus ------------------------------------------------------------------------------------
    Mutant(
        "entries of another generation are delivered",
        "chat/services/followers.py",
        "        if follower is not None and follower.room.generation == generation:\n",
        "        if follower is not None:\n",
        ("tests/services/test_followers.py",),
    ),
    Mutant(
        "a change is shown with an older image",
        "chat/services/followers.py",
        "if seq in images and images[seq].rev < rev}",
        "if seq in images and images[seq].rev < 1}",
        ("tests/services/test_messages.py", "tests/services/test_followers.py"),
    ),
    Mutant(
        "a single event that the bus lost raises no doubt",
        "chat/services/bus.py",
        "if number > last + 1:",
        "if number > last + 2:",
        ("tests/services/test_bus.py",),
    ),
    # --- rows of others, and what is no longer kept ---------------------------------------------------------------
    Mutant(
        "a change of a row that was taken over is taken over again",
        "chat/services/appends.py",
        "#number < :number)",
        "#number <= :number)",
        ("tests/services/test_ingest.py",),
    ),
    Mutant(
        "retention deletes the first entry that is kept",
        "chat/services/retention.py",
        "if entry.seq < floor]",
        "if entry.seq <= floor]",
        ("tests/services/test_retention.py",),
    ),
    # --- sessions and sockets -------------------------------------------------------------------------------------
    Mutant(
        "a session of an earlier epoch lives on",
        "chat/services/sessions.py",
        "and session.epoch == epochs.get(username):",
        "and username in epochs:",
        ("tests/services/test_sessions.py",),
    ),
    Mutant(
        "a sweep ends with its first part",
        "chat/sockets/sessions.py",
        "while part := dict(islice(rest, AT_ONCE)):",
        "if part := dict(islice(rest, AT_ONCE)):",
        ("tests/sockets/test_sessions.py",),
    ),
    Mutant(
        "deliveries go on while Redis is silent",
        "chat/sockets/connections.py",
        "return not self.ended and clock() - self.checked_at <= PAUSE_S",
        "return not self.ended",
        ("tests/sockets/test_sessions.py",),
    ),
    Mutant(
        "who connects together with others is given the rooms of the first",
        "chat/sockets/fanout.py",
        "return self._together(person.username, person, ",
        'return self._together("rooms", person, ',
        ("tests/sockets/test_connect.py",),
    ),
    Mutant(
        "a worker that hears nothing retreats though nobody hears",
        "chat/services/workers.py",
        "return moved and self._bus.deaf_s > ALONE_AFTER_S",
        "return self._bus.deaf_s > ALONE_AFTER_S",
        ("tests/services/test_workers.py",),
    ),
    Mutant(
        "what waits for a client that does not read has no bound",
        "chat/sockets/transport/outbox.py",
        "if self._too_much(MAX_PACKETS, MAX_BYTES) and not self._full:",
        "if self._too_much(HARD_PACKETS, HARD_BYTES) and not self._full:",
        ("tests/transport/test_outbox.py",),
    ),
)
