"""`flask tail`: what is said, as JSON lines, as it comes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import click
from flask.cli import with_appcontext

from chat.cli_plainly import or_fail, services
from chat.errors import ChatError
from chat.services.jobs.tail import AGAIN_EVERY_S, LOOK_EVERY_S, Position, Tail, nobody_reads
from chat.services.log.sequence import Sequences

FLUSHED_EVERY = 500  # lines; then it is noted how far they went

_written: dict[Path, str] = {}


@click.command("tail")
@click.argument("room", required=False)
@click.option("--all", "every", is_flag=True, help="Every room.")
@click.option("--after", type=click.IntRange(min=0), help="Of a room: only what comes behind that number.")
@click.option("--new", is_flag=True, help="Only what comes from now on.")
@click.option("--cursor", type=click.Path(path_type=Path), help="A file that says how far it went: go on there.")
@click.option("--no-follow", is_flag=True, help="End with what is there.")
@with_appcontext
def tail(room: str | None, every: bool, after: int | None, new: bool, cursor: Path | None, no_follow: bool) -> None:
    """Print every entry of a room's log, or of all, as a line of JSON, in order, as it comes."""
    if (room is None) != every or (after is not None and every):
        raise click.UsageError("Name a room, or say --all. --after goes with a room.")
    found = services()
    sequences = Sequences(found.redis, found.storage)
    reading = Tail(found.storage, sequences, room, _read(cursor), after or 0, new, _complain)
    ended: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: _end(ended, number))
    try:
        or_fail(lambda: _follow(reading, cursor, no_follow, ended))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it ends
    finally:
        signal.signal(signal.SIGINT, before)


def _end(ended: list[int], number: int) -> None:
    """The first time, between two lines; the second time, at once."""
    ended.append(number)
    signal.signal(number, signal.SIG_DFL)


def _follow(reading: Tail, cursor: Path | None, no_follow: bool, ended: list[int]) -> None:
    away = False
    while not ended and not nobody_reads(sys.stdout):
        try:
            for number, line in enumerate(reading.lines(), 1):
                said = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
                sys.stdout.buffer.write(said.encode("utf-8", "backslashreplace") + b"\n")
                if number % FLUSHED_EVERY == 0:
                    _flush(reading, cursor)
                if ended:
                    break
            _flush(reading, cursor)
        except ChatError as error:
            _flush(reading, cursor)
            if error.code != "unavailable":
                raise click.ClickException(error.message) from error
            if not away:
                _complain("DynamoDB does not answer; trying again.")
            away = True
            time.sleep(AGAIN_EVERY_S)
            continue
        if away:
            _complain("DynamoDB answers again.")
            away = False
        if no_follow:
            for undecided in reading.undecided():
                _complain(f"{undecided} is undecided for now; what is behind it was left out.")
            return
        time.sleep(LOOK_EVERY_S)


def _flush(reading: Tail, cursor: Path | None) -> None:
    """First what was said, then how far that went: what is said twice after an end in between does less harm than what
    is said never."""
    sys.stdout.buffer.flush()
    if cursor is None or (said := json.dumps(reading.positions, indent=0)) == _written.get(cursor):
        return
    beside = cursor.with_name(cursor.name + ".new")
    with beside.open("w") as file:
        file.write(said)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(cursor)
    _written[cursor] = said


def _read(cursor: Path | None) -> dict[str, Position]:
    if cursor is None or not cursor.exists():
        return {}
    try:
        return {room: (int(generation), int(seq)) for room, (generation, seq) in json.loads(cursor.read_text()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{cursor} is no cursor of this command.") from error


def _complain(words: str) -> None:
    click.echo(words, err=True)
