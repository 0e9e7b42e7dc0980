"""Who comes under another name than the chat's is told the right one, on the page and in the log."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from chat import errors
from chat.app import create_app
from chat.config import Config
from chat.lambdas import http as functions
from chat.sockets.transport.admission import Admission
from tests.conftest import browser

URL = "https://chat.example.org"
TOLD = f"This chat does not answer here. Please open it at {URL} instead."


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    errors._said_at.clear()


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, public_url=URL)


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/r/general"])
def test_a_page_under_another_host_names_the_address(config: Config, path: str) -> None:
    page = browser(create_app(config)).get(path, headers={"Host": "<b>192.168.1.5</b>"})
    assert page.status_code == 403 and page.mimetype == "text/html"
    assert f'<a href="{URL}">{URL}</a>' in page.text
    assert "<code>&lt;b&gt;192.168.1.5&lt;/b&gt;</code>" in page.text
    assert "Content-Security-Policy" in page.headers


def test_under_its_own_name_it_is_the_page(config: Config) -> None:
    assert "does not answer" not in browser(create_app(config)).get("/").text


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Host": "192.168.1.5:8000"}, "Host is '192.168.1.5:8000'"),
        ({"Origin": "http://chat.example.org"}, "Origin is 'http://chat.example.org'"),
        ({"Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site is 'cross-site'"),
        ({"Origin": "http://" + "a" * 4_000}, "a" * 100),
    ],
)
def test_a_refusal_names_the_address_and_the_log_has_both(
    config: Config, headers: dict[str, str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = browser(create_app(config))
    with caplog.at_level(logging.WARNING, "chat"):
        refused = client.post("/api/auth/login", json={}, headers=headers)
    assert refused.json["error"]["code"] == "origin_refused" and refused.json["error"]["message"] == TOLD
    (line,) = [record.getMessage() for record in caplog.records]
    assert said in line and f"used at {URL} (PUBLIC_URL)" in line and len(line) < 400


def test_a_ticket_from_elsewhere_and_a_handshake_too(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    ticket = browser(create_app(config)).post("/api/auth/ticket", json={"ticket": "x"})
    assert ticket.json["error"]["message"] == TOLD
    gate = Admission(lambda *_: [], config, None, {})  # type: ignore[arg-type]
    for environ in ({"HTTP_HOST": "10.0.0.1"}, {"HTTP_HOST": "chat.example.org", "HTTP_ORIGIN": "http://10.0.0.1"}):
        (body,) = gate({"PATH_INFO": "/socket.io/", **environ}, lambda status, headers: None)
        assert TOLD.encode() in body
    assert [record.getMessage().count("10.0.0.1") for record in caplog.records] == [0, 1, 1]


def test_a_function_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "config", lambda: Config(public_url=URL))
    handler = functions.function(lambda request: functions.Answer(204), "POST")
    assert TOLD in handler({"headers": {"Origin": "https://elsewhere.example"}}, None)["body"]


def test_nobody_fills_the_log_with_what_they_send(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    client = browser(create_app(config))
    for number in range(50):
        assert client.get("/api/rooms", headers={"Host": f"{number}.example"}).status_code == 403
    assert len(caplog.records) == 10
