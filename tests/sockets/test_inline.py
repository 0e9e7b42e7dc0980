"""Typing is answered in the hub, with the real services behind it: there, whoever waits for something is found out."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace

import socketio

from tests.conftest import PASSWORD, LiveServer, start_server, wait_until


def signed_in(server: LiveServer, username: str) -> socketio.Client:
    """A socket of somebody new."""

    def post(path: str) -> str:
        body = json.dumps({"username": username, "password": PASSWORD}).encode()
        request = urllib.request.Request(server.url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers.get("Set-Cookie"))

    post("/api/auth/register")
    cookie = post("/api/auth/login").partition(";")[0]
    client = socketio.Client(reconnection=False)
    client.connect(server.url, headers={"Cookie": cookie}, transports=["websocket"], wait_timeout=60)
    return client


def test_typing_reaches_the_others_without_a_greenlet_and_waits_for_nothing(config, tmp_path):
    server = start_server(replace(config, fanout="fast"), tmp_path, "tests.sockets.inline_app:app")
    ada, grace = signed_in(server, "ada"), signed_in(server, "grace")
    seen = []
    grace.on("typing", seen.append)
    try:
        for number in range(30):
            event = "typing:stop" if number % 2 else "typing:start"
            assert ada.call(event, {"room": "general"}, timeout=10) == {"ok": True}
        wait_until(lambda: len(seen) == 30, what="all of it is seen")
        assert [each["typing"] for each in seen] == [True, False] * 15
        refused = ada.call("typing:start", {"room": "nowhere"}, timeout=10)
        assert refused["error"]["code"] == "room_not_found", "what is not known at once has its ordinary handler"
        with urllib.request.urlopen(server.url + "/healthz/inline", timeout=10) as answer:
            told = json.load(answer)
        assert told["hub"] >= 15 and told["greenlet"] >= 1
        assert "Traceback" not in server.log.read_text()
    finally:
        ada.disconnect()
        grace.disconnect()
        server.process.kill()
        server.process.wait(30)
