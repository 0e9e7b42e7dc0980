"""`flask …`: the tasks of whoever runs a chat."""

from __future__ import annotations

import secrets
import sys
import time

import click
from flask import Flask
from flask.cli import with_appcontext

from chat.cli_doctor import doctor
from chat.cli_plainly import or_fail, services
from chat.cli_tail import tail
from chat.services.storage import schema


def register(app: Flask) -> None:
    """Adds the commands to `flask`."""
    for command in (create_tables, drop_tables, create_user, doctor, ingest_errors, restored, tail):
        app.cli.add_command(command)


@click.command("create-tables")
@with_appcontext
def create_tables() -> None:
    """Create the DynamoDB tables that are missing; repeating it changes nothing."""
    created = or_fail(lambda: schema.create(services().storage))
    click.echo(f"Created {', '.join(created)}." if created else "All tables are there.")


@click.command("drop-tables")
@click.option("--yes", is_flag=True, help="Yes, delete every account and every message.")
@with_appcontext
def drop_tables(yes: bool) -> None:
    """Delete the tables with all that is in them."""
    if not yes:
        raise click.UsageError("This deletes every account and every message. Say --yes if that is meant.")
    dropped = or_fail(lambda: schema.drop(services().storage))
    click.echo(f"Dropped {', '.join(dropped)}." if dropped else "There were no tables.")


@click.command("create-user")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")
@with_appcontext
def create_user(name: str, password_stdin: bool) -> None:
    """Make an account."""
    registration = services().registration
    if password_stdin:
        password = or_fail(sys.stdin.readline).rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    user = or_fail(lambda: registration.register(name, password, f"cli-{secrets.token_hex(4)}"))
    click.echo(f"{user.name} can sign in now.")


@click.command("ingest-errors")
@with_appcontext
def ingest_errors() -> None:
    """List the rows put into the table of messages that could not become messages, of the last seven days."""
    found = or_fail(services().storage.external.rejected_rows)
    for bad in sorted(found, key=lambda bad: bad.at_ms):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(bad.at_ms / 1000))
        click.echo(f"{at} UTC  room {bad.room!r}, id {bad.id!r}: {bad.reason}")
    if not found:
        click.echo("Every row that was put has become a message.")


@click.command("restored")
@with_appcontext
def restored() -> None:
    """Say that the tables were put back from a backup: every page and every worker then starts over."""
    count = or_fail(lambda: services().rooms.restored())
    click.echo(f"{count} rooms start over.")
