"""The same headers on every answer, also where it is not ours but gunicorn's, or the transport's."""

from __future__ import annotations

import http.client
import socket
from dataclasses import replace

import pytest

from chat import http as edges
from chat.app import create_app
from tests.conftest import Auth, browser
from tests.lambdas.conftest import Runtime, runtime  # noqa: F401  # a fixture

NEVER = ("Clear-Site-Data", "Server-Timing", "X-Powered-By")
HOST = b"Host: localhost\r\n"
NO_REQUESTS = {
    "no request": (b"nonsense\r\n\r\n", 400),
    "a long line": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 100 + b"\r\n", 431),
    "a header of no name": (b"GET / HTTP/1.1\r\n" + HOST + b"<script>: 1\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "a coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: nonsense\r\n\r\n", 501),
    "a bad chunk": (b"POST /api/auth/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "an expectation": (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: the worst\r\nContent-Length: 1\r\n\r\na", 417),
    "a foreign handshake": (b"GET /socket.io/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400),
    "a header that is joined": (b"GET / HTTP/1.1\r\n" + HOST + (b"X: " + b"a" * 8_000 + b"\r\n") * 3 + b"\r\n", 413),
    "a page": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", 200),
    "nothing there": (b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n", 404),
}


def said(port: int, request: bytes) -> http.client.HTTPResponse:
    with socket.create_connection(("localhost", port), 20) as connection:
        connection.sendall(request.replace(HOST, b"Host: localhost:%d\r\n" % port))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.body = answer.read()  # type: ignore[attr-defined]
    return answer


def test_whoever_answers_the_headers_are_the_same(live_server):
    expected = edges.headers(live_server.config)
    assert "Permissions-Policy" in expected and "Content-Security-Policy" in expected
    for name, (request, status) in NO_REQUESTS.items():
        answer = said(live_server.port, request)
        assert answer.status == status, name
        assert {each: answer.getheader(each) for each in expected} == dict(expected), name
        assert not any(answer.getheader(each) for each in NEVER), name
        assert answer.getheader("Server") in (None, "parley"), name
        assert b"script" not in answer.body or status == 200, name  # type: ignore[attr-defined]
        if status >= 400 and name != "nothing there":
            assert answer.getheader("Content-Type") == "application/json", name


@pytest.fixture
def answers(config):
    """An answer of each kind that Flask gives, by https."""
    app = create_app(replace(config, public_url="https://chat.example.org"))

    @app.get("/api/fault")
    def fault():
        raise RuntimeError("the secret inside")

    client = browser(app)
    Auth(client).register()
    etag = client.get("/").headers["ETag"]
    return {
        "page": client.get("/"),
        "known": client.get("/", headers={"If-None-Match": etag}),
        "file": client.get("/index.html"),
        "settings": client.get("/config.json"),
        "sign-in": Auth(client).login(),
        "list": client.get("/api/rooms"),
        "sign-out": Auth(client).logout(),
        "refused": client.get("/api/rooms"),
        "preflight": client.options("/api/rooms", headers={"Origin": "https://chat.example.org"}),
        "method": client.put("/api/rooms"),
        "nothing": client.get("/nothing", headers={"Accept": "text/html"}),
        "fault": client.get("/api/fault"),
        "health": client.get("/healthz"),
    }


@pytest.mark.expects_traceback("the secret inside")
def test_all_that_the_app_answers_has_them(answers):
    for name, answer in answers.items():
        headers = answer.headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert headers["Strict-Transport-Security"].startswith("max-age="), name
        assert "default-src 'self'" in headers["Content-Security-Policy"], name
        assert not any(each in headers for each in NEVER), name
        denied = dict(each.split("=") for each in headers["Permissions-Policy"].split(", "))
        assert set(denied.values()) == {"()"} and {"camera", "geolocation", "microphone", "usb"} <= denied.keys()
        assert not {"clipboard-read", "clipboard-write", "fullscreen", "web-share"} & denied.keys()
        assert not {each for each in denied if each.startswith("publickey-credentials")}


def test_what_the_functions_answer_has_them(runtime: Runtime) -> None:  # noqa: F811
    expected = edges.headers(runtime._config)
    for name, event in {"logout": {}, "login": {"body": "{"}, "protected": {"httpMethod": "GET"}}.items():
        headers = runtime.handler(name)(event, None)["headers"]
        assert expected.items() <= headers.items(), name
        assert not any(each in headers for each in NEVER)
