"""`.env` counts for every way of starting but the functions', and the environment wins."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chat import env_file
from chat.config import Config
from chat.errors import ConfigError
from deploy import package
from tests.runtime.running import ROOT, SETTINGS, WITHIN_S

SAID = """\
# a comment=1

export PORT=9000
WORKERS = 3   # with a comment
LOG_LEVEL='debug'
PUBLIC_URL="https://a.example/?b=c#d"
REDIS_PASSWORD="a \\"quoted\\" word"
NOTHING
"""


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests themselves leave the file out (tests/__init__.py)."""
    monkeypatch.delenv("FLASK_SKIP_DOTENV")
    for name in SETTINGS | {"AWS_DEFAULT_REGION"}:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_it_is_read_as_a_shell_would_and_the_environment_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(SAID, encoding="utf-8-sig")  # an editor on Windows puts a mark in front
    monkeypatch.setenv("PORT", "9001")
    env = env_file.environment(file)
    assert (env["PORT"], env["WORKERS"], env["LOG_LEVEL"]) == ("9001", "3", "debug")
    assert env["PUBLIC_URL"] == "https://a.example/?b=c#d"
    assert env["REDIS_PASSWORD"] == 'a "quoted" word'
    assert "NOTHING" not in env
    monkeypatch.setenv("FLASK_SKIP_DOTENV", "1")
    assert env_file.environment(file) == dict(os.environ)


def test_without_a_file_there_is_the_environment(tmp_path: Path) -> None:
    assert env_file.environment(tmp_path / "none") == dict(os.environ)


def test_a_file_that_is_no_text_is_named(file: Path) -> None:
    file.write_bytes(b"SECRET_KEY=\xff\xfe")
    with pytest.raises(ConfigError, match=r"\.env is not UTF-8"):
        env_file.environment(file)


@pytest.mark.parametrize(
    ("name", "given", "other"),
    [("REDIS_URL", "redis://:word@here:1/0", "REDIS_HOST"), ("AWS_DEFAULT_REGION", "us-east-1", "AWS_REGION")],
)
@pytest.mark.parametrize("by_flask", [False, True])
def test_the_environment_wins_over_what_says_the_same_otherwise(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: str, other: str, by_flask: bool
) -> None:
    """Also where Flask has put in what the environment did not have, before we were asked."""
    file.write_text(f"{other}=elsewhere\n")
    monkeypatch.setenv(name, given)
    if by_flask:
        monkeypatch.setenv(other, "elsewhere")
    env_file.load(file)
    assert other not in os.environ
    config = Config.from_env(needs_secret=False)
    assert given in (config.redis_url, config.aws_region)


