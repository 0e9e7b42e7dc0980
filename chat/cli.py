"""`flask …`: the tasks of whoever runs a chat."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import click
from flask import Flask
from flask.cli import with_appcontext

from chat.blueprints.guard import services
from chat.cli_tail import tail
from chat.errors import ChatError
from chat.services.storage import schema
from chat.services.storage.redis_client import answering

T = TypeVar("T")


def register(app: Flask) -> None:
    """Adds the commands to `flask`."""
    for command in (create_tables, drop_tables, create_user, doctor, ingest_errors, restored, tail):
        app.cli.add_command(command)


@click.command("create-tables")
@with_appcontext
def create_tables() -> None:
    """Create the DynamoDB tables that are missing; repeating it changes nothing."""
    created = _or_fail(lambda: schema.create(services().storage))
    click.echo(f"Created {', '.join(created)}." if created else "All tables are there.")


@click.command("drop-tables")
@click.option("--yes", is_flag=True, help="Yes, delete every account and every message.")
@with_appcontext
def drop_tables(yes: bool) -> None:
    """Delete the tables with all that is in them."""
    if not yes:
        raise click.UsageError("This deletes every account and every message. Say --yes if that is meant.")
    dropped = _or_fail(lambda: schema.drop(services().storage))
    click.echo(f"Dropped {', '.join(dropped)}." if dropped else "There were no tables.")


@click.command("create-user")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")
@with_appcontext
def create_user(name: str, password_stdin: bool) -> None:
    """Make an account."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    user = _or_fail(lambda: services().registration.register(name, password, f"cli-{secrets.token_hex(4)}"))
    click.echo(f"{user.name} can sign in now.")


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Say what is wrong with this installation, in plain words."""
    found = services()
    problems = found.config.problems() + found.config.lacks_secret()
    try:
        with answering():
            found.redis.ping()
    except ChatError as error:
        problems.append(f"Redis does not answer: {error.__cause__}")
    else:
        problems += _redis_problems() + _stream_problems()
    try:
        problems += schema.problems(found.storage)
    except ChatError as error:
        problems.append(f"DynamoDB does not answer: {error.__cause__}")
    for problem in problems:
        click.echo(f"- {problem}")
    if problems:
        raise SystemExit(1)
    click.echo(f"All is well. People find the chat at {found.config.public_url}.")


@click.command("ingest-errors")
@with_appcontext
def ingest_errors() -> None:
    """List the rows put into the table of messages that could not become messages, of the last seven days."""
    found = _or_fail(services().storage.external.rows_set_aside)
    for bad in sorted(found, key=lambda bad: bad.at_ms):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(bad.at_ms / 1000))
        click.echo(f"{at} UTC  room {bad.room!r}, id {bad.id!r}: {bad.reason}")
    if not found:
        click.echo("Every row that was put has become a message.")


@click.command("restored")
@with_appcontext
def restored() -> None:
    """Say that the tables were put back from a backup: every page and every worker then starts over."""
    count = _or_fail(lambda: services().rooms.restored())
    click.echo(f"{count} rooms start over.")


def _redis_problems() -> list[str]:
    try:
        with answering():
            policy = services().redis.config_get("maxmemory-policy").get("maxmemory-policy")
    except ChatError:
        return []  # a managed Redis does not tell
    if policy in (None, "noeviction"):
        return []
    return [f"Redis may throw sessions away when it is full (maxmemory-policy {policy}): set it to noeviction"]


def _stream_problems() -> list[str]:
    """What stands still, where a worker should read the stream. Without any worker nothing moves, rightly."""
    found = services()
    if found.config.ingest_mode != "poller":
        return []
    try:
        problem = found.movement.problem()
        return [f"Rows that others put wait: {problem}"] if problem and found.storage.workers.all() else []
    except ChatError:
        return []  # whoever does not answer has a line of its own


def _or_fail(work: Callable[[], T]) -> T:
    try:
        return work()
    except ChatError as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise click.ClickException(f"{error.message}{cause}") from error
