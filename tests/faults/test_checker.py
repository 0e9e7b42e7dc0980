"""The checker on tiny histories: one that keeps every promise, and that one spoilt in each way that it must notice."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.faults import checker
from tests.faults.checker import Entry, Evidence, RoomLog, Snapshot, judge

ROOM = "ops"
LATE_MS = 40_000


def snapshot(seq: int, rev: int | None = None, author: str = "ada", text: str | None = None, **more: Any) -> dict:
    client_id = f"{author}-{seq}"
    facts = {"seq": seq, "rev": rev or seq, "author": author, "client_id": client_id, "deleted": False}
    return {**facts, "text": text or f"text {client_id}", **more}


def said(found: dict) -> dict:
    return {name: found[name] for name in ("seq", "client_id", "author", "text")}


def send(seq: int, t: int, client: str = "ada", **more: Any) -> list[dict]:
    """A message from the outbox to its ack."""
    where = {"c": client, "room": ROOM, "client_id": f"ada-{seq}", "event": "message:send"}
    return [
        {"t": t, "e": "send", **where, "text": f"text ada-{seq}", "in_flight": 1, **more},
        {"t": t + 1, "e": "try", "n": 1, **where},
        {"t": t + 9, "e": "ack", **where, "seq": seq, "rev": seq},
    ]


def push(client: str, seq: int, t: int, kind: str = "message:sent", **more: Any) -> dict:
    record = {"t": t, "e": "push", "c": client, "n": 1, "room": ROOM, "entry": seq, "kind": kind}
    return {**record, **({"snapshot": snapshot(seq)} if kind == "message:sent" else {}), **more}


def transcript(client: str, *seqs: int, t: int = 900) -> dict:
    """What a member holds that has everything from 1 on: three memberships, messages 4 and 5, a change of 4."""
    entries: list[dict] = []
    for seq in seqs:
        entries.append(said(snapshot(seq)) if seq in (4, 5) else {"seq": seq, "kind": "other"})
    snapshots = [snapshot(4, 6, text="edited"), snapshot(5)]
    return {"t": t, "e": "transcript", "c": client, "room": ROOM, "entries": entries, "snapshots": snapshots}


@pytest.fixture
def evidence() -> Evidence:
    """Ada and Bob in a room, Eve removed from it, Zed never in it: two messages, the first of them edited."""
    log = RoomLog(
        public=False,
        entries=[
            Entry(1, "joined", user="ada"),
            Entry(2, "joined", user="bob"),
            Entry(3, "joined", user="eve"),
            *(Entry(4, "message"), Entry(5, "message"), Entry(6, "change", message=4), Entry(7, "removed", user="eve")),
        ],
        snapshots={4: Snapshot.of(snapshot(4, 6, text="edited")), 5: Snapshot.of(snapshot(5))},
    )
    history: list[dict] = [{"t": 0, "e": "device", "c": name, "user": name} for name in ("ada", "bob", "eve", "zed")]
    history += send(4, 100) + send(5, 200)
    for name in ("ada", "bob", "eve"):
        changed = {"snapshot": snapshot(4, 6, text="edited")}
        history += [push(name, 4, 110), push(name, 5, 210), push(name, 6, 300, "message:changed", **changed)]
        history.append(push(name, 7, 400, "member:removed"))
    history.append({"t": 410, "e": "removed", "user": "eve", "room": ROOM})
    history += [transcript("ada", *range(1, 8)), transcript("bob", *range(2, 8)), transcript("eve", *range(3, 8))]
    rows = [{"seq": e.seq, "kind": e.kind} for e in log.entries]
    fresh = {ROOM: {"entries": rows, "messages": [snapshot(4, 6, text="edited"), snapshot(5)]}}
    shown = {("bob", ROOM): [(4, "edited"), (5, "text ada-5")]}
    return Evidence(history, {ROOM: log}, fresh, shown)


def found(evidence: Evidence) -> set[str]:
    evidence.history.sort(key=lambda record: record["t"])
    return set(checker.kinds(judge(evidence)))


def held_by(evidence: Evidence, client: str) -> Any:
    return next(r for r in evidence.history if r["e"] == "transcript" and r["c"] == client)


def test_nothing_is_found_where_nothing_is_wrong(evidence):
    assert judge(evidence) == []


def test_the_judgement_changes_nothing(evidence):
    before = copy.deepcopy(evidence)
    judge(evidence)
    assert evidence == before


# --- lost


def test_an_acked_message_that_the_table_lacks_is_lost(evidence):
    evidence.history += [{**r, "client_id": "gone"} for r in send(8, 500)]
    assert found(evidence) == {checker.LOST}


def test_a_message_that_one_members_transcript_lacks_is_lost(evidence):
    held_by(evidence, "bob")["entries"][3] = {"seq": 5, "kind": "entry:skipped"}
    held_by(evidence, "bob")["snapshots"].pop()
    assert found(evidence) == {checker.LOST}


def test_a_message_told_of_by_its_change_alone_is_there(evidence):
    """A follower that reads late tells `entry:skipped` and then the change, with the snapshot."""
    held_by(evidence, "bob")["entries"][2] = {"seq": 4, "kind": "entry:skipped"}
    assert found(evidence) == set()
    held_by(evidence, "bob")["snapshots"].pop(0)
    assert checker.LOST in found(evidence)


def test_who_was_removed_before_that_change_need_not_have_it(evidence):
    eve = held_by(evidence, "eve")
    eve["entries"], eve["snapshots"] = [{"seq": 3, "kind": "other"}, {"seq": 4, "kind": "entry:skipped"}], []
    assert found(evidence) == set()


def test_a_transcript_that_ends_early_is_a_loss(evidence):
    held_by(evidence, "bob")["entries"].pop()
    assert found(evidence) == {checker.LOST}


def test_a_member_with_nothing_has_lost_it_unless_it_was_sent_away(evidence):
    evidence.history.remove(held_by(evidence, "bob"))
    assert found(evidence) == {checker.LOST}
    evidence.history.append({"t": 450, "e": "away", "c": "bob"})
    assert found(evidence) == set()


def test_a_transcript_that_begins_late_is_none(evidence):
    """A device that was far behind takes the newest page."""
    del held_by(evidence, "bob")["entries"][:3]
    assert found(evidence) == set()


def test_who_was_removed_need_not_have_the_rest(evidence):
    del held_by(evidence, "eve")["entries"][2:]
    assert found(evidence) == set()


def test_a_device_without_a_session_need_not_have_the_rest(evidence):
    held_by(evidence, "bob")["entries"].pop()
    evidence.history.append({"t": 450, "e": "revoked", "c": "bob"})
    assert found(evidence) == set()


def test_a_newcomer_who_is_not_told_a_message_has_lost_it(evidence):
    evidence.fresh[ROOM]["messages"].pop()
    assert found(evidence) == {checker.LOST}


def test_a_newcomer_who_is_told_nothing_has_lost_all(evidence):
    evidence.fresh[ROOM] = {"entries": [], "messages": []}
    assert found(evidence) == {checker.LOST}


def test_a_page_that_does_not_show_a_message_has_lost_it(evidence):
    evidence.shown["bob", ROOM].pop()
    assert found(evidence) == {checker.LOST}


# --- doubled


def test_a_message_stored_twice_is_doubled(evidence):
    log = evidence.logs[ROOM]
    log.entries.append(Entry(8, "message"))
    log.snapshots[8] = Snapshot.of(snapshot(8, client_id="ada-5"))
    assert checker.DOUBLED in found(evidence)


def test_a_message_twice_in_a_transcript_is_doubled(evidence):
    held_by(evidence, "bob")["entries"].append({**said(snapshot(5)), "seq": 8})
    assert checker.DOUBLED in found(evidence)


def test_an_entry_twice_in_a_transcript_is_doubled(evidence):
    entries = held_by(evidence, "bob")["entries"]
    entries.append(entries[-1])
    assert found(evidence) == {checker.DOUBLED}


def test_the_same_client_id_of_two_people_is_two_messages(evidence):
    log = evidence.logs[ROOM]
    bobs = snapshot(8, author="bob", client_id="ada-5")
    log.entries.append(Entry(8, "message"))
    log.snapshots[8] = Snapshot.of(bobs)
    for name in ("ada", "bob"):
        held_by(evidence, name)["entries"].append(said(bobs))
    evidence.fresh[ROOM]["entries"].append({"seq": 8, "kind": "message"})
    evidence.fresh[ROOM]["messages"].append(bobs)
    evidence.shown["bob", ROOM].append((8, bobs["text"]))
    assert found(evidence) == set()


# --- disordered


def test_a_message_acked_as_another_number_is_disordered(evidence):
    next(r for r in evidence.history if r["e"] == "ack")["seq"] = 3
    assert found(evidence) == {checker.DISORDERED}


def test_messages_stored_in_another_order_than_typed_are_disordered(evidence):
    for record in evidence.history:
        if record["e"] in ("send", "try", "ack"):
            record["t"] += 200 if record["client_id"] == "ada-4" else 0
    assert found(evidence) == {checker.DISORDERED}


@pytest.mark.parametrize(("connection", "kinds"), [(1, {checker.DISORDERED}), (2, set())])
def test_who_does_not_wait_is_promised_the_order_of_one_connection(evidence, connection, kinds):
    for record in evidence.history:
        if record["e"] in ("send", "try", "ack"):
            record["t"] += 200 if record["client_id"] == "ada-4" else 0
            record["in_flight"] = 4
        if record["e"] == "try" and record["client_id"] == "ada-4":
            record["n"] = connection
    assert found(evidence) == kinds


def test_pushes_out_of_order_are_disordered(evidence):
    pushes = [r for r in evidence.history if r["e"] == "push" and r["c"] == "bob"]
    pushes[0]["t"], pushes[1]["t"] = pushes[1]["t"], pushes[0]["t"]
    assert found(evidence) == {checker.DISORDERED}


def test_pushes_begin_anew_with_a_connection(evidence):
    evidence.history.append(push("bob", 5, 500, n=2))
    assert found(evidence) == set()


# --- leaked


def test_anything_to_an_outsider_is_leaked(evidence):
    evidence.history.append(push("zed", 5, 210))
    assert found(evidence) == {checker.LEAKED}


def test_a_page_to_an_outsider_is_leaked(evidence):
    page = {"e": "page", "c": "zed", "n": 1, "room": ROOM, "after": 0, "asked": 500, "gap": False}
    evidence.history.append({"t": 510, **page, "entries": [4], "snapshots": [snapshot(4)]})
    assert found(evidence) == {checker.LEAKED}


def test_an_entry_behind_a_removal_is_leaked(evidence):
    log = evidence.logs[ROOM]
    log.entries.append(Entry(8, "tombstone"))
    for name in ("ada", "bob"):
        held_by(evidence, name)["entries"].append({"seq": 8, "kind": "entry:skipped"})
    evidence.fresh[ROOM]["entries"].append({"seq": 8, "kind": "tombstone"})
    assert found(evidence) == set()
    evidence.history.append(push("eve", 8, 500, "entry:skipped"))
    assert found(evidence) == {checker.LEAKED}


def test_a_snapshot_made_after_a_removal_is_leaked(evidence):
    later = snapshot(5, 8, text="secret")
    log = evidence.logs[ROOM]
    log.entries.append(Entry(8, "change", message=5))
    log.snapshots[5] = Snapshot.of(later)
    pushed = next(r for r in evidence.history if r["e"] == "push" and r["c"] == "eve" and r["entry"] == 5)
    pushed["snapshot"] = later
    assert checker.LEAKED in found(evidence)


def test_a_snapshot_of_before_somebodys_time_is_leaked(evidence):
    entries = evidence.logs[ROOM].entries
    entries += [Entry(8, "joined", user="zed"), Entry(9, "change", message=5)]
    changed = snapshot(5, 9, text="secret")
    evidence.logs[ROOM].snapshots[5] = Snapshot.of(changed)
    told = push("zed", 9, 500, "message:changed")
    evidence.history.append(told)
    assert checker.LEAKED not in found(evidence), "it says no more than that something was changed"
    told["snapshot"] = changed
    assert checker.LEAKED in found(evidence)


def test_a_page_asked_for_after_a_removal_is_leaked(evidence):
    page = {"e": "page", "c": "eve", "n": 1, "room": ROOM, "after": 3, "gap": False, "entries": [5], "snapshots": []}
    evidence.history.append({"t": 420, "asked": 400, **page})
    assert found(evidence) == set(), "it was under way"
    evidence.history.append({"t": 430, "asked": 420, **page})
    assert found(evidence) == {checker.LEAKED}


def test_who_was_let_in_again_between_two_removals_may_ask(evidence):
    entries = evidence.logs[ROOM].entries
    entries += [Entry(8, "joined", user="eve"), Entry(9, "removed", user="eve")]
    for part in (*(r for r in evidence.history if r["e"] == "transcript" and r["c"] != "eve"), evidence.fresh[ROOM]):
        part["entries"] += [{"seq": seq, "kind": "other"} for seq in (8, 9)]
    page = {"e": "page", "c": "eve", "n": 1, "room": ROOM, "after": 7, "gap": False, "entries": [8], "snapshots": []}
    evidence.history.append({"t": 440, "asked": 430, **page})
    evidence.history.append({"t": 450, "e": "removed", "user": "eve", "room": ROOM})
    assert found(evidence) == set()
    evidence.history.append({"t": 470, "asked": 460, **page})
    assert found(evidence) == {checker.LEAKED}


@pytest.mark.parametrize(("after_ms", "kinds"), [(1_900, set()), (2_100, {checker.LEAKED})])
def test_what_comes_two_seconds_after_a_revoke_is_leaked(evidence, after_ms, kinds):
    evidence.history.append({"t": 500, "e": "revoked", "c": "bob"})
    evidence.history.append(push("bob", 7, 500 + after_ms, "member:removed", n=2))
    assert found(evidence) == kinds


def test_who_signs_in_again_may_hear_again(evidence):
    evidence.history.append({"t": 500, "e": "revoked", "c": "bob"})
    evidence.history.append({"t": 600, "e": "signed_in", "c": "bob"})
    evidence.history.append(push("bob", 7, 9_000, "member:removed", n=2))
    assert found(evidence) == set()


# --- refused, unknown, unended


def refused(tries: int) -> list[dict]:
    where = {"c": "ada", "room": ROOM, "client_id": "ada-5", "event": "message:send"}
    attempts = [{"t": 201, "e": "try", "n": 1, **where} for _ in range(tries - 1)]
    return [*attempts, {"t": 290, "e": "refused", **where, "code": "text_empty"}]


@pytest.mark.parametrize(("tries", "kinds"), [(1, {checker.REFUSED_STORED}), (2, set())])
def test_what_was_refused_at_its_only_try_must_not_be_stored(evidence, tries, kinds):
    evidence.history = [r for r in evidence.history if not (r["e"] == "ack" and r["seq"] == 5)] + refused(tries)
    assert found(evidence) == kinds


def test_an_unknown_send_may_be_with_everybody(evidence):
    for record in evidence.history:
        if record["e"] == "ack" and record["seq"] == 5:
            record["e"] = "unknown"
    assert found(evidence) == set()


def test_an_unknown_send_may_not_be_with_some(evidence):
    held_by(evidence, "bob")["entries"].append({**said(snapshot(8)), "client_id": "unheard of"})
    assert found(evidence) == {checker.IN_SOME}


def test_a_page_that_shows_what_is_not_stored_is_found(evidence):
    evidence.shown["bob", ROOM].append((8, "unheard of"))
    assert found(evidence) == {checker.IN_SOME}


def test_a_send_without_an_end_is_found(evidence):
    evidence.history = [r for r in evidence.history if not (r["e"] == "ack" and r["seq"] == 5)]
    assert found(evidence) == {checker.ENDLESS}


def test_a_send_that_ends_too_late_is_found(evidence):
    next(r for r in evidence.history if r["e"] == "ack" and r["seq"] == 5)["t"] += LATE_MS
    assert found(evidence) == {checker.ENDLESS}


# --- rows that others put


def row(t: int, row_id: str, text: str | None) -> dict:
    return {"t": t, "e": "foreign", "room": ROOM, "id": row_id, "text": text}


@pytest.mark.parametrize(
    ("puts", "kinds"),
    [
        ([row(1, "r", "edited")], set()),
        ([row(1, "r", "before"), row(2, "r", "edited")], set()),
        ([row(1, "r", "before"), row(2, "r", None)], set()),
        ([row(1, "r", "never taken over")], {checker.LOST}),
        ([row(1, "r", "edited"), row(2, "r", "text ada-5")], {checker.DOUBLED}),
        ([row(1, "r", "edited"), row(2, "r", "after")], {checker.SNAPSHOTS}),
        ([row(1, "r", "edited"), row(2, "r", None)], {checker.SNAPSHOTS}),
    ],
)
def test_a_row_is_one_message_that_says_what_it_says_last(evidence, puts, kinds):
    evidence.history += puts
    assert found(evidence) == kinds


# --- numbers, snapshots


def test_a_hole_in_the_numbers_is_found(evidence):
    evidence.logs[ROOM].entries.pop(0)
    assert checker.HOLE in found(evidence)


def test_different_final_snapshots_are_found(evidence):
    held_by(evidence, "bob")["snapshots"][1]["text"] = "something else"
    assert found(evidence) == {checker.SNAPSHOTS}


def test_a_change_that_never_came_is_found(evidence):
    """The change of 4 is entry 6, which this transcript has; the snapshot is still the first one."""
    held_by(evidence, "bob")["snapshots"][0] = snapshot(4)
    assert found(evidence) == {checker.SNAPSHOTS}


def test_two_texts_under_one_rev_are_found(evidence):
    evidence.history.append(push("bob", 5, 500, n=2, snapshot=snapshot(5, text="something else")))
    assert found(evidence) == {checker.SNAPSHOTS}


def test_an_older_snapshot_over_a_newer_one_is_found(evidence):
    evidence.logs[ROOM].snapshots[4] = Snapshot.of(snapshot(4))
    assert checker.STALE in found(evidence)


def test_a_deleted_text_that_a_page_still_shows_is_found(evidence):
    stored = evidence.logs[ROOM].snapshots
    stored[4] = Snapshot.of(snapshot(4, 6, deleted=True))
    for record in evidence.history:
        for part in [record.get("snapshot"), *record.get("snapshots", [])]:
            if part and part["rev"] == 6:
                part |= {"text": "", "deleted": True}
    evidence.fresh[ROOM]["messages"][0] |= {"text": "", "deleted": True}
    assert found(evidence) == {checker.IN_SOME}


# --- unread


def listed(read: int, unread: int, head: int = 7, **more: Any) -> dict:
    return {"room": ROOM, "head": head, "read": read, "from": 2, "unread": unread, "unread_more": False, **more}


def reading(what: str, seq: int) -> dict:
    return {"t": 500, "e": what, "c": "bob", "room": ROOM, "seq": seq}


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        (listed(2, 2), set()),  # as he came in, and Ada's two messages
        (listed(2, 1), {checker.UNREAD}),
        (listed(2, 0, unread_more=True), {checker.UNREAD}),
        (listed(7, 0), {checker.UNREAD}),  # up to the head, and he never read
        (listed(1, 2), {checker.UNREAD}),  # before he came
    ],
)
def test_what_is_unread_are_the_others_messages_behind_where_somebody_came_in(evidence, told, kinds):
    evidence.listed["bob", ROOM] = told
    assert found(evidence) == kinds


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        (listed(4, 1), set()),
        (listed(2, 2), {checker.UNREAD}),  # what was answered is kept
        (listed(5, 0), set()),  # asked for, and the answer was lost
        (listed(6, 0), {checker.UNREAD}),  # nobody read so far
        (listed(4, 7, head=6), set()),  # the log has gone on since
    ],
)
def test_somebody_has_read_as_far_as_their_devices_did(evidence, told, kinds):
    evidence.history += [reading("reads", 4), reading("has_read", 4), reading("reads", 5)]
    evidence.listed["bob", ROOM] = told
    assert found(evidence) == kinds


def test_ones_own_messages_and_deleted_ones_are_not_unread_nor_what_is_listed_to_who_is_out(evidence):
    evidence.listed["ada", ROOM] = listed(1, 0)
    evidence.listed["eve", ROOM] = listed(7, 9)
    assert found(evidence) == set()
    evidence.logs[ROOM].snapshots[5] = Snapshot.of(snapshot(5, 7, deleted=True))
    evidence.listed["bob", ROOM] = listed(2, 1)
    assert checker.UNREAD not in found(evidence)


def react(event: str, rev: int, t: int, **more: Any) -> list[dict]:
    """A reaction of Bob's to message 5 from the outbox to its ack."""
    where = {"c": "bob", "room": ROOM, "client_id": f"bob-{t}", "event": event}
    return [
        {"t": t, "e": "send", **where, "seq": 5, "emoji": "👍", "in_flight": 1},
        {"t": t + 1, "e": "try", "n": 1, **where},
        {"t": t + 9, "e": "ack", **where, "seq": 5, "rev": rev, **more},
    ]


@pytest.mark.parametrize(
    ("asked", "who", "kinds"),
    [
        ([react("reaction:add", 8, 500)], ("bob",), set()),
        ([react("reaction:add", 8, 500)], (), {checker.LOST}),
        ([react("reaction:add", 8, 500), react("reaction:remove", 9, 520)], (), set()),
        ([react("reaction:add", 8, 500), react("reaction:remove", 9, 520)], ("bob",), {checker.LOST}),
        ([react("reaction:add", 8, 500, e="refused", code="reactions_full")], (), set()),
    ],
)
def test_a_reaction_that_was_acked_and_is_not_so_is_found(evidence, asked, who, kinds):
    evidence.logs[ROOM].reacted[5] = {"👍": who}
    for records in asked:
        evidence.history += records
    assert found(evidence) == kinds


def test_reactions_that_somebody_counts_otherwise_are_found(evidence):
    stored = evidence.logs[ROOM].snapshots
    stored[5] = Snapshot.of(snapshot(5, reactions={"👍": 2}))
    assert found(evidence) == {checker.SNAPSHOTS}
