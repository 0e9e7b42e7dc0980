"""The README's demonstrations, typed as it says, beside a run: by bash, redis-cli, the AWS command line and Vite."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.ports import free_port
from tests.runtime.running import NAME, PASSWORD, ROOT, WITHIN_S, Running, until

README = (ROOT / "README.md").read_text()
VITE = "npm --prefix frontend run dev"
# Where the AWS command line is not installed: the same words, understood by botocore.
AWS = f"""#!{sys.executable}
import json, sys
import boto3
from botocore import xform_name
service, operation, *words = sys.argv[1:]
given = {{name: value for name, value in zip(words[::2], words[1::2])}}
client = boto3.client(service, endpoint_url=given.pop("--endpoint-url"))
method = xform_name(operation.title().replace("-", ""))
shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
names = {{"--" + xform_name(name).replace("_", "-"): name for name in shape.members}}
asked = {{names[name]: json.loads(value) if value[0] in "{{[" else value for name, value in given.items()}}
answer = getattr(client, method)(**asked)
answer.pop("ResponseMetadata")
print(json.dumps(answer, default=str))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("readme") / "my data") as running:
        assert running.request("/api/auth/register", {"username": NAME, "password": PASSWORD})[0] == 201
        yield running


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with everything that the README types."""
    assert shutil.which("redis-cli") or shutil.which("valkey-cli"), "the tests need redis-cli or valkey-cli"
    folder = tmp_path_factory.mktemp("bin")
    if not shutil.which("redis-cli"):
        (folder / "redis-cli").symlink_to(str(shutil.which("valkey-cli")))
    if not shutil.which("aws"):
        (folder / "aws").write_text(AWS)
        (folder / "aws").chmod(0o755)
    return f"{os.environ['PATH']}:{folder}"


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def typed(run: Running, tools: str, commands: str) -> str:
    """What a shell says in which the lines were pasted that the run printed, and then these commands."""
    pasted = "\n".join(run.lines[1:])
    if not any(line.startswith("REDIS_URL=") for line in run.lines):  # nobody looks on
        pasted += f'\nREDIS_URL="$(cat {shlex.quote(str(run.data_dir / "redis-url"))})"'
    ours = {name: os.environ[name] for name in ("HOME", "LANG", "PYENV_ROOT", "PYENV_VERSION") if name in os.environ}
    done = subprocess.run(
        ["bash", "-euc", f"{pasted}\n{commands}"],
        cwd=ROOT,
        env=ours | {"PATH": tools},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in (done.stdout + done.stderr).lower() and "denied" not in done.stdout, done.stdout
    return done.stdout


def test_what_is_printed_looks_as_the_readme_shows_it(run: Running) -> None:
    shown = dict(re.findall(r"^([A-Z_]+)=(.*)$", section("Looking inside").split("```\n")[1], re.M))
    assert list(shown) == ["REDIS_URL", "REDIS_URL_FILE", "DYNAMODB_ENDPOINT", "AWS_SHARED_CREDENTIALS_FILE"]
    address = run.told.get("REDIS_URL") or (run.data_dir / "redis-url").read_text().strip()
    assert address.startswith("redis://default:"), "redis-cli sends an empty name where there is none"
    assert shown["REDIS_URL"].startswith("redis://default:…@127.0.0.1:")


def test_the_commands_of_looking_inside_show_the_session_the_account_and_the_row(run: Running, tools: str) -> None:
    assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
    look, put = re.findall(r"```sh\n(.*?)```", section("Looking inside"), re.S)
    said = typed(run, tools, look)
    assert re.search(r"^session:[\w-]{43}$", said, re.M)
    accounts: dict[str, Any] = json.loads(said[said.index("{") :])
    assert [each["username"] for each in accounts["Items"]] == [{"S": NAME}]
    typed(run, tools, next(line for line in look.splitlines() if line.startswith("export")) + "\n" + put)

    def texts() -> list[str]:
        return [each["text"] for each in run.request("/api/rooms/general/messages")[1]["messages"]]

    until(lambda: texts() == ["Deploy finished"], WITHIN_S, "the row is a message")


def test_emptying_redis_signs_everybody_out(run: Running, tools: str) -> None:
    assert run.request("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
    assert run.request("/api/auth/protected")[0] == 200
    (command,) = re.findall(r"`(redis-cli [^`]+FLUSHDB)`", section("What it shows"))
    assert typed(run, tools, command) == "OK\n"
    assert run.request("/api/auth/protected")[0] == 401


def test_what_the_page_with_reloading_needs_is_installed_before_it_runs() -> None:
    typed = [line.partition("#")[0].strip() for line in section("Working on it").splitlines()]
    assert typed.index("npm --prefix frontend ci") < typed.index(VITE)


class Vite:
    """The README's line, on another port; asks as a browser's page there does."""

    def __init__(self, api: str, tools: str):
        assert VITE in re.findall(r"```sh\n(.*?)```", section("Working on it"), re.S)[0].splitlines()
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.cookies: SimpleCookie = SimpleCookie()
        argv = [*shlex.split(VITE), "--", "--port", str(self.port)]
        env = {**os.environ, "PATH": tools, "PARLEY_API": api}
        self.process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
        until(lambda: self._answers("/config.json"), WITHIN_S, "Vite serves")

    def stop(self) -> None:
        os.killpg(self.process.pid, 15)
        self.process.wait(30)

    def _answers(self, path: str) -> bool:
        assert self.process.poll() is None
        try:
            return self.ask(path)[0] == 200
        except OSError:
            return False

    def ask(self, path: str, body: Any = None, origin: str = "") -> tuple[int, dict[str, Any]]:
        headers = {"Sec-Fetch-Site": "cross-site" if origin else "same-origin", "Cookie": self._sent()}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": origin or self.origin}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
                for cookie in answer.headers.get_all("Set-Cookie") or ():
                    self.cookies.load(cookie)
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def opens_a_socket(self, origin: str = "") -> str:
        """The first line of what is answered to a page that opens one."""
        with socket.create_connection(("localhost", self.port), WITHIN_S) as sock:
            lines = ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", f"Host: localhost:{self.port}"]
            lines += [f"Origin: {origin or self.origin}", "Connection: Upgrade", "Upgrade: websocket"]
            lines += [
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                f"Cookie: {self._sent()}",
            ]
            sock.sendall("\r\n".join([*lines, "", ""]).encode())
            return sock.makefile("rb").readline().decode().strip()

    def _sent(self) -> str:
        return "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())


@pytest.fixture(scope="module")
def vite(run: Running, tools: str) -> Iterator[Vite]:
    page = Vite(f"http://127.0.0.1:{run.port}", tools)
    yield page
    page.stop()


def test_the_page_with_reloading_signs_in_and_opens_its_socket_without_a_setting(vite: Vite) -> None:
    assert vite.ask("/api/auth/login", {"username": NAME, "password": PASSWORD})[0] == 200
    assert vite.ask("/api/auth/protected")[1]["user"]["username"] == NAME
    assert vite.opens_a_socket() == "HTTP/1.1 101 Switching Protocols"
    status, answer = vite.ask("/api/auth/ticket", {"ticket": "made up"})  # who signed in elsewhere has a good one
    assert (status, answer["error"]["code"]) == (403, "ticket_invalid")


def test_what_another_site_makes_a_browser_send_to_it_is_refused_as_ever(vite: Vite) -> None:
    for other in ("https://evil.example", "http://localhost:1"):
        status, answer = vite.ask("/api/auth/login", {"username": NAME, "password": PASSWORD}, origin=other)
        assert (status, answer["error"]["code"]) == (403, "origin_refused")
        assert "101" not in vite.opens_a_socket(other)
