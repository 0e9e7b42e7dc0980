"""`flask doctor`: what is wrong with an installation, found by trying what the chat does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from chat.cli_plainly import quiet, services, settings_refused
from chat.config import Config
from chat.services.health.address_examined import examine_address
from chat.services.health.findings import Finding, side_by_side
from chat.services.health.redis_examined import RedisExamined
from chat.services.health.tables_examined import TablesExamined

WITHIN_S = 13.0  # with the start of the process, less than 15
MEND = "set it right in the environment or in .env: the README lists the settings"


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="A list of {check, ok, cause, do}; ok with a cause is a warning.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Say what is wrong with this installation. Tries what the chat does, and removes what it wrote. Exit code: 0 when
    all is well, 1 with warnings, 2 when something is broken."""
    problems = settings_refused()
    config = None if problems else services().config
    if config is not None:
        problems = config.problems() + config.lacks_secret()
    findings = [Finding("settings", False, problem, MEND) for problem in problems] or [Finding("settings", True)]
    urls: set[str] | None = None
    if config is not None:
        with quiet():
            further, urls = _examined(config)
        findings += further
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _say(findings, config, urls)
    broken = any(not finding.ok for finding in findings)
    raise SystemExit(2 if broken else 1 if any(finding.cause for finding in findings) else 0)


def _examined(config: Config) -> tuple[list[Finding], set[str] | None]:
    tables, looked = TablesExamined(config), threading.Event()

    def of_tables() -> Iterator[Finding]:
        try:
            yield from tables.run()
        finally:
            looked.set()

    def of_address() -> Iterator[Finding]:
        looked.wait()
        yield from examine_address(config, tables.urls)

    examinations = {"redis": RedisExamined(config.redis_url).run, "dynamodb": of_tables, "address": of_address}
    return side_by_side(examinations, WITHIN_S), tables.urls


def _say(findings: list[Finding], config: Config | None, urls: set[str] | None) -> None:
    for finding in findings:
        if finding.cause:
            kind = "Warning" if finding.ok else "Broken"
            click.echo(f"- {kind}: {finding.check}: {finding.cause}. To do: {finding.do}.")
    if config is None or any(finding.cause for finding in findings):
        return
    if urls:
        click.echo(f"All is well. People find the chat at {config.public_url}.")
    else:
        click.echo(f"All is well, and no worker runs yet: the chat will be at {config.public_url}.")
