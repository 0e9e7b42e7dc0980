"""Signing in at a server of another site, and taking a ticket from there to the chat server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.app import create_app
from tests.conftest import Auth, browser

PAGE = "https://chat.example"
FROM_PAGE = {"Origin": PAGE}


@pytest.fixture
def doors(config):
    """`(the server that signs people in, the chat server)`, as a browser at the page sees them."""
    door = replace(config, public_url="https://door.example", cookie_mode="cross_site", allowed_origins=(PAGE,))
    chat = replace(config, public_url=PAGE, auth_base="https://door.example/api/auth")
    return browser(create_app(door)), browser(create_app(chat))


def ticket_of(door):
    auth = Auth(door)
    auth.register(headers=FROM_PAGE)
    assert auth.login(headers=FROM_PAGE).status_code == 200
    return door.get("/api/auth/protected", headers=FROM_PAGE).json["ticket"]


def test_the_cookie_is_one_that_browsers_keep_across_sites_and_goes_as_it_came(doors):
    door, _ = doors
    auth = Auth(door)
    auth.register(headers=FROM_PAGE)
    given, known = auth.login(headers=FROM_PAGE).headers.getlist("Set-Cookie")
    [taken] = auth.logout(headers=FROM_PAGE).headers.getlist("Set-Cookie")
    for cookie in (given, known, taken):
        assert cookie.startswith("__Host-parley") and cookie.endswith("; Secure; SameSite=None; Partitioned")
    assert "=; Max-Age=0; Path=/;" in taken


def test_a_ticket_is_taken_for_a_cookie_of_the_chat_servers_own(doors):
    door, chat = doors
    ticket = ticket_of(door)
    assert chat.get("/api/auth/protected").status_code == 401
    taken = chat.post("/api/auth/ticket", json={"ticket": ticket}, headers=FROM_PAGE)
    assert (taken.status_code, taken.json["user"]["username"]) == (200, "alice")
    [cookie] = taken.headers.getlist("Set-Cookie")
    assert cookie.endswith("; Secure; SameSite=Lax") and "Partitioned" not in cookie
    mine = chat.get("/api/auth/protected")
    assert mine.status_code == 200 and "ticket" not in mine.json, "who needs none is given none"
    again = chat.post("/api/auth/ticket", json={"ticket": ticket}, headers=FROM_PAGE)
    assert (again.status_code, again.json["error"]["code"]) == (403, "ticket_invalid")


def test_signing_out_at_either_ends_it_at_both(doors):
    door, chat = doors
    for one, other in ((door, chat), (chat, door)):
        chat.post("/api/auth/ticket", json={"ticket": ticket_of(door)}, headers=FROM_PAGE)
        assert [each.get("/api/auth/protected").status_code for each in doors] == [200, 200]
        assert one.post("/api/auth/logout", headers=FROM_PAGE).status_code == 204
        assert other.get("/api/auth/protected").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "https://door.example"}])
def test_a_ticket_is_taken_from_the_page_alone(doors, headers):
    door, chat = doors
    ticket = ticket_of(door)
    refused = chat.post("/api/auth/ticket", json={"ticket": ticket}, headers=headers)
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "origin_refused")
    assert chat.post("/api/auth/ticket", json={"ticket": ticket}, headers=FROM_PAGE).status_code == 200


def test_a_ticket_of_another_session_replaces_the_one_that_was_there(doors):
    door, chat = doors
    first, second = ticket_of(door), ticket_of(door)
    assert chat.post("/api/auth/ticket", json={"ticket": first}, headers=FROM_PAGE).status_code == 403, "replaced there"
    assert chat.post("/api/auth/ticket", json={"ticket": second}, headers=FROM_PAGE).status_code == 200
    other = browser(doors[0].application)
    third = ticket_of(other)
    assert chat.post("/api/auth/ticket", json={"ticket": third}, headers=FROM_PAGE).status_code == 200
    assert door.get("/api/auth/protected").status_code == 401