# --- every way of starting -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is started, in a folder with a `.env`."""
    home = tmp_path_factory.mktemp("checkout")
    for folder in ("chat", "frontend/dist"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("wsgi.py", "gunicorn.conf.py", "Procfile"):
        shutil.copy(ROOT / name, home)
    (home / "bin").mkdir()
    for name in ("gunicorn", "flask"):  # of this Python, wherever that lies
        (home / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n')
        (home / "bin" / name).chmod(0o755)
    return home


def started(checkout: Path, said: str, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    (checkout / ".env").write_text(said)
    env = {name: value for name, value in os.environ.items() if name not in SETTINGS} | more
    env["PATH"] = f"{checkout / 'bin'}:{env['PATH']}"
    done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, timeout=WITHIN_S)
    assert "Traceback" not in done.stderr, done.stderr
    return done


SECRET = f"SECRET_KEY={'0123456789abcdef' * 3}\n"
BAD = f"{SECRET}export BCRYPT_COST=3\n"
BELOW = "BCRYPT_COST is below 12"


def test_gunicorn_reads_it(checkout: Path) -> None:
    command = ("gunicorn", "-c", "gunicorn.conf.py", "--print-config", "wsgi:app")
    done = started(checkout, f"{SECRET}PORT=12345\nWORKERS=3\n", *command, WORKERS="2")
    settings = dict(line.split("= ", 1) for line in done.stdout.splitlines() if "= " in line)
    read = {name.strip(): value for name, value in settings.items()}
    assert (read["bind"], read["workers"]) == ("['127.0.0.1:12345']", "2")


def test_gunicorn_without_our_settings_reads_it_too(checkout: Path) -> None:
    (checkout / "empty.conf.py").write_text("")
    command = ("gunicorn", "-k", "gevent", "-c", "empty.conf.py", "--bind", "127.0.0.1:0", "wsgi:app")
    done = started(checkout, BAD, *command)
    assert done.returncode == 3, "it does not start another worker for ever"
    assert BELOW in done.stderr


def test_flask_reads_it_and_says_what_is_wrong(checkout: Path) -> None:
    done = started(checkout, BAD, "flask", "--app", "wsgi", "create-user", "ada", "--password-stdin")
    assert (done.returncode, done.stdout) == (1, "")
    assert BELOW in done.stderr


def test_the_doctor_says_it_as_a_finding(checkout: Path) -> None:
    done = started(checkout, "REDIS_URL=localhost:6379\n", "flask", "--app", "wsgi", "doctor", "--json")
    assert done.returncode == 2, done.stderr
    causes = [(finding["check"], finding["ok"], finding["cause"]) for finding in json.loads(done.stdout)]
    wrong = "REDIS_URL 'localhost:6379' is not like redis://default:password@host:6379/0"
    assert causes == [("settings", False, wrong), ("settings", False, "SECRET_KEY has fewer than 32 bytes")]


def test_make_run_reads_it(checkout: Path) -> None:
    done = started(checkout, "export PORT=70000 # no port\n", sys.executable, "-m", "chat.embedded")
    assert (done.returncode, done.stderr) == (2, "PORT must be 1 to 65535.\n")


def test_the_procfile_listens_where_a_platform_looks(checkout: Path) -> None:
    web = dict(line.split(": ", 1) for line in (checkout / "Procfile").read_text().splitlines())["web"]
    command = web.replace("gunicorn ", "gunicorn --print-config ", 1)
    done = started(checkout, SECRET, "sh", "-c", command, PORT="23456")
    assert "= ['0.0.0.0:23456']\n" in done.stdout, done.stdout


def test_flask_run_says_that_it_serves_no_sockets(checkout: Path) -> None:
    done = started(checkout, SECRET, "flask", "--app", "wsgi", "run", "--port", "0")
    assert done.returncode == 2
    assert "`flask run` serves no websockets" in done.stderr and "make run" in done.stderr


def test_gunicorn_says_that_it_was_told_another_port(checkout: Path) -> None:
    """By its command line, which no setting of ours sees."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = ("gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", "wsgi:app")
        done = started(checkout, SECRET, *command)
    assert f"listens at port {port} and answers to http://localhost:8000 alone: say PORT" in done.stderr
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr


def test_the_tests_leave_out_what_a_person_has_in_theirs() -> None:
    """Whatever they start: the variable goes with the environment."""
    code = "import os, tests; print(os.environ['FLASK_SKIP_DOTENV'])"
    for package_of_ours in ("tests", "bench"):
        told = subprocess.run(
            [sys.executable, "-c", code.replace("tests", package_of_ours)], cwd=ROOT, capture_output=True, text=True
        ).stdout
        assert told == "1\n"


def test_functions_never_read_it(checkout: Path) -> None:
    """They say what the runtime's environment says, wherever a file lies beside them."""
    code = "from chat.lambdas import http; print(http.config().session_ttl_s)"
    assert started(checkout, "SESSION_TTL_S=77\n", sys.executable, "-c", code).stdout == "1800\n"
    for name in package.FUNCTIONS:
        assert not {"chat.env_file", "dotenv"} & package.modules(f"chat.lambdas.{name}")
