"""What the page knows before it asks, the server knows too: the same limits and the same sentences."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from chat.errors import KINDS, misdirected, unexpected
from chat.names import ROOM_NAME_CHARS
from chat.services.messages import text

PAGE = Path(__file__).resolve().parents[1] / "frontend" / "src"
SOURCE = "\n".join(path.read_text() for path in PAGE.rglob("*.ts*") if ".test." not in path.name)
OWN_WORDS = {"internal"}  # the page's sentence says that the server gave no reason


def test_a_message_may_be_as_long_in_the_page_as_at_the_server():
    (most,) = re.findall(r"\bconst MAX_CHARACTERS = ([\d_]+)", SOURCE)
    assert int(most.replace("_", "")) == text.MAX_TEXT_CHARS


def test_a_rooms_name_may_be_as_long_in_the_page_as_at_the_server():
    (field,) = re.findall(r'<TextField label={t\("Room name"\)}[^>]*>', SOURCE)
    assert f"maxLength={{{ROOM_NAME_CHARS[1]}}}" in field


def test_a_refusal_that_the_page_makes_up_says_what_the_server_would():
    said = dict(re.findall(r'code: "([a-z_]+)",\s+message: t\("([^"]+)"\)', SOURCE))
    shared = said.keys() & KINDS.keys() - OWN_WORDS
    assert shared and {code: said[code] for code in shared} == {code: KINDS[code].message for code in shared}


def test_each_refusal_of_the_server_has_words_in_every_other_language():
    catalogues = sorted((PAGE / "words").glob("*.po"))
    assert catalogues
    for catalogue in catalogues:
        said = dict(re.findall(r'#\. (.+)\nmsgid "refusal\.([a-z_]+)"\nmsgstr ".+"', catalogue.read_text()))
        assert {code: english for english, code in said.items()} == {c: kind.message for c, kind in KINDS.items()}


def test_a_fault_of_ours_has_its_number_in_the_page_too():
    number = unexpected(logging.getLogger("tests.alike"), ValueError()).message
    (found,) = re.findall(r"const incident = /(.+)/\.exec", SOURCE)
    assert re.search(found, number)


def test_the_address_to_use_stands_in_the_page_too():
    told = misdirected(logging.getLogger("tests.alike"), "Host", "10.0.0.1", "https://chat.example.org").message
    (found,) = re.findall(r"const use = /(.+)/\.exec", SOURCE)
    assert re.search(found, told)[1] == "https://chat.example.org"
