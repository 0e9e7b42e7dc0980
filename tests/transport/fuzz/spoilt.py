"""Bytes as no client means them: flipped, cut, doubled, joined, and with foreign pieces in them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def spoil(rng: Random, data: bytes, pieces: Sequence[bytes], times: int) -> bytes:
    """The bytes after so many changes; `pieces` are what may get into them."""
    for _ in range(times):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((0, 1, 1, 2, 4, 16, 200)))
        change = rng.randrange(6)
        if change == 0 and at < len(data):
            data = data[:at] + bytes((data[at] ^ (1 << rng.randrange(8)),)) + data[at + 1 :]
        elif change == 1:
            data = data[:at] + data[end:]
        elif change == 2:
            data = data[:end] + data[at:end] + data[end:]
        elif change == 3:
            data = data[:at] + rng.choice(pieces) + data[end:]
        elif change == 4:
            data = data[:at] + rng.randbytes(rng.randint(1, 4)) + data[end:]
        elif rng.randrange(4) == 0:
            data = data[:at]
    return data
