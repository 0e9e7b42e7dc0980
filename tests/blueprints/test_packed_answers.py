"""What the API says at length is packed for the page: never about signing in, nor for another site's page."""

from __future__ import annotations

import gzip

import gevent
import pytest

from chat.blueprints import packing
from chat.services.runtime import packing as pieces

GENERAL = "/api/rooms/general/messages"
PAGE = {"Accept-Encoding": "gzip, br", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def alice(client, auth):
    """Somebody who has said things."""
    auth.enter("alice")
    for n in range(20):
        assert client.post(GENERAL, json={"client_id": f"m{n}", "text": f"message {n} " * 8}).status_code == 201
    return client


def test_a_page_of_messages_is_a_fraction_as_long_and_says_the_same(alice):
    plain, packed = alice.get(GENERAL), alice.get(GENERAL, headers=PAGE)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) == int(packed.headers["Content-Length"]) < len(plain.data) / 4
    assert gzip.decompress(packed.data) == plain.data
    for answer in (plain, packed):
        assert {"Cookie", "Origin", "Accept-Encoding", "Sec-Fetch-Site"} <= set(answer.vary)
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "br, gzip;q=0"},
        {"Accept-Encoding": "gzip"},
        {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"},
        {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-site"},
        {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "none"},
    ],
)
def test_what_no_page_of_ours_asked_for_in_that_form_stays_as_it_is(alice, headers):
    answer = alice.get(GENERAL, headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert answer.json["messages"]


def test_what_is_short_or_about_signing_in_is_not_packed(alice, monkeypatch):
    assert "Content-Encoding" not in alice.get("/api/rooms", headers=PAGE).headers
    monkeypatch.setattr(packing, "WORTH_PACKING_BYTES", 1)
    assert alice.get("/api/rooms", headers=PAGE).headers["Content-Encoding"] == "gzip"
    for path in ("/api/auth/protected", "/api/auth/sessions"):
        answer = alice.get(path, headers=PAGE)
        assert answer.status_code == 200 and "Content-Encoding" not in answer.headers, path


def test_the_hub_has_its_turn_between_the_pieces_of_a_long_answer(alice, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1_000)
    turns = []
    monkeypatch.setattr(gevent, "sleep", lambda seconds: turns.append(seconds))
    plain = alice.get(GENERAL)
    assert turns == []
    packed = alice.get(GENERAL, headers=PAGE)
    assert gzip.decompress(packed.data) == plain.data
    assert len(turns) == (len(plain.data) - 1) // 1_000
