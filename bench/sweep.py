"""`python -m bench.sweep`: what looking up 10,000 sessions costs a worker, and how long it keeps others waiting.

Against a Redis of its own. A worker sweeps the sessions of its own sockets only, 900 by default; the bound that it
has to keep is two seconds.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import shutil  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

from chat.models import User  # noqa: E402
from chat.services.sessions.sessions import Sessions  # noqa: E402
from chat.services.storage import redis_client  # noqa: E402
from tests.conftest import free_port  # noqa: E402

NUMBERS = (900, 10_000)
ROUNDS = 20
STALL_EVERY_S = 0.001


def longest_stall_s(until: gevent.Greenlet) -> float:
    """How long another greenlet had to wait for its turn, at worst, while that one ran."""
    longest, last = 0.0, time.perf_counter()
    while not until.ready():
        gevent.sleep(STALL_EVERY_S)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def main() -> None:
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    assert server, "redis-server or valkey-server must be on the PATH"
    port = free_port()
    process = subprocess.Popen([server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=-3)
    redis = redis_client.connect(f"redis://127.0.0.1:{port}/0")
    try:
        while True:
            try:
                redis.ping()
                break
            except Exception:
                time.sleep(0.05)
        sessions = Sessions(redis, 1800, 43_200, lambda usernames: dict.fromkeys(usernames, 0))
        made = [sessions.create(User(f"user{n}", f"User {n}"), "Firefox on Linux") for n in range(max(NUMBERS))]
        print("| sessions | wall ms | CPU ms | longest stall ms |\n|---|---|---|---|")
        for number in NUMBERS:
            owners = {session.sid: session.person.username for session in made[:number]}
            rounds = []
            for _ in range(ROUNDS):
                cpu, wall = time.process_time(), time.perf_counter()
                work = gevent.spawn(sessions.alive, owners)
                stall = longest_stall_s(work)
                rounds.append((time.perf_counter() - wall, time.process_time() - cpu, stall))
                assert len(work.get()) == number
            wall_ms, cpu_ms, stall_ms = (statistics.median(values) * 1000 for values in zip(*rounds, strict=True))
            print(f"| {number:,} | {wall_ms:.1f} | {cpu_ms:.1f} | {stall_ms:.1f} |")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
