"""`python -m tests.transport.fuzz.guided frames -runs=1000000`: bytes that coverage leads to, for the same checks.
Needs `pip install atheris`. The first argument is `frames`, `packet` or `handshake`; the others are libFuzzer's."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["chat.sockets.transport", "json"]):
    from tests.transport.fuzz.readers import check_opening, check_packet, check_stream
from tests.transport.fuzz.requests import PIECES, opening
from tests.transport.fuzz.streams import HEADS, NO_UTF8, STRANGE, stream, text

SEEDS = 2_000
MAX_BYTES = 4_096


def frames(data: bytes) -> None:
    check_stream(data, Random(len(data)))


def packet(data: bytes) -> None:
    check_packet(data.decode(errors="replace"))


CHECKS: dict[str, Callable[[bytes], None]] = {"frames": frames, "packet": packet, "handshake": check_opening}
MAKERS: dict[str, Callable[[Random], bytes]] = {
    "frames": stream,
    "packet": lambda rng: text(rng)[1:].encode(),
    "handshake": lambda rng: opening(rng, 8000),
}
WORDS = {"frames": HEADS + NO_UTF8, "packet": [word.encode() for word in STRANGE], "handshake": PIECES}


def main() -> None:
    kind, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        corpus, words = Path(name) / "corpus", Path(name) / "words"
        corpus.mkdir()
        for number in range(SEEDS):
            (corpus / str(number)).write_bytes(MAKERS[kind](Random(number))[:MAX_BYTES])
        short = [word for word in WORDS[kind] if len(word) <= 64]
        words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in short))
        options = [f"-dict={words}", f"-max_len={MAX_BYTES}", "-timeout=1", *options, str(corpus)]
        atheris.Setup([sys.argv[0], *options], CHECKS[kind])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
