"""Decoders in children: whatever they do, there is an output or an error, and nothing else ends."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from chat.services.runtime.child import PIECE, Child, Children, Limits, Undecoded
from chat.services.runtime.pool import Busy
from tests.conftest import ROOT, wait_until
from tests.ports import free_port

PLANTED = "tests.services.runtime.planted:"
GENEROUS = Limits(within_s=60.0)
QUICK = Limits(within_s=60.0, cpu_s=1)


@pytest.fixture(autouse=True)
def children_of_others() -> Iterator[None]:
    """Those that other tests of this process start are theirs to wait for."""
    yield
    gevent.get_hub().loop.reset_sigchld()


def decode(name: str, given: bytes = b"", limits: Limits = GENEROUS) -> bytes:
    return Children().run(PLANTED + name, given, limits)


def failure(name: str, given: bytes = b"", limits: Limits = GENEROUS) -> Undecoded:
    with pytest.raises(Undecoded) as failed:
        decode(name, given, limits)
    return failed.value


def is_gone(pid: int) -> bool:
    """Whether it has ended; somebody else may still have to take note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("size", [0, 1, 3_000_000], ids=str)
def test_a_decoder_makes_bytes_of_bytes(size: int) -> None:
    given = os.urandom(size)
    assert decode("reverse", given) == given[::-1]


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("segfault", "crashed", "SIGSEGV"),
        ("leave", "crashed", "exit code 0"),
        ("allocate", "memory", ""),
        ("write_without_end", "too_large", ""),
        ("answer_by_another_type", "raised", "TypeError"),
        ("is_not_there", "raised", "AttributeError"),
    ],
)
def test_whatever_it_does_instead_is_an_error(name: str, reason: str, told: str) -> None:
    error = failure(name)
    assert error.reason == reason
    assert told in str(error)


def test_what_it_raises_is_told_in_a_line_of_plain_text() -> None:
    error = failure("raise_an_error")
    assert error.reason == "raised"
    assert str(error).startswith(r"raised: ValueError('not a picture\x1b[31m\n\u202e\xe9xxx")
    assert len(str(error)) < 300


@pytest.mark.parametrize("name", ["stand_still", "loop_and_ignore"])
def test_who_stands_still_or_will_not_hear_is_ended_by_the_clock(name: str) -> None:
    assert failure(name, limits=Limits(within_s=0.5, cpu_s=60)).reason == "late"


def test_an_output_may_be_as_large_as_the_limit_and_no_larger() -> None:
    limits = Limits(within_s=60.0, output_bytes=1000)
    assert decode("too_much", b"1000", limits) == bytes(1000)
    assert failure("too_much", b"1001", limits).reason == "too_large"


def test_what_it_starts_ends_with_it() -> None:
    if os.geteuid() != 0:  # the limit of processes counts for everybody but root
        assert "BlockingIOError" in str(failure("fork_and_stay"))
        return
    pids = json.loads(decode("fork_and_stay"))
    assert len(pids) == 3
    wait_until(lambda: all(map(is_gone, pids)), what="they end")


def test_it_can_write_no_file(tmp_path: Path) -> None:
    assert "OSError" in str(failure("write_a_file", str(tmp_path / "it").encode()))
    assert decode("write_a_file", b"/dev/null") == b"written"


def test_it_finds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdef" * 2)
    with (tmp_path / "secret").open("w") as file, socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(file.fileno(), True)
        os.set_inheritable(listener.fileno(), True)
        found = json.loads(decode("surroundings", limits=Limits(within_s=60.0, memory_bytes=100 << 20, files=9)))
    assert sorted(found["files"]) == ["0", "1", "2"]
    assert found["files"]["1"] == found["files"]["2"] == "/dev/null"
    assert set(found["environment"]) <= {"LC_CTYPE", "FLASK_SKIP_DOTENV"}, "which Python and tests set for themselves"
    assert found["group"]
    assert 0 < found["alarm_s"] <= 61, "for who is left alone by a worker that was killed"
    assert found["limits"] == {
        "RLIMIT_AS": [100 << 20, 100 << 20],
        "RLIMIT_CPU": [2, 3],
        "RLIMIT_NOFILE": [9, 9],
        "RLIMIT_FSIZE": [0, 0],
        "RLIMIT_CORE": [0, 0],
        "RLIMIT_NPROC": [0, 0],
    }


