"""`make run` in a copy of the checkout: setting up, the terminal's Ctrl-C, and `make` killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.running import ROOT, WITHIN_S, Running


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
    run.process.wait(WITHIN_S)
    assert run.pids() == set()
    assert "Traceback" not in run.stderr()


def test_make_killed_ends_everything(run: Running) -> None:
    run.signal(signal.SIGKILL)
    run.process.wait()
    run.gone()


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
    assert done.stderr == (
        "Parley needs Python 3.11 or newer, and there is none on the PATH. Amazon Linux 2023: dnf install python3.12\n"
    )
    assert not (tmp_path / ".venv").exists()
