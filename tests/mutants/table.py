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
    # --- what was mended once -------------------------------------------------------------------------------------
    Mutant(
        "a name is folded before it is measured",
        "chat/services/names.py",
        'unicodedata.normalize("NFKC", typed).casefold() if len(typed) <= TYPED_CHARS else None',
        'unicodedata.normalize("NFKC", typed).casefold()',
        ("tests/security/test_complexity.py",),
    ),
    Mutant(
        "who is in a room joins it again, and again",
        "chat/services/rooms.py",
        "            if enters and inside:\n                return None\n",
        "",
        ("tests/services/test_refused_leaves_nothing.py",),
    ),
    Mutant(
        "who is out of a room leaves it again, and a number with it",
        "chat/services/rooms.py",
        "            if not enters and not inside:\n",
        "            if not enters and inside is None:\n",
        ("tests/services/test_refused_leaves_nothing.py",),
    ),
    Mutant(
        "of rows that others put everything is decoded",
        "chat/services/items.py",
        '    return {name: item[name].get("S") for name in names if name in item}',
        '    return unpack(item) and {name: item[name].get("S") for name in names if name in item}',
        ("tests/services/test_rows_of_any_kind.py",),
    ),
    Mutant(
        "a Redis that was demoted is asked again over the same connection",
        "chat/services/redis.py",
        "(?:READONLY|MASTERDOWN|",
        "(?:MASTERDOWN|",
        ("tests/services/test_failover.py",),
    ),
    Mutant(
        "who was put out is answered with the message as it is now",
        "chat/services/messages.py",
        '            raise refusal\n        return {"seq": done.seq}',
        '            raise refusal\n        return done.image.to_dict(1) if done.image else {"seq": done.seq}',
        ("tests/services/test_replays.py",),
    ),
    Mutant(
        "a message costs nothing of an allowance",
        "chat/services/messages.py",
        "        charge = self._allowance.charge(person.username, weight(text))",
        "        charge = None",
        ("tests/security/test_allowance.py",),
    ),
    Mutant(
        "a page of long messages is read whole",
        "chat/services/messages.py",
        "ENOUGH_BYTES = 128 * 1024",
        "ENOUGH_BYTES = 128 * 1024 * 1024",
        ("tests/services/test_long_pages.py",),
    ),
    Mutant(
        "all that one person asks for is under way at once",
        "chat/blueprints/guard.py",
        "                with services().side_by_side(who):",
        "                with services().side_by_side(object()):",
        ("tests/security/test_one_among_many.py",),
    ),
    Mutant(
        "who asks too fast is refused at once",
        "chat/blueprints/guard.py",
        "                    services().tarpit.hold()",
        "                    pass",
        ("tests/security/test_one_among_many.py",),
    ),
    Mutant(
        "an entry of the bus has as many bytes as it likes",
        "chat/services/bus.py",
        "            if size > MAX_ENTRY_BYTES:",
        "            if size < 0:",
        ("tests/security/test_allowance.py",),
    ),
    Mutant(
        "tries are counted when they have failed",
        "chat/services/limits.py",
        "            counted = self._window.hit(self._item, key)",
        "            counted = self._window.test(self._item, key)",
        ("tests/security/test_fair_logins.py",),
    ),
    Mutant(
        "sockets without a session keep their places",
        "chat/sockets/transport/places.py",
        "        oldest = next((each for each in self.strangers if each.give_way is not None and suits(each)), None)",
        "        oldest = None",
        ("tests/transport/test_strangers.py",),
    ),
    Mutant(
        "a browser is known beyond a new password",
        "chat/services/accounts.py",
        "user is None or user.epoch != known_in",
        "user is None",
        ("tests/security/test_known_browsers.py",),
    ),
    Mutant(
        "general keeps the owner that it has",
        "chat/services/rooms.py",
        '        return replace(room, owner="")',
        "        return room",
        ("tests/services/test_general.py",),
    ),
    Mutant(
        "the id of a room is as long as its name makes it",
        "chat/services/names.py",
        "    if not ROOM_NAME_CHARS[0] <= len(slug) <= ROOM_ID_CHARS:",
        "    if not ROOM_NAME_CHARS[0] <= len(slug):",
        (
            "tests/services/test_rooms.py",
            "tests/blueprints/test_rooms.py",
        ),
    ),
    Mutant(
        "a session slides whoever asks",
        "chat/blueprints/guard.py",
        "                    if act:\n                        g.session",
        "                    if True:\n                        g.session",
        (
            "tests/security/test_sessions.py",
            "tests/services/test_kept_sessions.py",
            "tests/blueprints/test_auth.py",
        ),
    ),
    Mutant(
        "a name in a header is taken as it stands",
        "chat/http.py",
        "unquote(expected) != session.person.username",
        "expected != session.person.username",
        ("tests/blueprints/test_user_header.py",),
    ),
    Mutant(
        "an outage is said with every request",
        "chat/services/outages.py",
        '        if now - self._said.get(cause, float("-inf")) < EVERY_S:\n            return\n',
        "",
        ("tests/services/test_outages.py",),
    ),
)
