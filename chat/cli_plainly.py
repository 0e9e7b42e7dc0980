"""What goes wrong with a task, in a plain sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click
from flask import current_app

from chat.blueprints import guard
from chat.errors import ChatError
from chat.services.assembly import Services
from chat.services.runtime.outages import words

T = TypeVar("T")
CREATE = "The tables are not there: run `flask --app wsgi create-tables`."
MISSING = "ResourceNotFoundException"

outages = logging.getLogger("chat.services.runtime.outages")


def settings_refused() -> list[str]:
    """What is wrong with the settings, where that keeps the app from being made."""
    return list(current_app.extensions.get("problems", ()))


def services() -> Services:
    """The services of this app. Raises: ClickException with what is wrong with the settings."""
    if problems := settings_refused():
        raise click.ClickException("\n".join(["these settings do not do.", *(f"- {each}" for each in problems)]))
    return guard.services()


def or_fail(work: Callable[[], T]) -> T:
    """What the work returns. Raises: ClickException."""
    try:
        with quiet():
            return work()
    except ChatError as error:
        if MISSING in words(error.__cause__ or error):  # type: ignore[arg-type]
            raise click.ClickException(CREATE) from error
        raise click.ClickException(f"{error.message}{f' ({error.__cause__})' if error.__cause__ else ''}") from error
    except UnicodeError:
        raise click.ClickException("What was given is not text in UTF-8.") from None
    except Exception as error:
        if not getattr(error, "response", None):
            raise
        raise click.ClickException(CREATE if MISSING in words(error) else words(error)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """The log keeps silent of what does not answer: whoever asks says it."""
    before, outages.disabled = outages.disabled, True
    try:
        yield
    finally:
        outages.disabled = before
