"""What must be put right before a run can start is said in one plain sentence, with exit code 2."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chat.embedded import redis_server, supervisor
from chat.embedded.children import Child
from chat.embedded.errors import RunError, StartError
from chat.embedded.folder import Folder
from tests.ports import free_port
from tests.runtime.running import ROOT, WITHIN_S, environment, holders, run_refused


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 cannot be had (Address already in use)" in run_refused(tmp_path, port)
    assert holders(tmp_path) == set()


def test_an_impossible_port(tmp_path: Path) -> None:
    assert run_refused(tmp_path, 70000) == "PORT must be 1 to 65535.\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run_refused(tmp_path / "file" / "data") == (
        f"DATA_DIR {tmp_path}/file/data cannot be written: Not a directory.\n"
    )


def test_a_redis_that_does_not_answer(tmp_path: Path) -> None:
    said = run_refused(tmp_path, REDIS_URL=f"redis://:hush@127.0.0.1:{free_port()}/0")
    assert "does not answer" in said
    assert "hush" not in said


def test_an_address_that_is_none(tmp_path: Path) -> None:
    assert "is not like redis://" in run_refused(tmp_path, REDIS_URL="localhost:6379")


def test_a_dynamodb_that_does_not_answer(tmp_path: Path, redis_url: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    said = run_refused(tmp_path, REDIS_URL=redis_url, DYNAMODB_ENDPOINT=endpoint, **keys)
    assert said == f"DynamoDB at {endpoint} does not answer.\n"


def test_settings_that_are_unsafe(tmp_path: Path) -> None:
    assert run_refused(tmp_path, SECRET_KEY="short") == "SECRET_KEY has fewer than 32 bytes.\n"


def test_a_redis_that_is_none(tmp_path: Path) -> None:
    impostor = tmp_path / "redis-server"
    impostor.write_text("#!/bin/sh\necho hello\n")
    impostor.chmod(0o755)
    assert f"{impostor} is no Redis" in run_refused(tmp_path / "data", PATH=f"{tmp_path}:{os.environ['PATH']}")


def test_a_redis_that_does_not_start(tmp_path: Path) -> None:
    """The one case with exit code 1: nothing that a person set is wrong."""
    broken = tmp_path / "redis-server"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.15 sha=0" || exit 3\n')
    broken.chmod(0o755)
    data_dir = tmp_path / "data"
    said = run_refused(data_dir, code=1, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert said == f"Redis did not start (exit code 3, see {data_dir}/redis-7/redis.log).\n"
    assert holders(data_dir) == set()


def test_a_child_that_keeps_ending_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF_S", (0.0,) * 4)
    run = supervisor.Supervisor(environment(tmp_path, free_port()))
    child = Child("Redis", ["false"], dict(os.environ), tmp_path)
    child.start()
    run._watched.append(supervisor.Watched(child))
    with pytest.raises(RunError, match=r"Redis keeps ending \(exit code 1\); everything is stopped"):
        run._watch()


def test_no_redis_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert redis_server.find_server(path=str(tmp_path)).line == "valkey-9", "the wheel's, when there is no other"
    monkeypatch.setattr(redis_server, "_in_the_wheel", lambda: None)
    with pytest.raises(StartError, match="There is no Redis"):
        redis_server.find_server(path=str(tmp_path))


def test_a_server_on_the_path_comes_before_the_wheel() -> None:
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    assert installed, "apt-get install redis-server, as .ci/run does"
    assert redis_server.find_server().binary == installed


def test_a_library_that_is_not_installed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "chat.embedded"],
        cwd=ROOT,
        env=environment(tmp_path, free_port()),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "`make run` sets up what it needs" in done.stderr
    assert holders(tmp_path) == set()


def test_two_at_once_never_share_a_folder(tmp_path: Path) -> None:
    first = Folder(tmp_path)
    with pytest.raises(StartError, match="Another Parley"):
        Folder(tmp_path)
    os.close(first.lock_fd)
    os.close(Folder(tmp_path).lock_fd)


def test_a_remembered_port_is_given_up_when_somebody_else_has_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        folder.remember_port("redis", port)
        assert folder.port("redis") == 0
    assert folder.port("redis") == port
    (tmp_path / "ports.json").write_text("[broken")
    assert folder.port("redis") == 0
    os.close(folder.lock_fd)
