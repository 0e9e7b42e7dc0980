"""Who may what in which room, written from docs/protocol.md: what test_matrix.py asks of the services, cell by cell.

A line is what is asked, a column who asks, and a word the answer. What they have to do with the room:

| column | who |
|---|---|
| `stranger` | has an account, and was never in the room |
| `member` | there from the beginning |
| `late` | came after the early messages |
| `back` | was there from the beginning, was put out, and came back when `late` came |
| `left` | was there from the beginning, and went |
| `removed` | was there from the beginning, and was put out by the owner |
| `owner` | made the room |
| `former` | made a room like it, and went |

`early` messages are from before `late` came, `later` ones from after; one of the early ones was changed since. A dot:
there is no such thing (who was never there wrote nothing there).
"""

from __future__ import annotations

# Word → the code of the refusal (docs/protocol.md, Errors).
REFUSALS = {
    "room": "room_not_found",
    "message": "message_not_found",
    "reply": "reply_not_found",
    "author": "not_author",
    "owner": "not_room_owner",
    "deleted": "message_deleted",
    "user": "user_not_found",
    "required": "room_required",
}
# Of the list: `listed` among mine, `joinable`, or `hidden`. Of pages: `all`, `since` they came, `none`. Of writing:
# `ok`, or `seq` when what became of it is not theirs to see.

PRIVATE = """
                                 stranger  member    late      back      left      removed   owner     former
the list                         hidden    listed    listed    listed    hidden    hidden    listed    hidden
join                             room      room      room      room      room      room      room      room
leave                            room      ok        ok        ok        room      room      ok        room
leave to a member                room      owner     owner     owner     room      room      ok        room
leave to who is not there        room      owner     owner     owner     room      room      user      room
invite a stranger                room      ok        ok        ok        room      room      ok        room
invite who is there              room      ok        ok        ok        room      room      ok        room
invite nobody                    room      user      user      user      room      room      user      room
remove a member                  room      owner     owner     owner     room      room      ok        room
remove the owner                 room      owner     owner     owner     room      room      .         room
remove who is not there          room      owner     owner     owner     room      room      user      room
remove nobody                    room      owner     owner     owner     room      room      user      room
members                          room      ok        ok        ok        room      room      ok        room
the newest page                  room      all       since     since     room      room      all       room
a page after nothing             room      all       since     since     room      room      all       room
a page before an early one       room      all       none      none      room      room      all       room
a page before a later one        room      all       since     since     room      room      all       room
a page around an early one       room      all       since     since     room      room      all       room
send by http                     room      ok        ok        ok        room      room      ok        room
open                             room      all       since     since     room      room      all       room
open after the first entry       room      all       since     since     room      room      all       room
read                             room      ok        ok        ok        room      room      ok        room
start typing                     room      ok        ok        ok        room      room      ok        room
stop typing                      room      ok        ok        ok        room      room      ok        room
send                             room      ok        ok        ok        room      room      ok        room
send again what is sent          .         ok        ok        seq       seq       seq       ok        seq
reply to an early one            room      ok        reply     reply     room      room      ok        room
reply to a later one             room      ok        ok        ok        room      room      ok        room
reply to a deleted one           room      ok        ok        ok        room      room      ok        room
reply to no message              room      reply     reply     reply     room      room      reply     room
edit my early one                .         ok        .         message   room      room      ok        room
edit my later one                .         ok        ok        ok        .         .         ok        .
edit another's early one         room      author    message   message   room      room      author    room
edit another's later one         room      author    author    author    room      room      author    room
edit what I deleted              .         deleted   .         .         .         .         .         .
edit what another deleted        room      .         author    author    room      room      author    room
edit no message                  room      message   message   message   room      room      message   room
delete my early one              .         ok        .         message   room      room      ok        room
delete my later one              .         ok        ok        ok        .         .         ok        .
delete another's early one       room      author    message   message   room      room      author    room
delete another's later one       room      author    author    author    room      room      author    room
delete what I deleted            .         deleted   .         .         .         .         .         .
delete what another deleted      room      .         author    author    room      room      author    room
delete no message                room      message   message   message   room      room      message   room
react to an early one            room      ok        message   message   room      room      ok        room
react to a later one             room      ok        ok        ok        room      room      ok        room
react to a deleted one           room      deleted   deleted   deleted   room      room      deleted   room
react to no message              room      message   message   message   room      room      message   room
unreact from an early one        room      ok        message   message   room      room      ok        room
unreact from a later one         room      ok        ok        ok        room      room      ok        room
unreact from a deleted one       room      deleted   deleted   deleted   room      room      deleted   room
unreact from no message          room      message   message   message   room      room      message   room
who reacted to an early one      room      ok        message   message   room      room      ok        room
who reacted to a later one       room      ok        ok        ok        room      room      ok        room
who reacted to a deleted one     room      deleted   deleted   deleted   room      room      deleted   room
who reacted to no message        room      message   message   message   room      room      message   room
"""

