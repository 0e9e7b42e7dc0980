"""README.md, .env.example and the Makefile say what the code does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from flask import Flask

from chat import cli
from chat.config import Config
from tests.runtime.running import ROOT

KEY = "0123456789abcdef" * 3
SETTINGS: Mapping[str, Field[Any]] = {f.name.upper(): f for f in fields(Config)}


def _shown(default: Any) -> str:
    """A default as one would write it into the environment."""
    if isinstance(default, bool):
        return str(int(default))
    return ",".join(default) if isinstance(default, tuple) else str(default)


def test_the_readme_lists_every_setting_with_its_default_and_help() -> None:
    expected = [
        f"| `{name}` | {f'`{_shown(f.default)}`' if _shown(f.default) else ''} | {f.metadata['help']} |"
        for name, f in SETTINGS.items()
    ]
    listed = re.findall(r"^\| `[A-Z0-9_]+` \|.*\|$", (ROOT / "README.md").read_text(), re.M)
    assert [row.replace("|  |", "|  |") for row in listed] == expected


def test_the_env_example_lists_every_setting_with_its_default_and_help() -> None:
    expected = [f"# {f.metadata['help']}\n#{name}={_shown(f.default)}" for name, f in SETTINGS.items()]
    text = (ROOT / ".env.example").read_text()
    assert re.findall(r"^# .*\n#[A-Z0-9_]+=.*$", text, re.M) == expected


def test_the_env_example_with_every_line_taken_is_the_default() -> None:
    lines = [line.removeprefix("#") for line in (ROOT / ".env.example").read_text().splitlines() if line[:2] != "# "]
    env = dict(line.split("=", 1) for line in lines if line)
    assert Config.from_env({**env, "SECRET_KEY": KEY}) == Config(secret_key=KEY)


def test_the_readme_lists_every_task() -> None:
    listed = re.findall(r"^\| `flask --app wsgi ([a-z-]+)", (ROOT / "README.md").read_text(), re.M)
    app = Flask("tasks")
    cli.register(app)
    assert sorted(listed) == sorted(app.cli.commands)


def test_make_help_lists_every_target_and_is_what_make_alone_says() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make (\S+) +\S", said, re.M)
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.M)
    assert phony
    internal = {"setup-dev", "setup-serverless", "setup-pages", "bundle-check"}
    assert set(listed) == set(phony[1].split()) - internal
    assert {"help", "run", "test", "check", "lock", "bench", "build"} <= set(listed)


def test_the_procfile_names_what_is_there() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert lines["web"] == "env BIND=${BIND:-0.0.0.0} gunicorn -k gevent -c gunicorn.conf.py wsgi:app"
    assert lines["release"] == "flask --app wsgi create-tables"
    assert (ROOT / "gunicorn.conf.py").exists()
    assert (ROOT / "wsgi.py").exists()
