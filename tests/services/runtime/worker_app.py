"""What gunicorn serves in test_child.py: each way off the hub, in a worker as the product's are (wsgi.py)."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import hashlib  # noqa: E402
import os  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import unquote  # noqa: E402

from chat.services.runtime.child import Children, Undecoded  # noqa: E402
from chat.services.runtime.guarded_http import GuardedHttp  # noqa: E402
from chat.services.runtime.pool import Pool  # noqa: E402

children, pool, http = Children(), Pool(2, 2), GuardedHttp(allow_private=True)


def decode(name: str) -> str:
    try:
        return children.run(f"tests.services.runtime.planted:{name}", b"abc").decode()
    except Undecoded as error:
        return error.reason


def fetch(url: str) -> str:
    return http.get(url).body.decode()


def scrypt(password: str) -> str:
    return pool.run(lambda: hashlib.scrypt(password.encode(), salt=b"s", n=1024, r=8, p=1), 60).hex()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`/what/of` answers what came of it, after the worker's number."""
    _, what, of = environ["PATH_INFO"].split("/", 2)
    ways: dict[str, Callable[[str], str]] = {"decode": decode, "fetch": fetch, "scrypt": scrypt, "echo": str}
    done = ways[what](unquote(of))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {done}".encode()]
