"""What must hold of our readers, whatever they are fed. Each function takes one case and raises AssertionError, or
whatever a reader raised that it may not."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from types import SimpleNamespace
from typing import Any

from gunicorn.http.errors import ParseException
from socketio.packet import Packet
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from chat.config import Config
from chat.errors import ChatError
from chat.sockets.transport.admission import Admission
from chat.sockets.transport.fast.handshake import environ_of
from chat.sockets.transport.frames import (
    BAD_TEXT,
    CLOSE,
    MAX_MESSAGE_BYTES,
    PROTOCOL_ERROR,
    TEXT,
    FrameReader,
    Refused,
    close_answer,
    sole_text,
)
from chat.sockets.transport.packets import ClientPacket, Malformed, decode
from chat.sockets.transport.slow_clients import PEEK_BYTES
from tests.transport.peers import masked
from tests.transport.test_handshake import ADDRESS, by_gunicorn, same

Messages = list[tuple[int, bytes]]


def check_stream(data: bytes, rng: Random) -> None:
    """Frames: how the bytes are cut makes no difference; another reader says the same; nothing is kept beyond a
    message; what is taken is taken again."""
    messages, code, whole = taken(data, [])
    cuts = range(1, len(data)) if rng.randrange(4) == 0 and len(data) < 2_000 else _cuts(rng, len(data))
    assert taken(data, cuts) == (messages, code, whole), "it matters how the bytes are cut"
    if (sole := sole_text(data)) is not None:
        assert (messages, code) in (([(TEXT, sole)], None), ([], BAD_TEXT)), "not one text frame"
    for kind, payload in messages:
        assert taken(masked(kind, payload), []) == ([(kind, payload)], None, True), "not taken again"
        if kind == TEXT and payload.startswith(b"4"):
            check_packet(payload[1:].decode())
    _compare(data, messages, code, whole)


def check_packet(text: str) -> None:
    """A packet is decoded or malformed; what is decoded is the same when written and read again, and to the installed
    decoder."""
    try:
        packet = decode(text)
    except Malformed:
        return
    written = Packet(packet.kind, packet.data, packet.namespace, packet.id, binary=False).encode()
    assert decode(written) == packet, "not the same when read again"
    try:
        theirs = Packet(encoded_packet=text)
    except ValueError as error:
        if "Integer is too large" in str(error):  # over 100 digits; Python's own limit is 4,300
            return
        raise
    said = ClientPacket(theirs.packet_type, theirs.namespace or "/", theirs.id, theirs.data)
    assert said == packet, "the installed decoder says something else"


def check_opening(data: bytes) -> None:
    """A handshake is read as gunicorn reads it, or not at all; and admission says yes or no to it."""
    peeked = data[:PEEK_BYTES]
    environ = environ_of(peeked, ADDRESS) if same(peeked) else None
    if environ is None:
        try:
            environ = by_gunicorn(data)
        except (ParseException, OSError, StopIteration):  # gunicorn has no word for them all
            return
    try:
        ADMISSION.admit(environ).free()
    except ChatError:
        pass
    assert not ADMISSION.slots.taken and not ADMISSION.slots.by_address


def taken(data: bytes, cuts: Iterable[int]) -> tuple[Messages, int | None, bool]:
    """What the reader makes of it, up to a close or a refusal; the refusal's code; whether nothing is unfinished."""
    reader, found, start = FrameReader(), Messages(), 0
    try:
        for end in [*cuts, len(data)]:
            reader.feed(data[start:end])
            start = end
            while (message := reader.next()) is not None:
                if message[0] == CLOSE:
                    close_answer(message[1])
                    return [*found, message], None, not reader._fragments
                if message[0] == TEXT and not _is_utf8(message[1]):
                    return found, BAD_TEXT, False
                found.append(message)
            assert len(reader._buffer) + len(reader._message) <= MAX_MESSAGE_BYTES + 14, "too much is kept"
    except Refused as refused:
        return found, refused.code, False
    return found, None, reader.empty


def _compare(data: bytes, ours: Messages, code: int | None, whole: bool) -> None:
    """With what wsproto reads, which takes more: binary, any size, any number of fragments."""
    theirs, failed = _by_wsproto(data)
    if failed is None and code in (PROTOCOL_ERROR, BAD_TEXT):  # it may have wanted the rest of the head, and a byte
        failed = _by_wsproto(data + bytes(13))[1]
    if failed is None:
        assert code not in (PROTOCOL_ERROR, BAD_TEXT), f"refused with {code}, and wsproto takes it"
    elif code is None:
        assert failed == BAD_TEXT and not whole, f"taken, and wsproto refuses it with {failed}"
    shared = min(len(ours), len(theirs))
    assert theirs[:shared] == ours[:shared], "wsproto reads another message"
    assert shared == len(ours) or failed is not None, "wsproto reads fewer messages"
    assert shared == len(theirs) or code is not None, "wsproto reads more messages"


def _by_wsproto(data: bytes) -> tuple[Messages, int | None]:
    protocol, found, message = FrameProtocol(client=False, extensions=[]), Messages(), b""
    protocol.receive_bytes(data)
    try:
        for frame in protocol.received_frames():
            payload: Any = frame.payload
            if frame.opcode is Opcode.CLOSE:
                code, reason = payload
                said = b"" if code == 1005 else code.to_bytes(2, "big") + (reason or "").encode()
                return [*found, (CLOSE, said)], None
            if frame.opcode.iscontrol():
                found.append((int(frame.opcode), bytes(payload)))
                continue
            message += payload.encode() if isinstance(payload, str) else bytes(payload)
            if frame.message_finished:
                found.append((int(frame.opcode), message))
                message = b""
    except ParseFailed as failed:
        return found, int(failed.code)
    return found, None


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cuts(rng: Random, size: int) -> list[int]:
    return sorted(rng.randrange(size + 1) for _ in range(rng.randint(1, 5)))


def _admission() -> Admission:
    config = Config(secret_key="x" * 43, trusted_proxy_hops=1)
    return Admission(lambda *_: [], config, SimpleNamespace(draining=False, deaf=False), {})  # type: ignore[arg-type]


ADMISSION = _admission()
