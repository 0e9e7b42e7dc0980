"""Long answers of the API, packed for the page that takes them so: docs/decisions/0033-packed-answers.md."""

from __future__ import annotations

from flask import Response, request

from chat.services.runtime.packing import gzipped

WORTH_PACKING_BYTES = 1_000


def pack(response: Response) -> None:
    """Packs what the API says at length, when a page of ours asked for it. Nothing about signing in."""
    if request.method != "GET" or not response.is_json or response.is_streamed or request.blueprint == "auth":
        return
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    body = response.get_data()
    if len(body) < WORTH_PACKING_BYTES or not _is_wanted():
        return
    response.set_data(gzipped(body))
    response.headers["Content-Encoding"] = "gzip"


def _is_wanted() -> bool:
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return is_ours and request.accept_encodings.quality("gzip") > 0
