"""Redis by TLS through a tunnel: reached at 127.0.0.1, and it must show the certificate of its real name."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from chat.services.storage.redis_client import connect
from deploy.tunnel import address, session
from tests.conftest import free_port, wait_until

NAME = "master.parley.cache.example"
PASSWORD = "p@ss/word?&="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A Redis that speaks TLS only, with a user `server`; its port, and the certificate, which is for NAME alone."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key, port = folder / "cert.pem", folder / "key.pem", free_port()
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}"]
    argv += ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, check=True, capture_output=True)
    settings = [f"tls-port {port}", "port 0", "bind 127.0.0.1", 'save ""', "tls-auth-clients no"]
    settings += [f"tls-cert-file {cert}", f"tls-key-file {key}"]
    settings += [f"user server on >{PASSWORD} ~* +@all", "user default off"]
    (folder / "redis.conf").write_text("\n".join(settings) + "\n")
    argv = ["redis-server", str(folder / "redis.conf")]
    process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL)
    wait_until(lambda: _listens(port), what="Redis listens")
    yield port, cert
    process.kill()
    process.wait()


@pytest.fixture
def tunnel(server: tuple[int, Path]) -> Iterator[int]:
    """The port of a forwarder to that Redis, as SSM's is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_forward, args=(listener, server[0]), daemon=True).start()
        yield listener.getsockname()[1]


def test_through_a_tunnel_the_real_name_is_checked_and_fits(server: tuple[int, Path], tunnel: int) -> None:
    client = connect(f"{address(NAME, tunnel, PASSWORD)}&ssl_ca_certs={server[1]}")
    assert client.ping()
    assert client.set("a", "b")


def test_another_name_than_the_certificates_is_refused(server: tuple[int, Path], tunnel: int) -> None:
    client = connect(f"{address('other.cache.example', tunnel, PASSWORD)}&ssl_ca_certs={server[1]}")
    with pytest.raises(redis.ConnectionError, match="certificate"):
        client.ping()


def test_without_the_name_the_tunnel_itself_would_have_to_have_a_certificate(
    server: tuple[int, Path], tunnel: int
) -> None:
    client = connect(f"rediss://127.0.0.1:{tunnel}/0?ssl_ca_certs={server[1]}")
    with pytest.raises(redis.ConnectionError, match="certificate"):
        client.ping()


def test_the_session_forwards_to_redis_at_its_private_name() -> None:
    argv = session("i-0123", NAME, 6380)
    assert argv[:5] == ["aws", "ssm", "start-session", "--target", "i-0123"]
    assert argv[-1] == f'{{"host": ["{NAME}"], "portNumber": ["6379"], "localPortNumber": ["6380"]}}'


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def _forward(listener: socket.socket, port: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # the test is over
        upstream = socket.create_connection(("127.0.0.1", port))
        for source, target in ((client, upstream), (upstream, client)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass  # the other side has hung up
    target.close()
