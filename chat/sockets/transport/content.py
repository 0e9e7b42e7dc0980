"""What tells something of a room, and what does not: a socket whose session may be over gets only the latter."""

from __future__ import annotations

import re

# What tells nothing of a room: connects and disconnects, refusals, answers without a word (to a ping), and these
# events. All else is content.
HARMLESS = re.compile(r'[014]|2\["(?:session:|server:|rooms:changed")|3\d+\[(?:\]|\{"ok":false)')
HEAD_BYTES = 64  # of a packet that the expression may look at
TEXT_FRAME = 0x81


def tells(packet: str) -> bool:
    """Whether this Socket.IO packet is content."""
    return HARMLESS.match(packet) is None


def frame_tells(frame: bytes) -> bool:
    """Whether this websocket frame, as a server sends it, carries content."""
    at = 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10
    if frame[0] != TEXT_FRAME or frame[at : at + 1] != b"4":
        return False
    return tells(frame[at + 1 : at + 1 + HEAD_BYTES].decode(errors="replace"))
