"""The whole cloud on this box: the deployed template, Redis with its users, the API's edge, the chat server."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from chat.embedded.children import Child
from chat.embedded.folder import free_port
from deploy.local.processes import BIN, CloudError, Processes
from deploy.local.stack import PARAMETERS, Stack
from deploy.local.valkey import Valkey
from deploy.package import build_all

VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3])"


class Cloud:
    """`with Cloud(folder) as cloud:` starts it and, at the end, leaves nothing but logs in the folder.

    `settings` are the chat server's, besides those that the template decides. With `across` the API is of another site
    than the page (127.0.0.1 and localhost; ports make no site). A `stack` that is given is
    deployed already, for a page at that port.
    """

    def __init__(self, folder: Path, port: int = 0, across: bool = False, stack: Stack | None = None, **settings: str):
        self.folder = folder.resolve()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self._settings = settings
        self._processes = Processes(self.folder)
        self._edge_port = free_port()
        self.api_url = f"http://{'127.0.0.1' if across else 'localhost'}:{self._edge_port}"
        self._parameters = {"FrontendOrigin": self.url, "CookieMode": "cross_site" if across else "same_site"}
        self._given = stack

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._processes.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._processes.stop()

    def _start(self) -> None:
        """Raises: CloudError."""
        self.stack = self._given or self._deployed()
        self.redis = Valkey.start(self.folder, self._processes)
        self._let_users_in()
        self._start_edge()
        self.server = self._start_server()

    def _deployed(self) -> Stack:
        _package()
        stack = Stack.start(self.folder, self._processes)
        stack.deploy(**self._parameters, PublicUrl=self.url)
        return stack

    def _let_users_in(self) -> None:
        """Each function as its own user, with the password that the template made for it."""
        passwords = {"server": self.stack.secret("RedisPasswordSecret")}
        for function in self.stack.functions():
            settings = self.stack.settings(function)
            if "REDIS_USERNAME" in settings:
                passwords[settings["REDIS_USERNAME"]] = settings["REDIS_PASSWORD"]
                place = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.redis.port), "REDIS_TLS": "0"}
                self.stack.change_settings(function, **place)
        self.redis.set_up(self.stack.redis_users(), passwords)
        self._server_redis = f"redis://server:{quote(passwords['server'], safe='')}@127.0.0.1:{self.redis.port}/0"

    def _start_edge(self) -> None:
        parameters = {**PARAMETERS, **self._parameters}
        given = [f"{name}={value}" for name, value in parameters.items()]
        env = {**self.stack.credentials, "AWS_ENDPOINT_URL": self.stack.endpoint, "SAM_CLI_TELEMETRY": "0"}
        argv = [BIN / "python", "deploy/local/edge.py", str(self._edge_port), self.stack.name, *given]
        child = self._processes.start("edge", argv, env)
        self._processes.wait(child, lambda: _answers(self._edge_port, "/protected", "OPTIONS", 200))

    def _start_server(self) -> Child:
        env = {
            **self.stack.credentials,
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "DATA_DIR": str(self.folder / "server"),
            "SECRET_KEY": self.stack.secret("SecretKeySecret"),
            "REDIS_URL": self._server_redis,
            "DYNAMODB_ENDPOINT": self.stack.endpoint,
            "TABLE_PREFIX": self.stack.settings("register")["TABLE_PREFIX"],
            "INGEST_MODE": "lambda",
            "AUTH_BASE": self.api_url,
            **self._settings,
        }
        child = self._processes.start("server", [sys.executable, "-m", "chat.embedded"], env)
        self._processes.wait(child, lambda: _answers(self.port, "/readyz", "GET", 200))
        return child

    @property
    def pids(self) -> list[int]:
        """The processes that the parts began with."""
        return self._processes.pids

    def ended(self) -> Child | None:
        """A part that ended by itself, if one did."""
        return self._processes.ended()


def _package() -> None:
    """Makes the functions' packages for the Python that they run on here."""
    version = subprocess.run([BIN / "python", "-c", VERSION], check=True, capture_output=True, text=True).stdout.strip()
    try:
        build_all(python=version)
    except subprocess.CalledProcessError as error:
        raise CloudError(f"The functions' packages cannot be made: {error}") from None


def _answers(port: int, path: str, method: str, status: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=5)
    try:
        connection.request(method, path)
        return connection.getresponse().status == status
    finally:
        connection.close()
