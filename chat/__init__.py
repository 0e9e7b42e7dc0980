"""Parley: a team chat that loses nothing.

Importing this package imports no Flask: the Lambda functions import `chat.services` and must not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from chat.config import Config


def create_app(config: Config | None = None) -> Flask:
    """The Flask application, ready to serve. Without a config, it is read from the environment.

    Raises: ConfigError with every missing or unsafe setting.
    """
    from chat.app import create_app as build

    return build(config)
