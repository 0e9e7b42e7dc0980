"""Long answers of the API, packed for the page that takes them so: docs/decisions/0033-packed-answers.md."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import gevent
from flask import Response, request

WORTH_PACKING_BYTES = 1_000
LEVEL = 4  # a page of 28 kB takes 0.3 ms
PIECE_BYTES = 65_536  # about 1 ms: the hub has its turn before the next one
GZIP = 31  # what zlib calls a window of 32 kB with gzip's head


def pack(response: Response) -> None:
    """Packs what the API says at length, when a page of ours asked for it. Nothing about signing in."""
    if request.method != "GET" or not response.is_json or response.is_streamed or request.blueprint == "auth":
        return
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    body = response.get_data()
    if len(body) < WORTH_PACKING_BYTES or not _is_wanted():
        return
    response.set_data(b"".join(_packed(body)))
    response.headers["Content-Encoding"] = "gzip"


def _is_wanted() -> bool:
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return is_ours and request.accept_encodings.quality("gzip") > 0


def _packed(body: bytes) -> Iterator[bytes]:
    packer = zlib.compressobj(LEVEL, wbits=GZIP)
    for at in range(0, len(body), PIECE_BYTES):
        if at:
            gevent.sleep(0)
        yield packer.compress(body[at : at + PIECE_BYTES])
    yield packer.flush()
