"""`make run`: starts Redis, DynamoDB and the chat on one box, keeps them running, and stops them all.

What is given (REDIS_URL, DYNAMODB_ENDPOINT, SECRET_KEY) is used; what is not is made once and kept in DATA_DIR.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import secrets
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from chat import env_file
from chat.config import Config
from chat.embedded import redis_server
from chat.embedded.children import BY_KERNEL, Child, Guard, stop
from chat.embedded.errors import RunError, StartError
from chat.embedded.folder import Folder, free_port, why_not
from chat.errors import ChatError, ConfigError
from chat.urls import LOOPBACK

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 60.0
POLL_S = 0.02
WATCH_S = 0.5
WEB_STOPS_WITHIN_S = 3.0  # together with the next one below the 5 s that a stop may take
STORES_STOP_WITHIN_S = 1.5
GRACEFUL_S = 2  # gunicorn's own bound for its workers
BACKOFF_S = (0.2, 1.0, 2.0, 4.0)
ENDS_PER_MINUTE = len(BACKOFF_S)  # a child that ends more often than this will not get well by itself

# A person's own AWS account must not get in the way of, nor its keys be shown to, the engine on this box.
AWS_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
)

T = TypeVar("T")


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass
class Watched:
    """A child that is started again when it ends."""

    child: Child
    ends: list[float] = field(default_factory=list)
    again_at: float | None = None


class Supervisor:
    """One run. `run()` returns when it is over; nothing that it started is left then."""

    def __init__(self, env: dict[str, str], stop_with_parent: bool = False, guard: bool = not BY_KERNEL):
        self._env = env
        self._config = _check(env)
        self._parent = os.getppid() if stop_with_parent else None
        self._guarded = guard
        self._guard: Guard | None = None
        self._watched: list[Watched] = []
        self._web: Child | None = None
        self._redis_url = ""  # of the user that a person at the terminal is
        self._stopping = False
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)

    def run(self) -> None:
        """Starts everything, says what it runs on, and watches until asked to stop.

        Raises: StartError, RunError.
        """
        os.umask(0o077)  # whatever is written below is for its owner only
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that a child's end wakes us
        try:
            self._start()
            self._watch()
        except Stopped:
            pass
        finally:
            self._stop_all()

    def _ask_to_stop(self, *_: object) -> None:
        self._stopping = True

    # --- starting -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        config = self._config
        folder = Folder(Path(config.data_dir))
        taken = why_not(config.port, config.bind)
        if taken:
            raise StartError(f"Port {config.port} on {config.bind} cannot be had ({taken.strerror}): choose a PORT.")
        if self._guarded:
            self._guard = Guard()
        self._env["DATA_DIR"] = str(folder.path)
        self._env["SECRET_KEY"] = self._env.get("SECRET_KEY") or folder.secret("secret-key")
        self._env[env_file.SKIP] = "1"  # what the children are to know of it is in their environment
        if self._env.get("REDIS_URL") or self._env.get("REDIS_HOST"):
            self._redis_url = self._env["REDIS_URL"] = config.redis_url
            self._env.pop("REDIS_HOST", None)  # it would be asked in place of the address that is shown
        else:
            self._start_redis(folder)
        self._await_redis(self._env["REDIS_URL"])
        if not self._env.get("DYNAMODB_ENDPOINT"):
            self._start_engine(folder)
        self._env["NO_PROXY"] = self._env["no_proxy"] = _without_proxy(self._env)
        self._create_tables(folder)
        self._start_web(folder)
        self._tell(folder.write("redis-url", self._redis_url + "\n"))

    def _start_redis(self, folder: Folder) -> None:
        server = redis_server.find_server(self._env.get("PATH"))
        port = folder.port("redis") or free_port()
        password = folder.secret("redis-password")
        parley_password = folder.secret("redis-parley-password")
        settings = redis_server.configure(folder, server, port, password, parley_password)
        child = self._launch("Redis", [server.binary, str(settings)], folder, stdout=subprocess.DEVNULL)
        child.log = settings.with_name("redis.log")
        self._env["REDIS_URL"] = f"redis://parley:{parley_password}@127.0.0.1:{port}/0"
        self._redis_url = f"redis://default:{password}@127.0.0.1:{port}/0"
        folder.remember_port("redis", port)

    def _await_redis(self, url: str) -> None:
        from chat.services.storage.redis_client import answering, connect  # the first library that is not Python's own

        client = connect(url)

        def answers() -> bool:
            with answering():
                return bool(client.ping())

        try:
            if self._watched:
                self._until(answers, "Redis")
            else:
                answers()
        except ChatError as error:
            raise StartError(f"REDIS_URL {_shown(url)} does not answer: {str(error.__cause__).rstrip('.')}.") from None
        finally:
            client.close()

    def _start_engine(self, folder: Folder) -> None:
        credentials = folder.path / "aws-credentials"
        alive_r, self._alive_w = os.pipe()
        options = ["--data", str(folder.path / "dynamodb.sqlite"), "--port", str(folder.port("dynamodb"))]
        options += ["--credentials", str(credentials), "--parent-fd", str(alive_r)]
        child = self._launch(
            "The DynamoDB engine",
            [sys.executable, "-m", "chat.embedded.dynamodb", *options],
            folder,
            pass_fds=[alive_r],
            stdout=subprocess.PIPE,
        )
        endpoint = self._until(_Line(child, "DYNAMODB_ENDPOINT="), "The DynamoDB engine")
        port = urlsplit(endpoint).port or 0
        folder.remember_port("dynamodb", port)
        child.argv[child.argv.index("--port") + 1] = str(port)  # where the chat looks for it when it is started again
        for name in AWS_VARIABLES:
            self._env.pop(name, None)
        self._env["DYNAMODB_ENDPOINT"] = endpoint
        self._env["AWS_SHARED_CREDENTIALS_FILE"] = str(credentials)
        self._env["AWS_CONFIG_FILE"] = os.devnull

    def _create_tables(self, folder: Folder) -> None:
        child = Child("tables", [sys.executable, "-m", "chat.embedded.tables"], self._env, ROOT, [folder.lock_fd])
        child.start()
        try:
            self._until(lambda: not child.running, None)
        finally:
            child.kill()
        if child.process is not None and child.process.returncode:
            raise StartError("")

    def _start_web(self, folder: Folder) -> None:
        argv = [sys.executable, "-m", "chat.embedded.web", "-c", "gunicorn.conf.py"]
        self._web = self._launch("The web server", [*argv, "--graceful-timeout", str(GRACEFUL_S), "wsgi:app"], folder)
        self._until(self._ready, "The chat")

    def _ready(self) -> bool:
        address = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self._config.bind, self._config.bind)
        connection = http.client.HTTPConnection(address, self._config.port, timeout=2)
        try:
            connection.request("GET", "/readyz", headers={"Host": urlsplit(self._config.public_url).netloc})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _tell(self, redis_url_file: Path) -> None:
        """Says what it runs on. A password is shown to a person only: what is no terminal may be a journal that many
        read, and finds it in the file."""
        said = [self._config.public_url]
        if sys.stdout and sys.stdout.isatty():
            said.append(f"REDIS_URL={shlex.quote(self._redis_url)}")
        said.append(f"REDIS_URL_FILE={shlex.quote(str(redis_url_file))}")
        for name in ("DYNAMODB_ENDPOINT", "AWS_SHARED_CREDENTIALS_FILE"):
            if self._env.get(name):
                said.append(
                    f"{name}={shlex.quote(self._env[name])}"
                )  # to be pasted, also from a folder with a space in it
        url = urlsplit(self._config.public_url)
        if url.hostname in LOOPBACK:
            said.append(f"# {url.netloc} works on this computer only; for other people: README, at the beginning")
        try:
            print("\n".join(said), flush=True)
        except BrokenPipeError:  # whoever read it has gone (`make run | head -1`): the chat goes on
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)

    def _launch(
        self, name: str, argv: list[str], folder: Folder, pass_fds: Sequence[int] = (), stdout: int | None = None
    ) -> Child:
        child = Child(name, argv, self._env, ROOT, [folder.lock_fd, *pass_fds], stdout)
        self._watched.append(Watched(child))
        try:
            self._spawn(child)
        except OSError as error:
            raise StartError(f"{argv[0]} cannot be started: {error.strerror}.") from None
        return child

    def _spawn(self, child: Child) -> None:
        process = child.start()
        if self._guard:
            self._guard.add(process.pid)

    # --- waiting --------------------------------------------------------------------------------------------------

    def _until(self, check: Callable[[], T | None], who: str | None) -> T:
        """Asks `check` until it says something true. Raises: RunError when `who` or another child ends meanwhile or
        nothing comes of it; Stopped."""
        until = time.monotonic() + START_WITHIN_S
        while True:
            try:
                found = check()
            except ChatError:
                found = None
            if found:
                return found
            for watched in self._watched:
                if not watched.child.running:
                    raise RunError(f"{watched.child.name} did not start ({watched.child.ended}{_log(watched.child)}).")
            if time.monotonic() > until:
                raise RunError(f"{who or 'The tables'} did not get ready within {START_WITHIN_S:.0f} seconds.")
            self._pause(POLL_S)

    def _pause(self, seconds: float) -> None:
        """Waits that long, or until a signal comes. Raises: Stopped."""
        if not self._stopping and select.select([self._wake_r], [], [], seconds)[0]:
            os.read(self._wake_r, 4096)
        if self._stopping or (self._parent is not None and os.getppid() != self._parent):
            raise Stopped

    def _watch(self) -> None:
        while True:
            now = time.monotonic()
            for watched in self._watched:
                if watched.again_at is None and not watched.child.running:
                    self._ended(watched, now)
                elif watched.again_at is not None and now >= watched.again_at:
                    watched.again_at = None
                    self._spawn(watched.child)
            self._pause(min([WATCH_S] + [max(0.0, w.again_at - now) for w in self._watched if w.again_at is not None]))

    def _ended(self, watched: Watched, now: float) -> None:
        child = watched.child
        if self._guard and child.process:
            self._guard.remove(child.process.pid)
        child.kill()  # what it left behind
        watched.ends = [at for at in watched.ends if now - at < 60] + [now]
        if len(watched.ends) > ENDS_PER_MINUTE:
            raise RunError(f"{child.name} keeps ending ({child.ended}{_log(child)}); everything is stopped.")
        wait_s = BACKOFF_S[len(watched.ends) - 1]
        watched.again_at = now + wait_s
        _say(f"{child.name} ended ({child.ended}); it is started again in {wait_s:g} s.")

    def _stop_all(self) -> None:
        """Ends the web server first, so that what it still writes finds its stores, then the stores."""
        children = [watched.child for watched in self._watched]
        stop([child for child in children if child is self._web], WEB_STOPS_WITHIN_S)
        stop([child for child in children if child is not self._web], STORES_STOP_WITHIN_S)
        if self._guard:
            self._guard.close()


class _Line:
    """Reads a child's output, without waiting for it, until a line with `prefix` comes; the rest of it is the value."""

    def __init__(self, child: Child, prefix: str):
        assert child.process is not None
        assert child.process.stdout is not None
        self._fd = child.process.stdout.fileno()
        os.set_blocking(self._fd, False)
        self._prefix = prefix.encode()
        self._seen = b""

    def __call__(self) -> str | None:
        try:
            self._seen += os.read(self._fd, 4096)
        except BlockingIOError:
            return None
        *lines, _ = self._seen.split(b"\n")
        return next((line.removeprefix(self._prefix).decode() for line in lines if line.startswith(self._prefix)), None)


