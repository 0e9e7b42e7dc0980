"""A process with a bus of its own, as a worker has it: `python -m tests.services.station REDIS_URL`.

Reads commands, writes what it heard; JSON lines both ways. Its greenlets need the patched standard library, which
pytest does without.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

from chat.services import bus as bus_module  # noqa: E402
from chat.services import redis as redis_service  # noqa: E402
from chat.services.bus import Bus  # noqa: E402


def tell(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    url = sys.argv[1]
    bus = Bus(redis_service.connect(url), url)
    bus.start(lambda event: tell(heard=event), lambda: tell(doubt=True))
    while line := gevent.get_hub().threadpool.apply(sys.stdin.readline):
        command = json.loads(line)
        if "publish" in command:
            began = time.monotonic()
            for number in range(command.get("times", 1)):
                bus.publish(command["publish"], volatile=command.get("volatile", False), number=number)
            tell(took=time.monotonic() - began)
        elif "room_for" in command:
            bus_module.MAX_OUTBOX = command["room_for"]
            tell(set=True)
        elif "stop" in command:
            bus.stop()
            tell(stopped=True)
        else:
            tell(deaf_s=bus.deaf_s, dropped=bus.dropped)


main()
