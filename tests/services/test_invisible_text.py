"""A message shows something: what nobody can see is empty, from people and from rows alike."""

from __future__ import annotations

import unicodedata

import pytest

from chat.errors import ChatError
from chat.services.ingest.ingest import Ingest
from chat.services.messages.text import check_text, shows
from chat.services.storage.changes import Change
from tests.services.conftest import ALICE

NOTHING = [
    "",
    " \t\n\u3000\u2029",
    "\u200b",
    "\u200b\u200c\u200d\u2060\ufeff" * 50,
    "\x00",
    "\x01\x02\x1b\x7f\x9b",
    "\u202e\u2066\u2069\u200f\u061c",
    "\u3164",
    "\uffa0 \u115f\u1160",
    "\u2800\u2800",
    "\ufe0f\u200d\ufe0e",
    "\xad\u034f\u180e",
    "\U000e0067\U000e007f\U000e0100",
    " \u200b" * 2_000,
]
SOMETHING = ["a", ".", "\u200ba", "‮a", "👩‍👧", "❤️", "́", "\U000f0000", "؀", "\U0001fae9", "\ufffd", "⁣·", "אב", "ᅟ가"]


def refusal(text: str) -> str | None:
    try:
        check_text(text)
    except ChatError as refused:
        return refused.code
    return None


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_what_shows_nothing_is_empty(text):
    assert not shows(text)
    assert refusal(text) == "text_empty"


@pytest.mark.parametrize("text", SOMETHING, ids=ascii)
def test_what_shows_anything_is_a_message(text):
    assert shows(text) and refusal(text) is None


def test_every_letter_number_sign_and_mark_shows_but_those_that_unicode_leaves_out():
    left_out = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    left_out |= {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)}
    for code in range(0x110000):
        if unicodedata.category(chr(code))[0] in "LNSPM" and code not in left_out:
            assert shows(chr(code)), hex(code)
        elif unicodedata.category(chr(code)) in ("Cc", "Zs", "Zl", "Zp"):
            assert not shows(chr(code)), hex(code)


def test_neither_a_send_an_edit_nor_a_row_can_say_nothing(worker):
    ingest = Ingest(worker.storage, worker.rooms, worker.log, worker.bus)
    sent = worker.messages.send(ALICE, "general", "a", "hello")
    for text in NOTHING:
        with pytest.raises(ChatError, match="empty"):
            worker.messages.send(ALICE, "general", "b", text)
        with pytest.raises(ChatError, match="empty"):
            worker.messages.edit(ALICE, "general", "c", sent["seq"], text)
    rows = [{"text": text, "username": "ci"} for text in NOTHING] + [{"text": "seen", "username": "\u3164"}]
    rows.append({"text": "seen", "username": "ci"})
    for n, row in enumerate(rows):
        ingest.take([Change("INSERT", "general", str(n), row, str(n).zfill(40), "s")])
    aside = {bad.id for bad in worker.storage.external.rejected_rows()}
    assert aside == {str(n) for n in range(len(rows) - 1)}
    texts = [snapshot.text for _, snapshot in worker.storage.entries.after("general", 0, 100) if snapshot]
    assert texts == ["hello", "seen"]
