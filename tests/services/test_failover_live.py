"""A chat under gunicorn through a failover and with a wrong password: it goes on by itself; its log says why not."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chat.config import Config
from tests.conftest import PASSWORD, LiveServer, start_server, wait_until
from tests.services.forwarder import Forwarder
from tests.services.server import Server


class Person:
    """Asks by HTTP, with the cookie that signing in gave."""

    def __init__(self, server: LiveServer):
        self._url = server.url
        self._cookie = ""

    def ask(self, path: str, **body: str) -> int:
        data = json.dumps(body).encode() if body else None
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        request = urllib.request.Request(self._url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self._cookie = (answer.headers["Set-Cookie"] or self._cookie).split(";")[0]
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def sends(self) -> bool:
        return self.ask("/api/rooms/general/messages", text="hello", client_id=str(uuid.uuid4())) == 201

    def sends_at_once(self) -> bool:
        """As many as it takes to use each of the connections to Redis that were ever used at once: a connection that
        nobody needs is judged when somebody does."""
        with ThreadPoolExecutor(16) as pool:
            return all(pool.map(lambda _: self.sends(), range(32)))


def test_it_goes_on_after_a_failover_and_says_in_one_line_that_its_password_is_wrong(
    config: Config, tmp_path: Path
) -> None:
    old, new = servers = [Server(tmp_path) for _ in range(2)]
    for redis in servers:
        redis.client.connection_pool.connection_kwargs["password"] = "secret"
        redis.start("--requirepass", "secret", "--masterauth", "secret", "--repl-diskless-sync-delay", "0")
    new.follow(old)
    with Forwarder(old.port) as address:
        live = start_server(config, tmp_path, redis_url=f"redis://default:secret@127.0.0.1:{address.port}/0")
        try:
            person = Person(live)
            assert person.ask("/api/auth/register", username="alice", password=PASSWORD) == 201
            assert person.ask("/api/auth/login", username="alice", password=PASSWORD) == 200
            assert person.sends()
            old.hand_over()
            old.lose_touch()
            new.promote()
            address.to = new.port
            assert address.open_to(old.port), "its connections stay open"
            wait_until(person.sends, what="a message is taken")
            wait_until(lambda: person.sends_at_once() and not address.open_to(old.port), what="all talk to the new one")
            assert live.says_yes("/readyz")
            new.client.config_set("requirepass", "another")
            new.client.client_kill_filter(_type="normal", skipme=True)
            new.client.client_kill_filter(_type="pubsub", skipme=True)
            wait_until(lambda: not live.says_yes("/readyz"), what="it is not ready")
            for _ in range(20):
                assert person.ask("/api/rooms") == 503
            new.client.config_set("requirepass", "secret")
            wait_until(person.sends, what="a message is taken")
            wait_until(lambda: "well again" in live.log.read_text(), what="the log says that it is over")
        finally:
            live.process.terminate()
            live.process.wait(30)
            for redis in servers:
                redis.kill()
    lines = live.log.read_text().splitlines()
    assert sum("[ERROR] Redis cannot be used: WRONGPASS" in line for line in lines) == 1
    assert sum("Redis cannot be used: over, well again after" in line for line in lines) == 1
    assert not any("secret" in line or "another" in line for line in lines)
    assert any("[INFO] Booting worker" in line for line in lines), "gunicorn's own lines are there"
    assert any("[INFO] Listening at" in line for line in lines)
