"""`make run` and `make cloud`, in a copy of the checkout: setting up, the terminal's Ctrl-C, and `make` killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.running import ROOT, Running, environment, free_port, until


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files git knows, and a .venv that holds what the locks pin: this one, by links."""
    home = tmp_path_factory.mktemp("copy")
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    files = [
        file
        for file in known.splitlines()
        if not file.startswith(("frontend/src", "tests")) and (ROOT / file).is_file()
    ]
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, home / file)
    (home / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (home / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    locks = ["requirements.txt", "requirements-run.txt", "requirements-dev.txt"]
    sums = subprocess.run(["cksum", *locks], cwd=home, capture_output=True, text=True, check=True).stdout
    (home / ".venv" / "locks.stamp").write_text(sums)
    return home


@pytest.fixture
def run(copy: Path) -> Iterator[Running]:
    with Running(copy / "data", ["make", "run"], cwd=copy) as running:
        yield running


def test_ctrl_c_in_the_terminal_ends_make_and_everything(run: Running) -> None:
    assert run.lines[0] == run.url, "nothing is said before"
    run.signal(signal.SIGINT, group=True)
    run.process.wait(5)
    assert run.pids() == set()
    assert "Traceback" not in run.stderr()


def test_make_killed_ends_everything(run: Running) -> None:
    run.signal(signal.SIGKILL)
    run.process.wait()
    run.gone(5)


@pytest.fixture
def cloud(copy: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`make cloud` there, with the tools of AWS that this checkout has."""
    tools = ROOT / ".venv-serverless"
    assert tools.is_dir(), "make setup-serverless installs what this test runs"
    (copy / ".venv-serverless").symlink_to(tools)
    env = environment(tmp_path / "data", free_port(), CLOUD_DIR=str(tmp_path / "cloud"))
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            ["make", "cloud"],
            cwd=copy,
            env=env,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    yield process
    for pid in _of(tmp_path / "cloud"):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    (copy / ".venv-serverless").unlink()


def test_make_cloud_says_where_it_is_and_ctrl_c_ends_all_of_it(
    cloud: subprocess.Popen[str], copy: Path, tmp_path: Path
) -> None:
    assert cloud.stdout is not None
    lines = [line.strip() for line in (cloud.stdout.readline() for _ in range(3)) if line]
    assert len(lines) == 3, (tmp_path / "stderr").read_text()
    url, api, aws = lines[0], *(line.partition("=")[2] for line in lines[1:])
    with urllib.request.urlopen(f"{url}/login", timeout=30) as page:
        assert b'<div id="root">' in page.read()
    with urllib.request.urlopen(f"{url}/config.json", timeout=30) as said:
        assert json.load(said) == {"auth_base": api}
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{api}/protected", timeout=90)
    assert aws.startswith("http://127.0.0.1:")
    assert len(_of(tmp_path / "cloud")) >= 5, "AWS, Redis, the edge, the chat"
    os.killpg(cloud.pid, signal.SIGINT)
    cloud.wait(30)
    until(lambda: not _of(tmp_path / "cloud"), 10, "every process has ended")
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def _of(folder: Path) -> set[int]:
    """The processes that have this folder as their CLOUD_DIR."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"CLOUD_DIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
        except OSError:
            continue  # it ended while we looked, or is somebody else's
    return found


def test_what_the_locks_pin_is_installed_once(copy: Path) -> None:
    tried = copy / "tried"
    stub = copy / "stub"
    stub.mkdir()
    for name in ("uv", "pip"):
        (stub / name).write_text(f"#!/bin/sh\necho {name} \"$@\" >>'{tried}'\n")
        (stub / name).chmod(0o755)

    def venv(what: str) -> int:
        env = {"PATH": f"{stub}:/usr/bin:/bin", "HOME": str(copy)}
        return subprocess.run(["bin/venv", what], cwd=copy, env=env, capture_output=True).returncode

    assert venv("run") == 0
    assert venv("dev") == 0
    assert not tried.exists(), "the stamp says that all is there"
    lock = copy / "requirements.txt"
    text = lock.read_text()
    lock.write_text(text + "# changed\n")
    assert venv("run") == 0
    assert tried.read_text() == "uv pip install --quiet --require-hashes -r requirements.txt\n"
    assert venv("run") == 0
    assert tried.read_text().count("\n") == 1, "once"
    lock.write_text(text)
    assert venv("nonsense") == 2


def test_no_python_that_is_new_enough_is_one_sentence(copy: Path, tmp_path: Path) -> None:
    shutil.copytree(copy / "bin", tmp_path / "bin")
    shutil.copy(copy / "requirements.txt", tmp_path)
    old = tmp_path / "path"
    old.mkdir()
    for name in ("sh", "dirname", "cksum", "grep", "cat", "rm"):
        (old / name).symlink_to(shutil.which(name) or name)
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    (old / "redis-server").symlink_to("/bin/true")
    done = subprocess.run(["bin/venv", "run"], cwd=tmp_path, env={"PATH": str(old)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Parley needs Python 3.11 or newer, and there is none on the PATH.\n"
    assert not (tmp_path / ".venv").exists()
