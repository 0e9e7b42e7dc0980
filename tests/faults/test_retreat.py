"""One of two workers is cut off from Redis: it says so, sends its people to the other, and takes them again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from chat.config import Config
from tests.conftest import LiveServer, free_port, start_server, wait_until
from tests.e2e.parley import PASSWORD, Person, new_id
from tests.e2e.peer import Peer
from tests.faults.proxy import Proxy


class Cut:
    """Two servers on one Redis and one DynamoDB; `line` is the first one's way to Redis."""

    def __init__(self, config: Config, folder: Path, line: Proxy, redis_url: str):
        self.line = line
        self.cut_off = start_server(config, folder, redis_url=redis_url)
        self.sound = start_server(config, folder)

    def ready(self, server: LiveServer) -> bool:
        return server.says_yes("/readyz")

    def person(self, server: LiveServer, name: str) -> Person:
        person = Person(server, name)  # type: ignore[arg-type]  # of a product it uses the address only
        assert person.post("/api/auth/register", username=name, password=PASSWORD)[0] == 201
        person.sign_in()
        return person


@pytest.fixture
def cut(config: Config, tmp_path: Path) -> Iterator[Cut]:
    port = urlsplit(config.redis_url).port
    with ExitStack() as stack:
        listen = f"127.0.0.1:{free_port()}"
        line = stack.enter_context(Proxy(listen, f"127.0.0.1:{port}", tmp_path / "line"))
        pair = Cut(config, tmp_path, line, f"redis://{listen}/0")
        stack.callback(pair.cut_off.stop)
        stack.callback(pair.sound.stop)
        yield pair


@pytest.fixture
def device() -> Iterator[Callable[..., Peer]]:
    with ExitStack() as stack:
        yield lambda person, **options: stack.enter_context(Peer(person, **options))


@pytest.mark.parametrize("weather", [{"stall": True}, {"black_hole": True}, {"refuse": True, "reset_share": 1.0}])
def test_a_worker_that_alone_hears_nothing_sends_its_sockets_away_until_it_hears_again(cut, device, weather):
    ada, grace = cut.person(cut.cut_off, "Ada"), cut.person(cut.sound, "Grace")
    a, g = device(ada), device(grace)
    g.reaches("general", a.send("general", "before")["message"]["seq"])
    heal = cut.line.befall(**weather)
    a.hears("server:restarting", within_s=12)
    a.hears("disconnect")
    wait_until(lambda: not cut.ready(cut.cut_off), 2, "it says that it is not ready")
    assert cut.ready(cut.sound), "the other one is"
    last = g.send("general", "meanwhile")["message"]["seq"]
    assert not g.all_of("server:restarting")
    assert not [e for e, _ in a.heard if e == "session:ended"], "nobody is signed out for it"
    heal()
    wait_until(lambda: cut.ready(cut.cut_off), 5, "it is ready again")
    a.reaches("general", last, within_s=8)
    answer = a.send("general", "after", client_id=new_id())
    g.reaches("general", answer["message"]["seq"])
    for peer in (a, g):
        assert [text for _, _, text in peer.messages("general")] == ["before", "meanwhile", "after"]


def test_when_redis_is_silent_for_everybody_everybody_stays(cut, device, redis_url):
    ada, grace = cut.person(cut.cut_off, "Ada"), cut.person(cut.sound, "Grace")
    a, g = device(ada), device(grace)
    g.reaches("general", a.send("general", "before")["message"]["seq"])
    redis.Redis.from_url(redis_url).client_pause(9_000, all=True)
    wait_until(lambda: not cut.ready(cut.sound) and not cut.ready(cut.cut_off), 3, "neither is ready")
    wait_until(lambda: cut.ready(cut.sound) and cut.ready(cut.cut_off), 20, "both are ready again")
    sent = new_id()  # until its session has been looked up again, a send is refused, to be sent once more
    wait_until(lambda: a.send("general", "after", client_id=sent).get("ok"), 5, "a send is taken again")
    g.reaches("general", a.send("general", "after", client_id=sent)["message"]["seq"])
    for peer in (a, g):
        assert not peer.all_of("server:restarting") and not peer.all_of("session:ended")
