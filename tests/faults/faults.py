"""The 16 faults of docs/reliability.md: what begins each, and what ends it.

A fault draws what it strikes, and in which form, from the dice that it is given: the same seed strikes the same again.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import redis

from tests.conftest import wait_until
from tests.faults.site import Site, Web
from tests.faults.wire import Heal

STALL_S = 2.0
RESTART_WITHIN_S = 120.0


class Crowd(Protocol):
    """The clients, as far as a fault knows them."""

    def crash(self, share: float) -> None:
        """This share of them crash or reload between a send and its ack, and come back."""


@dataclass
class Scene:
    """What a fault may strike. `notes` collects what it drew."""

    site: Site
    crowd: Crowd
    dice: random.Random

    def sources(self, share: float) -> list[str]:
        """Some of the clients' addresses, as the wire knows them."""
        every = list(self.site.sources.values())
        return self.dice.sample(every, max(1, round(share * len(every))))

    @property
    def webs(self) -> list[str]:
        """The addresses of the web hosts."""
        return [web.host.address for web in self.site.web]

    def a_worker(self) -> int:
        """The pid of some gunicorn worker."""
        return self.dice.choice([pid for web in self.site.web for pid in web.worker_pids()])


def done() -> None:
    """The end of a fault that ended by itself."""


def kill_worker(scene: Scene) -> Heal:
    _signal(scene.a_worker(), signal.SIGKILL)
    return done


def rolling_restart(scene: Scene) -> Heal:
    """Beside a fault that leaves no host ready it stands still at the first, until that has healed."""
    restarting = ThreadPoolExecutor(1)
    over = restarting.submit(lambda: [_restart(web) for web in scene.site.web])
    restarting.shutdown(wait=False)
    return over.result


def _restart(web: Web) -> None:
    web.end(signal.SIGTERM)
    web.start()
    web.await_ready(RESTART_WITHIN_S)


def stop_worker(scene: Scene) -> Heal:
    pid = scene.a_worker()
    _signal(pid, signal.SIGSTOP)
    return lambda: _signal(pid, signal.SIGCONT)


def empty_redis(scene: Scene) -> Heal:
    scene.site.redis.end(signal.SIGKILL)
    return scene.site.redis.start


def hang_redis(scene: Scene) -> Heal:
    server = scene.site.redis
    if scene.dice.random() < 0.5:
        pid = server.pid
        _signal(pid, signal.SIGSTOP)
        return lambda: _signal(pid, signal.SIGCONT)
    try:
        server.client.execute_command("DEBUG", "SLEEP", "7")
    except redis.RedisError:
        pass  # its answer comes after the client's patience: it sleeps
    return lambda: wait_until(server.answers, 60, "Redis wakes")


def fill_redis(scene: Scene) -> Heal:
    server = scene.site.redis
    if scene.dice.random() < 0.5:
        server.client.config_set("maxmemory", 1)
        return lambda: server.client.config_set("maxmemory", 0)
    server.fill_disk()
    return server.free_disk


def throttle_dynamodb(scene: Scene) -> Heal:
    return scene.site.dynamodb_proxy.befall(refuse_requests=0.3)


def slow_dynamodb(scene: Scene) -> Heal:
    weather = {"delay_s": 5.0} if scene.dice.random() < 0.5 else {"reset_share": 0.3}
    return scene.site.dynamodb_proxy.befall(**weather)


def lose_commits(scene: Scene) -> Heal:
    return scene.site.dynamodb_proxy.befall(lose_answers=0.3)


def cut_clients(scene: Scene) -> Heal:
    return scene.site.wire.cut(scene.sources(0.3), scene.webs)


def half_open(scene: Scene) -> Heal:
    return scene.site.wire.half_open(scene.sources(0.3), scene.webs)


def lose_packets(scene: Scene) -> Heal:
    return scene.site.wire.lose(scene.sources(0.3), scene.webs, 30)


def reset_connections(scene: Scene) -> Heal:
    return scene.site.wire.reset(scene.sources(1), scene.webs, 5)


def slow_link(scene: Scene) -> Heal:
    """Ends with a stall, after which everything comes at once."""
    sources = scene.sources(0.15)
    quicken = scene.site.wire.slow(scene.site.clients, sources, 64)

    def heal() -> None:
        burst = scene.site.wire.cut(sources, scene.webs)
        time.sleep(STALL_S)
        burst()
        quicken()

    return heal


def jump_clock(scene: Scene) -> Heal:
    """By an hour, at which DynamoDB refuses what such a host signs, or by ten minutes, at which it does not."""
    web = scene.dice.choice(scene.site.web)
    web.clock.set(scene.dice.choice([3600, -3600, 600, -600]))
    return lambda: web.clock.set(0)


def crash_clients(scene: Scene) -> Heal:
    scene.crowd.crash(0.3)
    return done


def divide(scene: Scene) -> Heal:
    """The case of two machines: the first web host and Redis do not hear each other, everybody else does."""
    return scene.site.wire.cut(scene.webs[:1], [scene.site.redis.host.address])


@dataclass(frozen=True)
class Fault:
    """`begin` strikes and returns what heals it; two with the same `target` do not strike together. After `back_s`
    seconds 99 % of the clients must be back and in sync: a connection that went silent is noticed by the server's ping,
    after up to 45 s. An `instant` fault has nothing to heal: the time counts from when it struck. The
    long form lets it stay for `longest_s` now and then."""

    name: str
    target: str
    says: str
    begin: Callable[[Scene], Heal]
    back_s: float = 60
    instant: bool = False
    longest_s: float = 20


FAULTS = [
    Fault("F1", "web", "a worker is killed", kill_worker, back_s=5, instant=True),
    Fault("F2", "web", "rolling restart", rolling_restart),
    Fault("F3", "web", "a worker stands still", stop_worker),
    Fault("F4", "redis", "Redis is killed and comes back empty", empty_redis, back_s=10),
    Fault("F5", "redis", "Redis hangs", hang_redis),
    Fault("F6", "redis", "Redis is full", fill_redis),
    Fault("F7", "dynamodb", "DynamoDB throttles 30 %", throttle_dynamodb),
    Fault("F8", "dynamodb", "DynamoDB is slow or resets", slow_dynamodb),
    Fault("F9", "dynamodb", "DynamoDB commits, the answer is lost", lose_commits),
    Fault("F10", "wire", "clients are cut off", cut_clients, longest_s=60),
    Fault("F11", "wire", "connections are half open", half_open),
    Fault("F12", "wire", "30 % of packets are lost", lose_packets),
    Fault("F13", "wire", "connections are reset", reset_connections),
    Fault("F14", "wire", "64 kbit/s, stall and burst", slow_link),
    Fault("F15", "clock", "a clock jumps by an hour or ten minutes", jump_clock),
    Fault("F16", "clients", "clients crash before the ack", crash_clients, instant=True),
]

CUT = Fault("cut", "redis", "web-1 and Redis are cut apart", divide, back_s=5)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # another fault ended it
