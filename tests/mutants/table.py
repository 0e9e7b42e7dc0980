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
        "chat/services/storage/entries.py",
        'put_new("messages", log_row(entry, snapshot))',
        'Write("messages", "Put", {"Item": pack(log_row(entry, snapshot))})',
        ("tests/services/test_log.py", "tests/services/test_group_commit.py"),
    ),
    Mutant(
        "a claim is written whether it stands or not",
        "chat/services/storage/claims.py",
        'Fact((put_new("chat", claim_row(claim)),), before)',
        'Fact((type(new := put_new("chat", claim_row(claim)))("chat", "Put", {"Item": new.request["Item"]}),), before)',
        ("tests/services/test_log.py",),
    ),
    Mutant(
        "what a noun refuses for good is tried until time is up",
        "chat/services/log/append.py",
        "raise refused.final from None",
        "self._pause(CONFLICT_PAUSE_S)",
        ("tests/services/storage/test_facts.py",),
    ),
    Mutant(
        "the items of facts are in nobody's way",
        "chat/services/storage/transaction.py",
        "frozenset(write.item for write, _ in self.writes)",
        "frozenset(write.item if fact not in facts else (*write.item, str(entry.seq)) for write, fact in self.writes)",
        ("tests/services/storage/test_facts.py",),
    ),
    Mutant(
        "a tombstone is told and not written",
        "chat/services/log/append.py",
        "if self._storage.entries.tombstone(room.id, number, at_ms):",
        "if number:",
        ("tests/services/test_log.py", "tests/services/test_followers.py"),
    ),
    Mutant(
        "a decided number does not raise the head",
        "chat/services/log/sequence.py",
        "        if seq > self._known.get(room, 0):\n            self._known[room] = seq",
        "        self._known.setdefault(room, seq)",
        ("tests/services/test_log.py", "tests/services/test_sequence.py"),
    ),
    Mutant(
        "an append is answered before it is written",
        "chat/services/log/group_commit.py",
        "                gevent.spawn(self._commit_waiting)\n            pending.ended.wait()\n",
        "                gevent.spawn(self._commit_waiting)\n",
        ("tests/services/test_group_commit.py",),
    ),
    Mutant(
        "those of one call hear in the order in which they came",
        "chat/services/log/group_commit.py",
        "in sorted(zip(batch, ends, strict=True), key=lambda pair: pair[0].append.entry.seq):",
        "in zip(batch, ends, strict=True):",
        ("tests/services/test_group_commit.py",),
    ),
    # --- what is derived from the logs ----------------------------------------------------------------------------
    Mutant(
        "what a projection could not take counts as taken",
        "chat/services/jobs/taking.py",
        "if not facts or self._done(each, followed, partial(each.take, followed.room, facts)):",
        "if not facts or [self._done(each, followed, partial(each.take, followed.room, facts))]:",
        ("tests/services/jobs/test_projections.py",),
    ),
    Mutant(
        "a day counts what it is told, each time",
        "chat/services/storage/days.py",
        '"attribute_not_exists(upto) OR (generation = :generation AND upto < :first)"',
        '"attribute_not_exists(upto) OR generation = :generation"',
        ("tests/services/jobs/test_days.py", "tests/services/jobs/test_projections.py"),
    ),
    Mutant(
        "a projection waits for what is below the floor",
        "chat/services/jobs/taking.py",
        "cursor = replace(cursor, seq=max(cursor.seq, room.floor - 1), floor=room.floor)",
        "cursor = replace(cursor, floor=room.floor)",
        ("tests/services/jobs/test_projections.py",),
    ),
    # --- reading and writing --------------------------------------------------------------------------------------
    Mutant(
        "who opens a room again misses the next entry",
        "chat/services/messages/history.py",
        "return self._after(person, room, membership, after, MAX_PAGE)",
        "return self._after(person, room, membership, after + 1, MAX_PAGE)",
        ("tests/services/test_messages.py", "tests/services/test_machine.py"),
    ),
    Mutant(
        "whoever knows a room may speak in it",
        "chat/services/messages/writing.py",
        '        request = ("send", room_id, text, reply_to)\n        try:\n'
        "            room, membership = self._rooms.require(person, room_id)\n",
        '        request = ("send", room_id, text, reply_to)\n        try:\n'
        "            room = self._rooms.get(room_id)\n"
        "            membership = Membership(room_id, person.username, person.name, inside=True)\n",
        ("tests/services/test_messages.py",),
    ),
    Mutant(
        "who came later is shown what a reply answers",
        "chat/services/messages/quotes.py",
        "    first = first_visible(room, membership)",
        "    first = 1",
        ("tests/services/test_quotes.py", "tests/security/test_matrix.py"),
    ),
    Mutant(
        "a reply names what its sender may not see",
        "chat/services/messages/quotes.py",
        "    found = storage.entries.get(room.id, seq) if seq >= first_visible(room, membership) else None",
        "    found = storage.entries.get(room.id, seq)",
        ("tests/services/test_replies.py", "tests/security/test_matrix.py"),
    ),
    Mutant(
        "a reply that was taken is refused when it comes again",
        "chat/services/messages/writing.py",
        "            if done is None:\n                raise\n",
        "            raise\n",
        ("tests/services/test_replies.py",),
    ),
    Mutant(
        "an owner hands the room to who goes at the same moment",
        "chat/services/rooms/owners.py",
        "(owner_fact(room_id, room.owner, successor), member_fact(room_id, successor))",
        "(owner_fact(room_id, room.owner, successor),)",
        ("tests/services/test_owners.py",),
    ),
    Mutant(
        "who becomes the owner while they go takes the room with them",
        "chat/services/rooms/owners.py",
        '    if whom.username != room.owner and (kind == "removed" or _is_in(storage, room_id, room.owner)):\n'
        "        return Owners(facts=(owner_fact(room_id, room.owner, room.owner),))",
        '    if whom.username != room.owner and (kind == "removed" or _is_in(storage, room_id, room.owner)):\n'
        "        return Owners()",
        ("tests/services/test_owners.py",),
    ),
    Mutant(
        "who left while a page was read still gets it",
        "chat/services/messages/history.py",
        "if now is None or not now.inside or now.start != membership.start:",
        "if now is None:",
        ("tests/services/test_messages.py",),
    ),
    Mutant(
        "a message below the floor may be changed",
        "chat/services/messages/writing.py",
        "if seq >= first_visible(room, membership) else None",
        "if seq >= membership.start else None",
        ("tests/services/test_retention.py",),
    ),
    Mutant(
        "a room's members may put its owner out, and its owner nobody",
        "chat/services/rooms/owners.py",
        "if room.owner != by.username and (kind",
        "if room.owner == by.username and (kind",
        ("tests/services/test_rooms.py",),
    ),
    Mutant(
        "reactions to other messages of a room join the first",
        "chat/services/messages/reactions.py",
        "place = room.id, seq\n",
        "place = room.id, 0\n",
        ("tests/services/test_reactions_together.py",),
    ),
    Mutant(
        "a message holds one emoji too many",
        "chat/services/messages/reactions.py",
        "len(message.reactions) >= MAX_EMOJI)",
        "len(message.reactions) > MAX_EMOJI)",
        ("tests/services/test_reactions.py",),
    ),
    # --- followers and the bus ------------------------------------------------------------------------------------
    Mutant(
        "entries of another generation are delivered",
        "chat/services/log/followers.py",
        "        if follower is not None and follower.room.generation == generation:\n",
        "        if follower is not None:\n",
        ("tests/services/test_followers.py",),
    ),
    Mutant(
        "a change is shown with an older snapshot",
        "chat/services/log/snapshots.py",
        "if seq in snapshots and snapshots[seq].rev < rev}",
        "if seq in snapshots and snapshots[seq].rev < 1}",
        ("tests/services/test_messages.py", "tests/services/test_followers.py"),
    ),
    Mutant(
        "a single event that the bus lost raises no doubt",
        "chat/services/bus/bus.py",
        "if number > last + 1:",
        "if number > last + 2:",
        ("tests/services/test_bus.py",),
    ),
    # --- rows of others, and what is no longer kept ---------------------------------------------------------------
    Mutant(
        "a change of a row that was taken over is taken over again",
        "chat/services/storage/external.py",
        "attribute_not_exists(pk)",
        "attribute_not_exists(pk) OR attribute_exists(pk)",
        ("tests/services/test_ingest.py",),
    ),
    Mutant(
        "retention deletes the first entry that is kept",
        "chat/services/jobs/retention.py",
        "if entry.seq < floor]",
        "if entry.seq <= floor]",
        ("tests/services/test_retention.py",),
    ),
    # --- sessions and sockets -------------------------------------------------------------------------------------
    Mutant(
        "a session of an earlier epoch lives on",
        "chat/services/sessions/sessions.py",
        "and session.epoch == epochs.get(username):",
        "and username in epochs:",
        ("tests/services/test_sessions.py",),
    ),
    Mutant(
        "a sweep ends with its first part",
        "chat/sockets/session_watch.py",
        "while part := dict(islice(rest, AT_ONCE)):",
        "if part := dict(islice(rest, AT_ONCE)):",
        ("tests/sockets/test_sessions.py",),
    ),
    Mutant(
        "deliveries go on while Redis is silent",
        "chat/sockets/client_sockets.py",
        "return not self.ended and clock() - self.checked_at <= PAUSE_S",
        "return not self.ended",
        ("tests/sockets/test_sessions.py",),
    ),
    Mutant(
        "who connects together with others is given the rooms of the first",
        "chat/sockets/subscriptions.py",
        "return self._coalesce(person.username, person, ",
        'return self._coalesce("rooms", person, ',
        ("tests/sockets/test_connect.py",),
    ),
    Mutant(
        "a membership read beside the transaction that ends it lets somebody back in",
        "chat/services/log/subscribers.py",
        "seen_at > asked_at - SETTLED_S",
        "seen_at > asked_at",
        ("tests/services/test_followers.py",),
    ),
    Mutant(
        "a worker that hears nothing isolates itself though nobody hears",
        "chat/services/health/workers.py",
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
        "chat/names.py",
        'unicodedata.normalize("NFKC", typed).casefold() if len(typed) <= TYPED_CHARS else None',
        'unicodedata.normalize("NFKC", typed).casefold()',
        ("tests/security/test_complexity.py",),
    ),
    Mutant(
        "who is in a room joins it again, and again",
        "chat/services/rooms/membership.py",
        "            if enters and inside:\n                return None\n",
        "",
        ("tests/services/test_refused_leaves_nothing.py",),
    ),
    Mutant(
        "who is out of a room leaves it again, and a number with it",
        "chat/services/rooms/membership.py",
        "            if not enters and not inside:\n",
        "            if not enters and inside is None:\n",
        ("tests/services/test_refused_leaves_nothing.py",),
    ),
    Mutant(
        "of rows that others put everything is decoded",
        "chat/services/storage/values.py",
        '    return {name: item[name].get("S") for name in names if name in item}',
        '    return unpack(item) and {name: item[name].get("S") for name in names if name in item}',
        ("tests/services/test_rows_of_any_kind.py",),
    ),
    Mutant(
        "a Redis that was demoted is asked again over the same connection",
        "chat/services/storage/redis_client.py",
        "(?:READONLY|MASTERDOWN|",
        "(?:MASTERDOWN|",
        ("tests/services/test_failover.py",),
    ),
    Mutant(
        "who was put out is answered with the message as it is now",
        "chat/services/messages/writing.py",
        '            raise refusal\n        return {"seq": done.seq}',
        '            raise refusal\n        return done.snapshot.to_dict(1) if done.snapshot else {"seq": done.seq}',
        ("tests/services/test_replays.py",),
    ),
    Mutant(
        "a message costs nothing of an allowance",
        "chat/services/messages/writing.py",
        "        charge = self._allowance.charge(person.username, weight(text))",
        "        charge = None",
        ("tests/security/test_allowance.py",),
    ),
    Mutant(
        "a page of long messages is read whole",
        "chat/services/messages/pairs.py",
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
        "chat/services/bus/bus.py",
        "            if size > MAX_ENTRY_BYTES:",
        "            if size < 0:",
        ("tests/security/test_allowance.py",),
    ),
    Mutant(
        "tries are counted when they have failed",
        "chat/services/limits/limits.py",
        "            counted = self._window.hit(self._item, key)",
        "            counted = self._window.test(self._item, key)",
        ("tests/security/test_fair_logins.py",),
    ),
    Mutant(
        "sockets without a session keep their slots",
        "chat/sockets/transport/slots.py",
        "        oldest = next((each for each in self.strangers if each.give_way is not None and suits(each)), None)",
        "        oldest = None",
        ("tests/transport/test_strangers.py",),
    ),
    Mutant(
        "a browser is known beyond a new password",
        "chat/services/accounts/accounts.py",
        "user is None or user.epoch != known_in",
        "user is None",
        ("tests/security/test_known_browsers.py",),
    ),
    Mutant(
        "general keeps the owner that it has",
        "chat/services/rooms/rooms.py",
        '        return replace(room, owner="")',
        "        return room",
        ("tests/services/test_general.py",),
    ),
    Mutant(
        "the id of a room is as long as its name makes it",
        "chat/names.py",
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
        "chat/services/runtime/outages.py",
        '        if now - self._said.get(cause, float("-inf")) < EVERY_S:\n            return\n',
        "",
        ("tests/services/test_outages.py",),
    ),
    Mutant(
        "the minute in which nothing is taken over is in no answer",
        "chat/blueprints/health.py",
        '    details = {"stream": False} if readiness.stands_still else {}',
        "    details: dict[str, bool] = {}",
        ("tests/services/test_movement.py",),
    ),
    Mutant(
        "the doctor knows nothing of a stream that stands still",
        "chat/services/health/tables_examined.py",
        '            problem = Movement(redis, self._storage.client.table("messages")).problem()',
        "            problem = None",
        ("tests/services/test_movement.py",),
    ),
    Mutant(
        "who signs in waits as long as storage takes",
        "chat/blueprints/guard.py",
        "        with deadline(ANSWER_WITHIN_S - (time.monotonic() - came)):\n",
        "        if came:\n",
        ("tests/security/test_answered_in_time.py",),
    ),
    Mutant(
        "a function asks a storage that hangs for as long as it lives",
        "chat/lambdas/http.py",
        "            with budget():\n",
        "            if budget:\n",
        ("tests/security/test_answered_in_time.py",),
    ),
    Mutant(
        "who ends sessions may also make one",
        "deploy/redis-users.json",
        "resetchannels -@all +del +hsetnx +expire",
        "resetchannels -@all +del +hsetnx +set +expire",
        ("tests/lambdas/test_policies.py::test_a_function_that_asks_more_of_redis_is_found",),
    ),
    # --- the seed's demonstrations --------------------------------------------------------------------------------
    Mutant(
        "the printed address of Redis names nobody",
        "chat/embedded/supervisor.py",
        'self._redis_url = f"redis://default:{password}@',
        'self._redis_url = f"redis://:{password}@',
        ("tests/runtime/test_readme.py",),
    ),
    Mutant(
        "the page with reloading asks the chat under its own name",
        "frontend/vite.config.ts",
        "  changeOrigin: true,\n",
        "",
        ("tests/runtime/test_readme.py",),
    ),
    Mutant(
        "what the page with reloading needs is not said",
        "README.md",
        "npm --prefix frontend ci         # once, and when package-lock.json has changed\n",
        "",
        ("tests/runtime/test_readme.py",),
    ),
    Mutant(
        "the event for logout knows no cookie of https",
        "deploy/events/logout.json",
        "__Host-parley=<session>; ",
        "",
        ("tests/lambdas/test_events_by_https.py",),
    ),
    # --- the page: what stops everybody ---------------------------------------------------------------------------
    Mutant(
        "brackets are counted anew for each that falls off",
        "frontend/src/features/messages/message/text.ts",
        "    if (CLOSING.has(last) && unopened > 0) unopened -= 1;",
        "    const count = (of: Set<string>) => [...found.slice(0, end)].filter((each) => of.has(each)).length;\n"
        "    if (CLOSING.has(last) && count(OPENING) < count(CLOSING)) unopened -= 1;",
        ("frontend/src/features/messages/message/text.cost.test.ts",),
    ),
    Mutant(
        "an address is taken apart however long its host is",
        "frontend/src/features/messages/message/text.ts",
        " || hostIn(text).length > MAX_HOST_CHARACTERS",
        "",
        ("frontend/src/features/messages/message/text.test.ts",),
    ),
    Mutant(
        "an address is as long as a message",
        "frontend/src/features/messages/message/text.ts",
        "text.length > MAX_ADDRESS_CHARACTERS || ",
        "",
        ("frontend/src/features/messages/message/text.test.ts",),
    ),
    Mutant(
        "a list keeps the row before its first",
        "frontend/src/features/messages/timeline/MessageList.tsx",
        "keepMounted={keeps}",
        "keepMounted={[roving.active]}",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "a room that does not fill the screen asks for nothing older",
        "frontend/src/features/messages/timeline/useScrolling.ts",
        "    if (element.scrollTop < LOAD_WITHIN_PX) nearTop();\n    if (element.scrollHeight",
        "    if (element.scrollHeight",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "a page is as long as what it shows",
        "frontend/src/features/messages/log/log.ts",
        "page.oldest === undefined ? (page.entries[0]?.seq ?? log.first) : page.more ? page.oldest : known.first;",
        "page.entries[0]?.seq ?? log.first;",
        ("frontend/src/features/messages/log/log.test.ts",),
    ),
    Mutant(
        "a page reaches back a hundred entries at a time, whatever they show",
        "frontend/src/features/messages/log/pages.ts",
        '      if ("before" in place) query.set("sparse", "1");\n',
        "",
        ("tests/e2e/test_short_rooms.py::test_a_room_of_few_messages_among_many_entries_opens",),
    ),
    Mutant(
        "one message that cannot be shown takes the others with it",
        "frontend/src/features/messages/timeline/Timeline.tsx",
        "        <Boundary of={subjectOf(row)} instead={() => <BrokenRow at_ms={saidAt(row)} />}>\n"
        "          {row.day_ms !== null && <DayLine at_ms={row.day_ms} now_ms={now_ms} />}\n"
        "          {row.firstUnread && <NewLine />}\n"
        "          {content()}\n"
        "        </Boundary>\n",
        "        <>\n"
        "          {row.day_ms !== null && <DayLine at_ms={row.day_ms} now_ms={now_ms} />}\n"
        "          {row.firstUnread && <NewLine />}\n"
        "          {content()}\n"
        "        </>\n",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "a panel that cannot be shown takes the page with it",
        "frontend/src/components/ui/PanelBoundary.tsx",
        "  return <Boundary instead={broken}>{children}</Boundary>;",
        "  return broken.length ? null : children;",
        ("frontend/src/components/ui/Boundary.test.tsx",),
    ),
    Mutant(
        "a disk is waited for as long as it takes",
        "frontend/src/features/messages/outbox/patientDisk.ts",
        "return await within(clock, PATIENCE_MS, asked);",
        "return await asked;",
        ("frontend/src/features/messages/outbox/patientDisk.test.ts",),
    ),
    Mutant(
        "nobody is told that this device keeps nothing",
        "frontend/src/app/ConnectionLine.tsx",
        "      {!keeps && (",
        "      {keeps === null && (",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "a tab that stands still leads for ever",
        "frontend/src/lib/tabs.ts",
        "        takeOver();\n",
        "",
        ("frontend/src/lib/tabs.test.ts",),
    ),
    Mutant(
        "the tab that leads is never asked",
        "frontend/src/features/messages/outbox/outbox.ts",
        "      if (waiting) tabs.check(waiting.client_id);\n",
        "",
        ("frontend/src/features/messages/outbox/patientDisk.test.ts",),
    ),
    # --- the page tells the truth ---------------------------------------------------------------------------------
    Mutant(
        "a room that is called like what every object has is followed by nobody",
        "frontend/src/features/messages/log/followers.ts",
        "const held = (room: string) => rooms.get().get(room);",
        "const held = (room: string): HeldRoom | undefined => Object.fromEntries(rooms.get())[room];",
        ("frontend/src/features/messages/log/followers.test.ts",),
    ),
    Mutant(
        "what every object has is a room of mine",
        "frontend/src/app/ChatRoom.tsx",
        "const room = list.rooms.get(id);",
        "const room = Object.fromEntries(list.rooms)[id];",
        ("frontend/src/app/ChatRoom.test.tsx",),
    ),
    Mutant(
        "who opens a room has read all of it",
        "frontend/src/app/useReading.ts",
        "user.username, before, seen);",
        'user.username, before, "end");',
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "what was jumped over is read",
        "frontend/src/features/messages/timeline/reading.ts",
        '    if (seen !== "end" && (at + 1 < seen.oldest || at + 1 > seen.newest)) break;\n',
        '    if (seen !== "end" && at + 1 > seen.newest) break;\n',
        ("frontend/src/features/messages/timeline/reading.test.ts",),
    ),
    Mutant(
        "something is read before the list has its place",
        "frontend/src/features/messages/timeline/useScrolling.ts",
        'scroller.current && placed.current !== null && document.visibilityState === "visible"',
        'scroller.current && document.visibilityState === "visible"',
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "to be taken past is to read",
        "frontend/src/features/messages/timeline/useScrolling.ts",
        "    if (!placing.current) {\n      if (isAtEnd)",
        "    if (element) {\n      if (isAtEnd)",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "who asks for the end while the list finds its place is taken back",
        "frontend/src/features/messages/timeline/useScrolling.ts",
        "    list.current?.scrollTo(BEYOND_PX); // or the list goes back to the place that it was on its way to\n",
        "",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "whoever watches is at the page",
        "frontend/src/features/auth/staying.ts",
        '"wheel", "touchstart"] as const;',
        '"wheel", "touchstart", "scroll"] as const;',
        ("frontend/src/features/auth/staying.test.ts",),
    ),
    Mutant(
        "who scrolls by a wheel is not at the page",
        "frontend/src/features/auth/staying.ts",
        '"pointerdown", "wheel", ',
        '"pointerdown", ',
        ("frontend/src/features/auth/staying.test.ts",),
    ),
    Mutant(
        "each key that is pressed is a request",
        "frontend/src/features/auth/staying.ts",
        "      acted_at = Date.now();\n      if (since(asked_at) >= every_ms) stay()",
        "      acted_at = Date.now();\n      stay()",
        ("frontend/src/features/auth/staying.test.ts",),
    ),
    Mutant(
        "no act at the page keeps a session",
        "frontend/src/features/auth/StayBar.tsx",
        "  useEffect(() => onActs(session.acted), [session]);\n",
        "  void onActs;\n",
        ("frontend/src/features/auth/StayBar.test.tsx",),
    ),
    Mutant(
        "a tick at the door is told to nobody",
        "frontend/src/features/auth/session.ts",
        "const asked = remember ? { username: name, password, remember } : { username: name, password };",
        "const asked = { username: name, password };",
        ("frontend/src/features/auth/Login.test.tsx",),
    ),
    Mutant(
        "the browser's word that it is offline does not count",
        "frontend/src/lib/visibility.ts",
        '    [window, "offline", lost],\n',
        "",
        ("frontend/src/app/client.test.ts",),
    ),
    Mutant(
        "a silent line is not asked whether it lives",
        "frontend/src/lib/connection.ts",
        "    if (silent_ms >= PING_EVERY_MS) ping();\n",
        "",
        ("frontend/src/lib/line.test.ts",),
    ),
    Mutant(
        "a message that nobody acks is under way for ever",
        "frontend/src/features/messages/outbox/outbox.ts",
        "const cancelLate = clock.after(LATE_MS, () => isLate(room, true));",
        "const cancelLate = () => {};",
        ("frontend/src/app/client.test.ts",),
    ),
    Mutant(
        "a room that cannot be loaded stays white",
        "frontend/src/app/Unloaded.tsx",
        "  if (failure) {",
        "  if (failure && trouble) {",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "a red sentence outlives its cause",
        "frontend/src/lib/trouble.ts",
        "    if (failure && ABOUT_THE_LINE.has(failure.code)) return reached.subscribe(clear);\n",
        "",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "a message that waits in a hidden tab is not in its title",
        "frontend/src/app/useTitle.ts",
        '${unsent ? `${t("Not sent")} · ` : ""}',
        "",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "a dialog keeps the focus that it took",
        "frontend/src/components/ui/Dialog.tsx",
        "      giveBack(before, dialog);\n",
        "",
        ("frontend/src/components/ui/Dialog.test.tsx",),
    ),
    Mutant(
        "Escape at a question closes what is around it",
        "frontend/src/components/ui/Question.tsx",
        "      event.preventDefault(); // or a dialog around it would close too\n",
        "",
        ("frontend/src/components/ui/Dialog.test.tsx",),
    ),
    Mutant(
        "the sheet of rooms leaves the focus under it",
        "frontend/src/app/useSheet.ts",
        '    sheet?.querySelector<HTMLElement>("button, a")?.focus();\n',
        "",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "no message has the keyboard before an arrow has chosen one",
        "frontend/src/features/messages/timeline/useRoving.ts",
        "const active = chosen >= 0 ? chosen : newest;",
        "const active = chosen;",
        ("frontend/src/features/messages/timeline/Timeline.test.tsx",),
    ),
    Mutant(
        "reactions are seen and not heard",
        "frontend/src/features/messages/message/spoken.ts",
        '  if (reacted.length) parts.push(`${t("Reactions")}: ${reacted.join(", ")}`);\n',
        "",
        ("frontend/src/features/messages/message/spoken.test.ts",),
    ),
    Mutant(
        "the same words twice are announced once",
        "frontend/src/features/messages/timeline/announcements.ts",
        "    waiting.push(text);\n",
        "    if (!waiting.includes(text)) waiting.push(text);\n",
        ("frontend/src/features/messages/timeline/announcements.test.ts",),
    ),
    Mutant(
        "what is said in other rooms is announced to nobody",
        "frontend/src/features/messages/timeline/listeners.ts",
        ', connection.listen({ "message:sent": announcements.sent })',
        "",
        ("frontend/src/app/telling.test.tsx",),
    ),
    Mutant(
        "a name goes into a header as it stands",
        "frontend/src/lib/http.ts",
        "= encodeURIComponent(username);",
        "= username;",
        ("frontend/src/app/App.test.tsx",),
    ),
    Mutant(
        "a mistake of the page is called the network",
        "frontend/src/lib/http.ts",
        "  void new Headers(init.headers);\n",
        "",
        ("frontend/src/lib/http.test.ts",),
    ),
    # --- the page in other languages ------------------------------------------------------------------------------
    Mutant(
        "a message stays in the language in which it was drawn",
        "frontend/src/features/messages/message/SentMessage.tsx",
        "  useValue(language);\n",
        "",
        ("frontend/src/app/switching.test.tsx",),
    ),
    Mutant(
        "the number of an incident is lost on its way to another language",
        "frontend/src/lib/failure.ts",
        '(incident && known("refusal.incident", { incident })) || ',
        "",
        ("frontend/src/app/language.test.ts",),
    ),
    Mutant(
        "a number that stands in a name is taken for the number that is said",
        "frontend/src/lib/sentences.ts",
        'if (part === "#" && count !== undefined) return count.toLocaleString(language);',
        'if (part === "#") return String(count);',
        ("frontend/src/app/language.test.ts",),
    ),
)
