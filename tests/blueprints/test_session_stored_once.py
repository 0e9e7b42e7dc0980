"""What signing in and out costs Redis: each is one service call, and the cookie is all that Flask adds."""

from __future__ import annotations

import pytest

from tests.conftest import Auth


@pytest.fixture
def stored(app, monkeypatch):
    """What is asked of the sessions in Redis, by name, in order."""
    sessions, asked = app.extensions["parley"].sessions, []

    def spied(name):
        there = getattr(sessions, name)

        def call(*args, **kwargs):
            asked.append(name)
            return there(*args, **kwargs)

        monkeypatch.setattr(sessions, name, call)

    for name in ("create", "write_back", "end", "raise_epoch"):
        spied(name)
    return asked


def test_a_login_writes_its_record_once(auth: Auth, stored: list[str]) -> None:
    auth.enter()
    assert stored == ["create"]


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [("post", "/api/auth/logout", ["end"]), ("delete", "/api/auth/sessions", ["raise_epoch"])],
)
def test_a_session_is_ended_once(
    client, auth: Auth, stored: list[str], method: str, path: str, asked: list[str]
) -> None:
    auth.enter()
    stored.clear()
    assert getattr(client, method)(path).status_code == 204
    assert stored == asked
    assert client.get("/api/auth/protected").status_code == 401
    assert client.get_cookie("parley", domain="localhost") is None