def test_only_so_many_decode_at_once_and_a_full_queue_is_busy() -> None:
    children = Children(at_once=1, queue=1)
    slow = gevent.spawn(children.run, PLANTED + "stand_still", b"", GENEROUS)
    gevent.idle()
    second = gevent.spawn(children.run, PLANTED + "reverse", b"abc", GENEROUS)
    gevent.idle()
    with pytest.raises(Busy):
        children.run(PLANTED + "reverse", b"abc", GENEROUS)
    slow.kill()
    assert second.get() == b"cba", "whose place was free when the interrupted one had ended"


def test_the_hub_goes_on_until_the_limit_of_cpu_ends_what_computes_or_prints_without_end() -> None:
    """Counted by what the hub did meanwhile, and by its own CPU between two of its rounds: the start is the most."""
    spent: list[float] = []

    def tick() -> None:
        before = time.thread_time()
        while True:
            gevent.sleep(0.005)
            now = time.thread_time()
            spent.append(now - before)
            before = now

    ticking = gevent.spawn(tick)
    children = Children(at_once=2)
    decoding = [gevent.spawn(children.run, PLANTED + name, b"", QUICK) for name in ("loop", "print_without_end")]
    gevent.joinall(decoding)
    ticking.kill()
    assert [str(each.exception) for each in decoding] == ["cpu: SIGXCPU"] * 2
    assert len(spent) > 20, "each took a second of CPU, and no round of the hub waited for it"
    assert max(spent) < 0.1 and sum(spent) < 0.5, "of two seconds that were computed"


class Ready:
    """A socket that takes everything at once, and at which so many pieces lie ready."""

    def __init__(self, pieces: int):
        self._pieces = pieces

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def sendall(self, piece: memoryview) -> None:
        assert len(piece) <= PIECE

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_WR

    def recv(self, most: int) -> bytes:
        self._pieces -= 1
        return bytes(most if self._pieces >= 0 else 0)

    def close(self) -> None:
        pass


def test_the_hub_has_its_turn_between_any_two_pieces_however_fast_they_go_and_come() -> None:
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0)
            turns += 1

    counting = gevent.spawn(count)
    child = Child(PLANTED + "stand_still", GENEROUS)
    child._socket.close()
    child._socket = Ready(pieces=20)
    assert len(child._talk(bytes(30 * PIECE))) == 20 * PIECE
    counting.kill()
    child.end()
    assert turns >= 30 + 20


class Gunicorn:
    """One worker of gunicorn's kind that the product has."""

    def __init__(self) -> None:
        self._port = free_port()
        argv = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-b", f"127.0.0.1:{self._port}"]
        argv += [
            "-c",
            os.devnull,
            "--no-control-socket",
            "--log-level",
            "warning",
            "tests.services.runtime.worker_app:app",
        ]
        self.process = subprocess.Popen(argv, cwd=ROOT)
        wait_until(self._listens, what="gunicorn listens")
        self.worker = self.ask("echo/")[0]

    def _listens(self) -> bool:
        assert self.process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", self._port), 1).close()
            return True
        except OSError:
            return False

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/{path}"

    def ask(self, path: str) -> tuple[str, str]:
        """The worker's number and what it says."""
        with urllib.request.urlopen(self.url(path), timeout=60) as answer:
            worker, _, said = answer.read().decode().partition(" ")
            return worker, said


@pytest.fixture(scope="module")
def gunicorn() -> Iterator[Gunicorn]:
    server = Gunicorn()
    yield server
    server.process.terminate()
    server.process.wait(30)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("decode/reverse", "cba"),
        ("decode/segfault", "crashed"),
        ("decode/allocate", "memory"),
        ("decode/write_without_end", "too_large"),
        ("decode/raise_an_error", "raised"),
        ("scrypt/secret", hashlib.scrypt(b"secret", salt=b"s", n=1024, r=8, p=1).hex()),
    ],
)
def test_a_patched_worker_lives_on_and_answers(gunicorn: Gunicorn, path: str, said: str) -> None:
    assert gunicorn.ask(path) == (gunicorn.worker, said)


def test_a_patched_worker_fetches_from_itself(gunicorn: Gunicorn) -> None:
    """Its hub serves the inner request while the outer one waits."""
    inner = gunicorn.url("echo/inner")
    assert gunicorn.ask(f"fetch/{inner}") == (gunicorn.worker, f"{gunicorn.worker} inner")
