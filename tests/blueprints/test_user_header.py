"""The header in which a page says who it believes to be."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from chat.errors import ChatError
from chat.http import check_user
from chat.models import Person
from chat.services.sessions.record import Session


def session_of(username: str) -> Session:
    return Session("id", Person(username, username), 0, 0, 0, 0, 0)


def refused(username: str, header: str) -> bool:
    with pytest.raises(ChatError) as refusal:
        check_user(session_of(username), header)
    return refusal.value.code == "user_mismatch"


@pytest.mark.parametrize("username", ["ada", "åsa", "иван", "山田", "a.b-c_d", "constructor"])
def test_a_name_is_taken_as_the_page_encodes_it_and_as_nobody_else(username):
    check_user(session_of(username), quote(username, safe=""))
    assert refused("eve", quote(username, safe=""))


@pytest.mark.parametrize("username", ["ada", "a.b-c_d", "åsa"])
def test_a_page_of_before_that_does_not_encode_is_understood(username):
    check_user(session_of(username), username)


@pytest.mark.parametrize("header", ["%", "%zz", "%D0", "%25D0%25B8", "ada%00", ""])
def test_a_header_that_is_no_name_is_nobodys(header):
    assert refused("ada", header)
