"""A process with a bus of its own, as a worker has it: `python -m tests.services.station REDIS_URL`.

Reads commands, writes what it heard; JSON lines both ways. Everything that its bus waits for comes ten times as often
as in a worker. Its greenlets need the patched standard library, which pytest does without.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import greenlet  # noqa: E402
from msgspec import to_builtins  # noqa: E402

from chat.services.bus import bus as bus_module  # noqa: E402
from chat.services.bus.bus import Bus  # noqa: E402
from chat.services.storage import redis_client  # noqa: E402
from tests.services.numbered import numbered  # noqa: E402


def tell(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def switches_of(work: Callable[[], None]) -> int:
    """How many times the work let other greenlets go on."""
    seen: list[str] = []
    greenlet.settrace(lambda event, _: seen.append(event))
    try:
        work()
    finally:
        greenlet.settrace(None)
    return len(seen)


def publish(bus: Bus, command: dict[str, Any]) -> None:
    for number in range(command.get("times", 1)):
        bus.publish(numbered(command["publish"], number, command.get("volatile", False)))


def stop_redis(bus: Bus, pid: int) -> None:
    """Stops Redis while nothing is being written to it, and nothing else comes before what is written next."""
    while bus._outbox:
        gevent.sleep(0)
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        pass


def hasten() -> None:
    for name in ("BEAT_S", "RETRY_S", "VOLATILE_LAG_S"):
        setattr(bus_module, name, getattr(bus_module, name) / 10)
    bus_module.BLOCK_MS //= 10


def main() -> None:
    hasten()
    url = sys.argv[1]
    bus = Bus(redis_client.connect(url), url)
    bus.start(lambda event: tell(heard=to_builtins(event)), lambda: tell(doubt=True))
    while line := gevent.get_hub().threadpool.apply(sys.stdin.readline):
        command = json.loads(line)
        if "publish" in command:
            if "stopping" in command:
                stop_redis(bus, command["stopping"])
            tell(switches=switches_of(partial(publish, bus, command)))
        elif "room_for" in command:
            bus_module.MAX_OUTBOX = command["room_for"]
            tell(dropped=bus.dropped)
        elif "stop" in command:
            bus.stop()
            tell(stopped=True)
        else:
            tell(deaf_s=bus.deaf_s, dropped=bus.dropped)


main()
