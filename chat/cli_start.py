"""How a process begins whose settings do not do: in plain sentences, whoever started it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from flask import Flask
from flask.cli import ScriptInfo

from chat import cli

BOOT_ERROR = 3  # by which a worker tells gunicorn that starting another one is no use


def refuse_to_serve() -> None:
    """Ends `flask run`: its server speaks no websockets, so nobody could chat. Raises: UsageError."""
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "run" and isinstance(context.obj, ScriptInfo):
        raise click.UsageError(
            "`flask run` serves no websockets, so nobody could chat by it. `make run` does, with all that is needed "
            "beside it; so does `gunicorn -k gevent -c gunicorn.conf.py wsgi:app`."
        )


def refused(problems: Sequence[str]) -> Flask:
    """In place of the app: one whose tasks say what is wrong with the settings. Only `flask` gets it; a server ends."""
    if click.get_current_context(silent=True) is None:
        print("Parley does not start:\n" + "\n".join(f"- {problem}" for problem in problems), file=sys.stderr)
        sys.exit(BOOT_ERROR)
    app = Flask("chat")
    app.extensions["problems"] = list(problems)
    cli.register(app)
    return app
