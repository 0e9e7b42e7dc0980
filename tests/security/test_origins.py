"""Who may make a browser ask: CORS, forged requests, foreign names, and the headers on every answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.app import create_app
from tests.conftest import Auth, browser

GOOD = ["http://localhost:8000", "http://127.0.0.1:8000", "http://localhost:5173"]
EVIL = [
    "https://evil.example", "null", "http://localhost:5173.evil.example", "http://localhost:51730", "https://localhost:5173",
    "http://LOCALHOST:5173", "http://localhost:5173.", "http://localhost:5173/path", "http://localhost",
]  # fmt: skip
PATHS = ["/api/auth/protected", "/api/rooms", "/api/nothing", "/api/rooms/general/messages"]


@pytest.fixture
def app(config):
    return create_app(replace(config, allowed_origins=("http://localhost:5173",)))


@pytest.mark.parametrize("origin", GOOD)
def test_a_listed_origin_may_read_with_a_session(client, origin):
    for path in PATHS:
        answer = client.get(path, headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", EVIL)
def test_another_origin_may_not(client, origin):
    for path in PATHS:
        answer = client.get(path, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "headers", [*({"Origin": o} for o in EVIL), {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_another_site_cannot_make_a_browser_act(client, headers):
    Auth(client).enter()
    for path, body in (
        ("/api/auth/logout", {}),
        ("/api/rooms", {"client_id": "c", "name": "Forged", "kind": "public"}),
        ("/api/rooms/general/messages", {"client_id": "c", "text": "forged"}),
    ):
        refused = client.post(path, json=body, headers=headers)
        assert (refused.status_code, refused.json["error"]["code"]) == (403, "origin_refused")
    rooms = client.get("/api/rooms").json["rooms"]
    assert [(room["room"], room["head"]) for room in rooms] == [("general", 0)]


def test_a_request_that_no_browser_makes_stands(client):
    auth = Auth(client)
    auth.enter()
    assert client.post("/api/rooms/general/messages", json={"client_id": "c", "text": "by curl"}).status_code == 201


def test_a_preflight_opens_no_session_and_lists_no_other_header(app, client):
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-evil",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = client.options("/api/auth/login", headers=asked)
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert "x-evil" not in answer.headers.get("Access-Control-Allow-Headers", "").lower()
    assert answer.headers.get("Access-Control-Allow-Private-Network") in (None, "false")
    assert app.extensions["parley"].redis.keys("session:*") == []


@pytest.mark.parametrize("host", ["evil.example", "localhost:9999", "localhost", "", "localhost:8000.evil.example"])
def test_the_api_answers_under_its_own_names_only(app, host):
    assert browser(app).get("/api/auth/protected", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/api/rooms", "/api/nothing", "/assets/nothing.js", "/healthz"])
def test_every_answer_carries_the_headers_that_browsers_heed(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy and "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_the_page_may_reach_the_server_that_signs_people_in_and_no_other(config):
    for base, reached in (
        ("", "connect-src 'self' ws://localhost:8000 ws://127.0.0.1:8000;"),
        ("/auth", "connect-src 'self' ws://localhost:8000 ws://127.0.0.1:8000;"),
        ("https://a.example/prod", "connect-src 'self' ws://localhost:8000 ws://127.0.0.1:8000 https://a.example;"),
    ):
        client = browser(create_app(replace(config, auth_base=base)))
        assert reached in client.get("/").headers["Content-Security-Policy"]
        told = client.get("/config.json")
        assert (told.json, told.headers["Cache-Control"]) == ({"auth_base": base, "remember_days": 30}, "no-cache")


def test_by_https_the_cookie_is_bound_to_the_host_and_https_is_insisted_on(config):
    auth = Auth(browser(create_app(replace(config, public_url="https://chat.example.org"))))
    auth.register()
    answer = auth.login()
    cookie = answer.headers["Set-Cookie"]
    assert (
        cookie.startswith("__Host-parley=") and "Secure" in cookie and "HttpOnly" in cookie and "Domain" not in cookie
    )
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_what_a_session_sees_is_cached_nowhere(client):
    for path in ("/api/auth/protected", "/api/rooms"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store" and "Cookie" in headers["Vary"]


def test_a_fault_of_ours_gives_nothing_away(app, client):
    @app.get("/api/fault")
    def fault():
        raise RuntimeError("the secret inside")

    answer = client.get("/api/fault")
    assert answer.status_code == 500 and answer.json["error"]["code"] == "internal"
    assert "secret" not in answer.text and "incident" in answer.text
