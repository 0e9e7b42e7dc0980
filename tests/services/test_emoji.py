"""One emoji, one form: with its variation selector or without it is the same reaction, in old rows too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chat.emoji import one_form
from chat.errors import ChatError
from chat.services.messages import writing
from chat.services.messages.reactions import check_emoji
from chat.services.storage import entries
from tests.services.conftest import ALICE, BOB, CAROL

SOURCES = Path(__file__).resolve().parents[2] / "frontend" / "src"
STRINGS = json.loads((SOURCES / "testing" / "emoji.json").read_text())
PLAIN, HEART = "\u2764", "\u2764\ufe0f"


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is done in it an older version does: to that one each form is an emoji of its own."""

    @contextmanager
    def older() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(writing, "one_form", lambda emoji: emoji)
            patch.setattr(entries, "by_emoji", lambda rows: {emoji: tuple(who) for emoji, *who in rows})
            yield

    return older


def react(worker, person, emoji, client_id, wanted=True):
    return worker.messages.react(person, "general", client_id, 1, emoji, wanted).get("reactions", {})


@pytest.fixture
def room(worker):
    worker.rooms.memberships(CAROL)
    worker.messages.send(ALICE, "general", "m", "hello")
    return worker


@pytest.mark.parametrize(("given", "form"), STRINGS["one"])
def test_each_emoji_is_a_reaction_in_one_form(given, form):
    check_emoji(given)
    assert (one_form(given), one_form(form)) == (form, form)


@pytest.mark.parametrize("text", STRINGS["several"] + STRINGS["none"])
def test_what_is_not_one_emoji_is_no_reaction(text):
    with pytest.raises(ChatError, match="one emoji"):
        check_emoji(text)


def test_the_page_offers_emoji_in_the_form_in_which_they_come_back():
    palette = (SOURCES / "features/messages/reactions/ReactionPalette.tsx").read_text()
    offered = re.findall(r'\["([^"]+)", sentence\(', palette)
    assert len(offered) == 24 and HEART in offered
    assert [one_form(emoji) for emoji in offered] == offered


def test_both_forms_are_one_reaction_to_add_and_to_take_back(room):
    assert react(room, ALICE, HEART, "r1") == {HEART: 1}
    assert react(room, BOB, PLAIN, "r2") == {HEART: 2}
    assert react(room, BOB, HEART, "r3") == {HEART: 2}, "he has it already"
    assert room.history.page(BOB, "general").to_dict()["messages"][0]["mine"] == [HEART]
    assert react(room, ALICE, PLAIN, "r4", wanted=False) == {HEART: 1}
    assert room.history.who_reacted(ALICE, "general", 1) == {HEART: ["Bob"]}


def test_a_row_with_both_forms_is_read_as_one_and_counts_each_person_once(room, older):
    with older():
        for person, emoji, client_id in ((ALICE, PLAIN, "r1"), (BOB, HEART, "r2"), (ALICE, HEART, "r3")):
            before = react(room, person, emoji, client_id)
    assert before == {PLAIN: 1, HEART: 2}
    snapshot = room.history.page(ALICE, "general").to_dict()["messages"][0]
    assert (snapshot["reactions"], snapshot["mine"]) == ({HEART: 2}, [HEART])
    assert room.history.who_reacted(ALICE, "general", 1) == {HEART: ["Alice", "Bob"]}
    assert react(room, ALICE, HEART, "r4", wanted=False) == {HEART: 1}, "both of hers"


def test_two_versions_side_by_side_lose_nobodys_reaction(room, other, older):
    with older():
        react(room, ALICE, PLAIN, "r1")
    assert react(other, BOB, PLAIN, "r2") == {HEART: 2}
    with older():
        assert react(room, CAROL, PLAIN, "r3") == {HEART: 2, PLAIN: 1}
        assert react(room, ALICE, PLAIN, "r4", wanted=False) == {HEART: 2, PLAIN: 1}, (
            "there she is under the other form"
        )
        assert react(room, ALICE, HEART, "r5", wanted=False) == {HEART: 1, PLAIN: 1}
    assert react(other, ALICE, HEART, "r6") == {HEART: 3}


def test_a_request_of_before_is_known_again(room, older):
    with older():
        react(room, ALICE, PLAIN, "r1")
    react(room, ALICE, HEART, "r2", wanted=False)
    assert react(room, ALICE, PLAIN, "r1") == {}, "it was carried out, and taken back since"