PUBLIC = """
                                 stranger  member    late      back      left      removed   owner     former
the list                         joinable  listed    listed    listed    joinable  joinable  listed    joinable
join                             ok        ok        ok        ok        ok        ok        ok        ok
leave                            room      ok        ok        ok        room      room      ok        room
leave to a member                room      owner     owner     owner     room      room      ok        room
leave to who is not there        room      owner     owner     owner     room      room      user      room
invite a stranger                room      ok        ok        ok        room      room      ok        room
invite who is there              room      ok        ok        ok        room      room      ok        room
invite nobody                    room      user      user      user      room      room      user      room
remove a member                  room      owner     owner     owner     room      room      ok        room
remove the owner                 room      owner     owner     owner     room      room      .         room
remove who is not there          room      owner     owner     owner     room      room      user      room
remove nobody                    room      owner     owner     owner     room      room      user      room
members                          room      ok        ok        ok        room      room      ok        room
the newest page                  room      all       all       all       room      room      all       room
a page after nothing             room      all       all       all       room      room      all       room
a page before an early one       room      all       all       all       room      room      all       room
a page before a later one        room      all       all       all       room      room      all       room
a page around an early one       room      all       all       all       room      room      all       room
send by http                     room      ok        ok        ok        room      room      ok        room
open                             room      all       all       all       room      room      all       room
open after the first entry       room      all       all       all       room      room      all       room
read                             room      ok        ok        ok        room      room      ok        room
start typing                     room      ok        ok        ok        room      room      ok        room
stop typing                      room      ok        ok        ok        room      room      ok        room
send                             room      ok        ok        ok        room      room      ok        room
send again what is sent          .         ok        ok        ok        seq       seq       ok        seq
reply to an early one            room      ok        ok        ok        room      room      ok        room
reply to a later one             room      ok        ok        ok        room      room      ok        room
reply to a deleted one           room      ok        ok        ok        room      room      ok        room
reply to no message              room      reply     reply     reply     room      room      reply     room
edit my early one                .         ok        .         ok        room      room      ok        room
edit my later one                .         ok        ok        ok        .         .         ok        .
edit another's early one         room      author    author    author    room      room      author    room
edit another's later one         room      author    author    author    room      room      author    room
edit what I deleted              .         deleted   .         .         .         .         .         .
edit what another deleted        room      .         author    author    room      room      author    room
edit no message                  room      message   message   message   room      room      message   room
delete my early one              .         ok        .         ok        room      room      ok        room
delete my later one              .         ok        ok        ok        .         .         ok        .
delete another's early one       room      author    author    author    room      room      author    room
delete another's later one       room      author    author    author    room      room      author    room
delete what I deleted            .         deleted   .         .         .         .         .         .
delete what another deleted      room      .         author    author    room      room      author    room
delete no message                room      message   message   message   room      room      message   room
react to an early one            room      ok        ok        ok        room      room      ok        room
react to a later one             room      ok        ok        ok        room      room      ok        room
react to a deleted one           room      deleted   deleted   deleted   room      room      deleted   room
react to no message              room      message   message   message   room      room      message   room
unreact from an early one        room      ok        ok        ok        room      room      ok        room
unreact from a later one         room      ok        ok        ok        room      room      ok        room
unreact from a deleted one       room      deleted   deleted   deleted   room      room      deleted   room
unreact from no message          room      message   message   message   room      room      message   room
who reacted to an early one      room      ok        ok        ok        room      room      ok        room
who reacted to a later one       room      ok        ok        ok        room      room      ok        room
who reacted to a deleted one     room      deleted   deleted   deleted   room      room      deleted   room
who reacted to no message        room      message   message   message   room      room      message   room
"""

