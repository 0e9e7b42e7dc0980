"""The files for proxies, run: people sign in and open their sockets through them, under the address that they type."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chat.config import Config
from chat.services.health.address_examined import examine_address
from tests.logs import WATCHED
from tests.ports import free_port
from tests.runtime.running import NAME, PASSWORD, ROOT, WITHIN_S, Running, until

HOST = "127.0.0.2"  # as a LAN's: it is not among the names of this computer for itself
SOMEBODY = "127.0.0.3"


@dataclass
class Proxied:
    """The chat by https, and what its certificate is proven by."""

    url: str
    root: Path
    run: Running

    def ask(self, path: str, body: object = None, **headers: str) -> http.client.HTTPResponse:
        """As somebody's browser does at that address."""
        port = int(self.url.rpartition(":")[2])
        context = ssl.create_default_context(cafile=self.root)
        connection = http.client.HTTPSConnection(
            HOST, port, timeout=WITHIN_S, context=context, source_address=(SOMEBODY, 0)
        )
        told = {"Content-Type": "application/json", "Origin": self.url} if body is not None else {}
        data = None if body is None else json.dumps(body)
        connection.request("POST" if data else "GET", path, data, told | headers)
        return connection.getresponse()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = f"https://{HOST}:{free_port()}"
    with Running(tmp_path_factory.mktemp("proxied") / "data", PUBLIC_URL=url, TRUSTED_PROXY_HOPS="1") as run:
        assert run.lines[0] == url
        yield run


def serves(url: str, root: Path) -> bool:
    """Whether it listens and has its certificate."""
    try:
        context = ssl.create_default_context(cafile=root)
        with socket.create_connection((HOST, int(url.rpartition(":")[2])), WITHIN_S) as sock:
            context.wrap_socket(sock, server_hostname=HOST).close()
    except OSError:
        return False
    return True


def caddy(chat: Running, folder: Path) -> tuple[list[str], dict[str, str], Path]:
    env = {"PUBLIC_URL": chat.lines[0], "PORT": str(chat.port), "HTTP_PORT": str(free_port())}
    root = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    command = ["caddy", "run", "--config", "deploy/Caddyfile"]
    return command, env | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}, root


def nginx(chat: Running, folder: Path) -> tuple[list[str], dict[str, str], Path]:
    key, certificate = folder / "privkey.pem", folder / "fullchain.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = site.replace("/etc/letsencrypt/live/chat.example.org", str(folder)).replace("chat.example.org", HOST)
    site = site.replace("listen 443", f"listen {chat.lines[0].rpartition(':')[2]}").replace(":8000", f":{chat.port}")
    (folder / "site.conf").write_text(site)
    whole = f"""daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
include {folder}/site.conf; }}
"""
    (folder / "nginx.conf").write_text(whole)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], {}, certificate


@pytest.fixture(params=[caddy, nginx], ids=lambda proxy: proxy.__name__)
def proxied(request: pytest.FixtureRequest, chat: Running, tmp_path: Path) -> Iterator[Proxied]:
    make: Callable[[Running, Path], tuple[list[str], dict[str, str], Path]] = request.param
    command, env, root = make(chat, tmp_path)
    assert shutil.which(command[0]), f"the tests need {request.param.__name__}: apt-get install caddy nginx-light"
    WATCHED.file(log := tmp_path / "log")
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out)
    try:
        until(lambda: process.poll() is not None or serves(chat.lines[0], root), WITHIN_S, "it serves")
        assert process.poll() is None, log.read_text()
        yield Proxied(chat.lines[0], root, chat)
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def test_people_sign_in_and_open_their_socket_through_it(proxied: Proxied) -> None:
    account = {"username": NAME, "password": PASSWORD}
    assert proxied.ask("/api/auth/register", account).status in (201, 409), "the second one finds the account"
    signed_in = proxied.ask("/api/auth/login", account, **{"X-Forwarded-For": "6.6.6.6"})
    assert signed_in.status == 200, signed_in.read()
    cookie = signed_in.headers["Set-Cookie"]
    assert cookie.startswith("__Host-parley=") and "Secure" in cookie
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Origin": proxied.url,
        "Cookie": cookie.partition(";")[0],
    }
    assert proxied.ask("/socket.io/?EIO=4&transport=websocket", **upgrade).status == 101
    logged = [json.loads(line) for line in proxied.run.stderr().splitlines() if line.startswith("{")]
    addresses = {line["address"] for line in logged if line.get("address")}
    assert addresses == {SOMEBODY}, "it is known who asks, whatever they write themselves"


def test_the_doctor_is_content(proxied: Proxied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(proxied.root))
    served, passed = examine_address(replace(Config(), public_url=proxied.url), {proxied.url})
    assert (served.ok, served.cause, passed.ok, passed.cause) == (True, "", True, "")


def test_for_a_domain_caddy_gets_the_certificate_by_itself() -> None:
    """What would be asked of an authority, which is not to be asked here."""
    command = ["caddy", "adapt", "--config", "deploy/Caddyfile"]
    env = {**os.environ, "PUBLIC_URL": "https://chat.example.org"}
    adapted = json.loads(subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True).stdout)
    (served,) = adapted["apps"]["http"]["servers"].values()
    assert served["listen"] == [":443"]
    assert served["routes"][0]["match"] == [{"host": ["chat.example.org"]}]
    assert "automatic_https" not in served and "tls" not in adapted["apps"], "as Caddy does it where nothing is said"
