"""One of two workers is cut off from Redis: it says so, sends its people to the other, and takes them again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.conftest import LiveServer, free_port, start_server, wait_until
from tests.e2e.parley import PASSWORD, Person, new_id
from tests.e2e.peer import Peer
from tests.faults.proxy import Proxy
from tests.faults.stage import Backing

WITHIN_S = 60.0  # the product needs ten seconds at most; a busy machine is not what is tested


class Cut:
    """Two servers on one Redis and one DynamoDB; `line` is the first one's way to Redis."""

    def __init__(self, backing: Backing, cut_off: LiveServer, sound: LiveServer, line: Proxy):
        self.backing = backing
        self.cut_off = cut_off
        self.sound = sound
        self.line = line
        self._people = 0

    def ready(self, server: LiveServer) -> bool:
        return server.says_yes("/readyz")

    def person(self, server: LiveServer, name: str) -> Person:
        self._people += 1
        person = Person(server, f"{name}{self._people}")  # type: ignore[arg-type]  # of a product it uses the address only
        assert person.post("/api/auth/register", username=person.name, password=PASSWORD)[0] == 201
        person.sign_in()
        return person


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    folder = tmp_path_factory.mktemp("cut")
    with Backing(folder) as backing, ExitStack() as stack:
        config, listen = backing.config(), f"127.0.0.1:{free_port()}"
        line = stack.enter_context(Proxy(listen, f"127.0.0.1:{urlsplit(config.redis_url).port}", folder / "line"))
        with ThreadPoolExecutor(2) as starting:
            cut_off = starting.submit(start_server, config, folder, redis_url=f"redis://{listen}/0")
            sound = starting.submit(start_server, config, folder)
        for started in (cut_off, sound):
            if started.exception() is None:
                stack.callback(started.result().stop)
        yield Cut(backing, cut_off.result(), sound.result(), line)


@pytest.fixture
def device() -> Iterator[Callable[..., Peer]]:
    with ExitStack() as stack:
        yield lambda person, **options: stack.enter_context(Peer(person, **options))


@pytest.mark.parametrize("weather", [{"stall": True}, {"black_hole": True}, {"refuse": True, "reset_share": 1.0}])
def test_a_worker_that_alone_hears_nothing_sends_its_sockets_away_until_it_hears_again(cut, device, weather):
    ada, grace = cut.person(cut.cut_off, "Ada"), cut.person(cut.sound, "Grace")
    room = ada.room("Room", grace)
    a, g = device(ada), device(grace)
    g.reaches(room, a.send(room, "before")["message"]["seq"])
    heal = cut.line.befall(**weather)
    a.hears("server:restarting", within_s=WITHIN_S)
    a.hears("disconnect")
    wait_until(lambda: not cut.ready(cut.cut_off), WITHIN_S, "it says that it is not ready")
    wait_until(lambda: cut.ready(cut.sound), WITHIN_S, "the other one is")
    last = g.send(room, "meanwhile")["message"]["seq"]
    assert not g.all_of("server:restarting")
    assert not [e for e, _ in a.heard if e == "session:ended"], "nobody is signed out for it"
    heal()
    wait_until(lambda: cut.ready(cut.cut_off), WITHIN_S, "it is ready again")
    a.reaches(room, last, within_s=WITHIN_S)
    answer = a.send(room, "after", client_id=new_id())
    g.reaches(room, answer["message"]["seq"])
    for peer in (a, g):
        assert [text for _, _, text in peer.messages(room)] == ["before", "meanwhile", "after"]


def test_when_redis_is_silent_for_everybody_everybody_stays(cut, device):
    ada, grace = cut.person(cut.cut_off, "Ada"), cut.person(cut.sound, "Grace")
    room = ada.room("Room", grace)
    a, g = device(ada), device(grace)
    g.reaches(room, a.send(room, "before")["message"]["seq"])
    cut.backing.redis.client_pause(9_000, all=True)
    wait_until(lambda: not cut.ready(cut.sound) and not cut.ready(cut.cut_off), 9, "neither is ready")
    wait_until(lambda: cut.ready(cut.sound) and cut.ready(cut.cut_off), WITHIN_S, "both are ready again")
    sent = new_id()  # until its session has been looked up again, a send is refused, to be sent once more
    wait_until(lambda: a.send(room, "after", client_id=sent).get("ok"), WITHIN_S, "a send is taken again")
    g.reaches(room, a.send(room, "after", client_id=sent)["message"]["seq"])
    for peer in (a, g):
        assert not peer.all_of("server:restarting") and not peer.all_of("session:ended")