# Everybody is in `general`, from their first request on; nobody owns it, and nobody leaves it. And a room that there is
# not answers everybody as one that is not theirs.
GENERAL_AND_NONE = """
                                 newcomer  member    nowhere
the list                         listed    listed    hidden
join                             ok        ok        room
leave                            required  required  room
leave to a member                required  required  room
leave to who is not there        required  required  room
invite a stranger                ok        ok        room
invite who is there              ok        ok        room
invite nobody                    user      user      room
remove a member                  owner     owner     room
remove who is not there          owner     owner     room
remove nobody                    owner     owner     room
members                          ok        ok        room
the newest page                  all       all       room
a page after nothing             all       all       room
a page before an early one       all       all       room
a page before a later one        all       all       room
a page around an early one       all       all       room
send by http                     ok        ok        room
open                             all       all       room
open after the first entry       all       all       room
read                             ok        ok        room
start typing                     ok        ok        room
stop typing                      ok        ok        room
send                             ok        ok        room
send again what is sent          .         ok        .
reply to an early one            ok        ok        room
reply to a later one             ok        ok        room
reply to a deleted one           ok        ok        room
reply to no message              reply     reply     room
edit my early one                .         ok        .
edit my later one                .         ok        .
edit another's early one         author    author    room
edit another's later one         author    author    room
edit what I deleted              .         deleted   .
edit what another deleted        author    .         room
edit no message                  message   message   room
delete my early one              .         ok        .
delete my later one              .         ok        .
delete another's early one       author    author    room
delete another's later one       author    author    room
delete what I deleted            .         deleted   .
delete what another deleted      author    .         room
delete no message                message   message   room
react to an early one            ok        ok        room
react to a later one             ok        ok        room
react to a deleted one           deleted   deleted   room
react to no message              message   message   room
unreact from an early one        ok        ok        room
unreact from a later one         ok        ok        room
unreact from a deleted one       deleted   deleted   room
unreact from no message          message   message   room
who reacted to an early one      ok        ok        room
who reacted to a later one       ok        ok        room
who reacted to a deleted one     deleted   deleted   room
who reacted to no message        message   message   room
"""

WIDTH = 33  # of the first column


def read(table: str) -> dict[str, dict[str, str]]:
    """What is asked → who asks → the word, without the dots."""
    head, *lines = table.strip("\n").splitlines()
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        asked, words = line[:WIDTH].strip(), line[WIDTH:].split()
        cells = zip(head.split(), words, strict=True)
        assert asked not in found, asked
        found[asked] = {who: word for who, word in cells if word != "."}
    return found


EXPECTED = {kind: read(table) for kind, table in (("private", PRIVATE), ("public", PUBLIC), ("", GENERAL_AND_NONE))}
CELLS = sum(len(line) for table in EXPECTED.values() for line in table.values())

# A route or an event that speaks of a room → the lines above that ask what stands behind it.
LINES: dict[str, tuple[str, ...]] = {
    "GET /api/rooms": ("the list",),
    "POST /api/rooms/<room>/join": ("join",),
    "POST /api/rooms/<room>/leave": ("leave", "leave to a member", "leave to who is not there"),
    "POST /api/rooms/<room>/invite": ("invite a stranger", "invite who is there", "invite nobody"),
    "POST /api/rooms/<room>/remove": (
        "remove a member",
        "remove the owner",
        "remove who is not there",
        "remove nobody",
    ),
    "GET /api/rooms/<room>/members": ("members",),
    "GET /api/rooms/<room>/messages": (
        "the newest page",
        "a page after nothing",
        "a page before an early one",
        "a page before a later one",
        "a page around an early one",
    ),
    "POST /api/rooms/<room>/messages": ("send by http",),
    "message:send": (
        "send",
        "send again what is sent",
        "reply to an early one",
        "reply to a later one",
        "reply to a deleted one",
        "reply to no message",
    ),
    **{
        f"message:{act}": (
            f"{act} my early one",
            f"{act} my later one",
            f"{act} another's early one",
            f"{act} another's later one",
            f"{act} what I deleted",
            f"{act} what another deleted",
            f"{act} no message",
        )
        for act in ("edit", "delete")
    },
    **{
        event: (f"{act} an early one", f"{act} a later one", f"{act} a deleted one", f"{act} no message")
        for event, act in (
            ("reaction:add", "react to"),
            ("reaction:remove", "unreact from"),
            ("reaction:list", "who reacted to"),
        )
    },
    "room:open": ("open", "open after the first entry"),
    "room:read": ("read",),
    "typing:start": ("start typing",),
    "typing:stop": ("stop typing",),
}
