"""`python -m chat.embedded.dynamodb --data FILE`: the engine as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import configparser
import fcntl
import ipaddress
import logging
import os
import signal
import sqlite3
import sys
from pathlib import Path

from chat.embedded.dynamodb.server import Connection, Engine
from chat.embedded.dynamodb.signature import Verifier, credentials
from chat.embedded.dynamodb.store import Store

SWEEP_EVERY_S = 20.0


class Unusable(Exception):
    """The engine cannot start; the message says why in one sentence."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chat.embedded.dynamodb", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the SQLite file")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--credentials", type=Path, help="an AWS credentials file; made with random keys if missing")
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL"], default="FULL", help="NORMAL may lose the last")
    parser.add_argument("--sweep-every", type=float, default=SWEEP_EVERY_S, help="seconds between sweeps")
    parser.add_argument("--parent-fd", type=int, help="read end of a pipe; the engine ends when its other end closes")
    return parser.parse_args(argv)


def lock(data: Path) -> int:
    """Makes sure that this process alone uses the file. Raises: Unusable."""
    try:
        data.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(data.with_name(data.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unusable(f"The folder {data.parent} cannot be written ({error.strerror}).") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Unusable(f"Another engine is using {data}.") from None
    return held


def _verifier(path: Path) -> Verifier:
    """Raises: Unusable."""
    try:
        return Verifier(*credentials(path))
    except (OSError, ValueError, KeyError, configparser.Error):
        raise Unusable(f"{path} is no file of AWS credentials, and none can be made there.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(options: argparse.Namespace) -> None:
    """Serves until asked to stop. Raises: Unusable."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.parent_fd is not None:
        loop.add_reader(options.parent_fd, stop.set)
    verifier = _verifier(options.credentials) if options.credentials else None
    try:
        store = Store(str(options.data), options.synchronous)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise Unusable(f"{options.data} cannot be used ({error}).") from None
    engine = Engine(store, verifier)
    try:
        server = await loop.create_server(lambda: Connection(engine), options.host, options.port)
    except OSError as error:
        store.close()
        raise Unusable(f"Port {options.port} on {options.host} cannot be had ({error.strerror}).") from None
    port = server.sockets[0].getsockname()[1]
    print(f"DYNAMODB_ENDPOINT=http://{options.host}:{port}", flush=True)
    sweeping = asyncio.ensure_future(engine.sweep(options.sweep_every))
    await stop.wait()
    sweeping.cancel()
    server.close()
    store.close()


def main(argv: list[str]) -> int:
    """Exit code: 0 when asked to stop, 2 when it cannot start."""
    options = arguments(argv)
    logging.basicConfig(level=logging.WARNING)
    os.umask(0o077)
    try:
        if not _is_loopback(options.host):
            raise Unusable(f"{options.host} is not a loopback address: the engine serves this box only.")
        held = lock(options.data)
        asyncio.run(serve(options))
        os.close(held)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
