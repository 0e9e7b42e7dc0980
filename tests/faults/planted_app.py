"""What gunicorn serves in a run with a planted bug, `tests.faults.planted_app:app('ack before write')`, or of the next
version, `tests.faults.planted_app:next_version()`."""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

from flask import Flask  # noqa: E402

from chat import create_app  # noqa: E402
from tests.faults.next_version import grow  # noqa: E402
from tests.faults.planted import BUGS  # noqa: E402


def app(name: str) -> Flask:
    """The app with that bug."""
    BUGS[name].plant()
    return create_app()


def next_version() -> Flask:
    """The app as it could be later."""
    grow()
    return create_app()
