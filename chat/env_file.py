"""`.env`: settings in a file of the checkout, for every way of starting but the functions'. The environment wins.

Only what begins a process calls this: wsgi.py, gunicorn.conf.py, `make run`. Flask's own command reads `.env` too,
before anything of ours runs, by the same library; `FLASK_SKIP_DOTENV=1`, its name for "no file", means that here too.
"""

from __future__ import annotations

import os
from pathlib import Path

from chat.errors import ConfigError

FILE = Path(__file__).resolve().parents[1] / ".env"
SKIP = "FLASK_SKIP_DOTENV"
# A setting → others that say the same and would win: whoever names the first in the environment means it.
INSTEAD = {"REDIS_URL": ("REDIS_HOST",), "AWS_DEFAULT_REGION": ("AWS_REGION",)}


def environment(file: Path = FILE) -> dict[str, str]:
    """A copy of this process's environment, over what the file says if there is one.

    Raises: ConfigError for a file that cannot be read.
    """
    env = dict(os.environ)
    if env.get(SKIP, "0").lower() not in ("", "0", "false", "no"):
        return env
    said = _read(file)
    for name, others in INSTEAD.items():
        if env.get(name) and env[name] != said.get(name):
            for other in others:
                if env.get(other, said.get(other)) == said.get(other):  # also where Flask has put it in
                    said.pop(other, None)
                    env.pop(other, None)
    return said | env


def load(file: Path = FILE) -> None:
    """Makes that the environment of this process. Raises: ConfigError."""
    env = environment(file)
    for name in os.environ.keys() - env.keys():
        del os.environ[name]
    os.environ.update(env)


def _read(file: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    try:
        said = dotenv_values(file, encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError([f"{file} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{file} is not UTF-8"]) from None
    said.pop("GUNICORN_CMD_ARGS", None)  # gunicorn has read its own before we are asked
    return {name: value for name, value in said.items() if value is not None}
