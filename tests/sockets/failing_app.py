"""What gunicorn serves where some endless work fails for good in the first two workers:
`tests.sockets.failing_app:app()`."""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

import os  # noqa: E402
from pathlib import Path  # noqa: E402

from flask import Flask  # noqa: E402

from chat import create_app  # noqa: E402
from chat.services.jobs import leaving  # noqa: E402
from chat.services.runtime import background  # noqa: E402

FAILING = 2  # workers


def app(started: str, apart_ms: int) -> Flask:
    """The app; `started` is a file that each worker adds a line to, `apart_ms` how long
    no other may leave after one."""
    background.FIRST_PAUSE_S = 0.01
    leaving.ASK_EVERY_S = 0.05
    made = create_app()
    services = made.extensions["parley"]
    services.leaving._ttl_ms = apart_ms
    with Path(started).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if len(Path(started).read_text().splitlines()) <= FAILING:
        services.background.every(0.01, broken)
    return made


def broken() -> None:
    """Work that cannot be done."""
    raise ZeroDivisionError("as planted")
