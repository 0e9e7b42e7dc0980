"""The other end of chat/services/runtime/child.py: a fresh interpreter that limits itself, and then decodes.

Run by its path. Until the limits stand, nothing of a stranger's is read; the decoder is imported after that. Standard
library alone, and little of it: each decoding starts one.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import cast

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PIECE = 1 << 20
MOST_TOLD = 200
OUR_END = 0  # the socket to who started us, for both directions
DONE, RAISED, NO_MEMORY = b"=", b"!", b"m"
LENGTH_BYTES = 8


def limit(within_s: int, cpu_s: int, memory_bytes: int, files: int) -> None:
    """From now on this process, and what it starts, can take no more than that, and write no file."""
    signal.alarm(within_s)  # if whoever started us cannot end us any more
    os.closerange(OUR_END + 3, os.sysconf("SC_OPEN_MAX"))
    _lower(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)  # SIGXCPU says why; who ignores it is killed
    _lower(resource.RLIMIT_NOFILE, files, files)
    _lower(resource.RLIMIT_FSIZE, 0, 0)
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_NPROC, 0, 0)  # counts for everybody but root
    if sys.platform == "linux":  # elsewhere it is not kept to, or cannot be set
        _lower(resource.RLIMIT_AS, memory_bytes, memory_bytes)


def _lower(what: int, soft: int, hard: int) -> None:
    """To that, or to what somebody has set already."""
    already = resource.getrlimit(what)[1]
    if already != resource.RLIM_INFINITY:
        soft, hard = min(soft, already), min(hard, already)
    resource.setrlimit(what, (soft, hard))


def heard() -> bytes:
    """All that we are given."""
    given = bytearray()
    while piece := os.read(OUR_END, PIECE):
        given += piece
    return bytes(given)


def say(kind: bytes, what: bytes) -> None:
    """The answer: its kind, its length, itself."""
    left = memoryview(kind + len(what).to_bytes(LENGTH_BYTES, "big") + what)
    while left:
        left = left[os.write(OUR_END, left) :]


def main(name: str, *limits: str) -> None:
    """Decodes what is heard by `module:function` and says what came of it."""
    limit(*map(int, limits))
    given = heard()
    sys.path.insert(0, ROOT)
    try:
        module, _, function = name.partition(":")
        decoder = cast(Callable[[bytes], bytes], getattr(import_module(module), function))
        say(DONE, bytes(memoryview(decoder(given))))
    except MemoryError:
        say(NO_MEMORY, b"")
    except BaseException as error:
        say(RAISED, ascii(error)[:MOST_TOLD].encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # whatever the decoder has left to be done at the end