def _environment() -> dict[str, str]:
    """This process's, over what `.env` says. Raises: StartError."""
    try:
        return env_file.environment()
    except ConfigError as error:
        raise StartError("\n".join(f"{problem}." for problem in error.problems)) from None


def _check(env: dict[str, str]) -> Config:
    """The settings as they will be once a secret is made. Raises: StartError."""
    try:
        config = Config.from_env({**env, "SECRET_KEY": env.get("SECRET_KEY") or secrets.token_hex(32)})
    except ConfigError as error:
        raise StartError("\n".join(f"{problem}." for problem in error.problems)) from None
    return config


def _without_proxy(env: dict[str, str]) -> str:
    """NO_PROXY with this box in it: a proxy meant for the outside must not be asked for it."""
    given = env.get("no_proxy") or env.get("NO_PROXY") or ""
    return ",".join(filter(None, [given, "localhost,127.0.0.1"]))


def _shown(url: str) -> str:
    """The address without its password."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def _log(child: Child) -> str:
    return f", see {child.log}" if child.log else ""


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """Exit code: 0 when asked to stop, 1 when something failed, 2 when something must be put right first."""
    logging.getLogger(
        "chat.services.runtime.outages"
    ).disabled = True  # what does not answer is said here, in one sentence
    parser = argparse.ArgumentParser(prog="python -m chat.embedded", description="Runs the whole chat on this box.")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the starting process ends")
    options = parser.parse_args(argv)
    try:
        Supervisor(_environment(), options.stop_with_parent).run()
    except StartError as error:
        if str(error):
            _say(str(error))
        return 2
    except RunError as error:
        _say(str(error))
        return 1
    except ModuleNotFoundError as error:
        _say(f"The library {error.name} is not installed: `make run` sets up what it needs.")
        return 2
    return 0
