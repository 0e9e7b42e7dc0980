"""What a client has not taken yet leaves whole and in order, or not at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.sockets.transport.content import frame_tells
from chat.sockets.transport.fast.backlog import MAX_BATCH_BYTES, Backlog
from chat.sockets.transport.frames import CLOSE, PONG, TEXT, close_frame, frame

CONTENT = frame(TEXT, b'42["message:sent",{"text":"session:"}]')
LARGE = frame(TEXT, b'42["message:sent",{"text":"' + b"x" * 70_000 + b'"}]')
HARMLESS = frame(TEXT, b'42["session:ended",{}]')


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40)), st.lists(st.integers(1, 50)), st.integers(0, 39))
def test_however_little_is_taken_all_of_it_leaves_in_order(frames: list[bytes], takes: list[int], begun: int) -> None:
    backlog, whole = Backlog(), b"".join(frames)
    sent = min(begun, len(whole))
    backlog.add(frames, sent)
    out = whole[:sent]
    for take in [*takes, len(whole)]:
        assert backlog.size == len(whole) - len(out)
        batch = backlog.batch()[:take]
        out += batch
        backlog.left(len(batch))
    assert out == whole and not backlog and backlog.size == 0


def test_a_batch_is_bounded() -> None:
    backlog = Backlog()
    backlog.add([b"x" * 60_000] * 10)
    assert MAX_BATCH_BYTES <= len(backlog.batch()) < MAX_BATCH_BYTES + 60_000


def test_what_may_not_leave_any_more_is_dropped() -> None:
    backlog = Backlog()
    backlog.add([CONTENT, HARMLESS, LARGE])
    assert backlog.keep(lambda data: not frame_tells(data))
    assert backlog.batch() == HARMLESS and backlog.size == len(HARMLESS)


def test_a_frame_that_has_begun_and_may_not_go_on_is_told() -> None:
    backlog = Backlog()
    backlog.add([CONTENT, HARMLESS], sent=5)
    assert not backlog.keep(lambda data: not frame_tells(data))


def test_one_that_has_begun_and_may_go_on_does() -> None:
    backlog = Backlog()
    backlog.add([HARMLESS, CONTENT], sent=5)
    assert backlog.keep(lambda data: not frame_tells(data))
    assert backlog.batch() == HARMLESS[5:]


def test_every_length_of_frame_is_judged_by_its_packet() -> None:
    for size in (0, 50, 200, 70_000):
        text = b'{"text":"' + b"x" * size + b'"}'
        assert frame_tells(frame(TEXT, b'42["message:sent",' + text + b"]"))
        assert frame_tells(frame(TEXT, b'437[{"ok":true,"a":' + text + b"}]"))
        assert not frame_tells(frame(TEXT, b'437[{"ok":false,"a":' + text + b"}]"))
        assert not frame_tells(frame(TEXT, b'42["rooms:changed",' + text + b"]"))
    for harmless in (frame(TEXT, b"2"), frame(TEXT, b"1"), frame(PONG, b"42["), frame(CLOSE, b""), close_frame(1001)):
        assert not frame_tells(harmless)
