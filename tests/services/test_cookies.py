"""The cookies of a sign-in, in each way of deployment."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from werkzeug.sansio.http import parse_cookie

from chat.config import Config
from chat.services.accounts import cookies

LOCAL = Config(secret_key="s" * 43)
HTTPS = replace(LOCAL, public_url="https://chat.example.org")
ACROSS = replace(LOCAL, cookie_mode="cross_site")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (LOCAL, "parley=sid; Max-Age=43200; Path=/; HttpOnly; SameSite=Lax"),
        (HTTPS, "__Host-parley=sid; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Lax"),
        (ACROSS, "__Host-parley=sid; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"),
    ],
)
def test_a_session_has_the_strictest_cookie_that_its_deployment_allows(config, expected):
    assert cookies.session_cookie(config, "sid") == expected


@pytest.mark.parametrize("config", [LOCAL, HTTPS, ACROSS])
def test_it_is_taken_back_with_the_attributes_that_it_was_given_with(config):
    given, taken = cookies.session_cookie(config, ""), cookies.no_session_cookie(config)
    assert taken == given.replace("Max-Age=43200", "Max-Age=0")


def test_a_browser_is_known_for_longer_than_its_sessions():
    known = cookies.browser_cookie(ACROSS, "nonce.mark")
    assert known.startswith("__Host-parley-browser=nonce.mark; Max-Age=7776000; ")
    assert known.endswith("; SameSite=None; Partitioned")


@given(st.lists(st.sampled_from(["parley", "parley-browser", "x", "=", ";", '"', " ", "\t", ",", "é", "{", "abc"])))
@example(['theme={"a": 1}; parley=abc'])
@example(['x="a\\"; parley=no"; parley=abc'])
@example(['x="a; parley=no"; parley="abc"'])
@example(["parley = abc ; parley=second"])
@example(["parley; parley=abc"])
def test_a_cookie_is_read_as_flask_reads_it(parts):
    header = "".join(parts)
    for name in ("parley", "parley-browser"):
        assert cookies.value(header, name) == parse_cookie(header).get(name, "")


def test_a_header_with_much_that_is_no_cookie_is_read_at_once():
    header = '"\\' * 4000 + "=;" * 100
    assert cookies.value(header, "parley") == ""
