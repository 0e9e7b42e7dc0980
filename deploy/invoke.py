"""`python -m deploy.invoke NAME [--session ID]`: a function with the test event `deploy/events/<NAME>.json`, here.

NAME is a function, or a function and a case of it: `protected-expired`. The settings are those of the environment (what
`make run` prints, exported) and of `.env`, and the secret key that `make run` made; nothing is packaged and nothing
deployed. Prints the answer as Lambda would give it to API Gateway.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from chat import env_file
from chat.errors import ConfigError

EVENTS = Path(__file__).with_name("events")


def main(argv: list[str]) -> int:
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    parser = argparse.ArgumentParser(prog="python -m deploy.invoke", description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--session", default="", help="the value of a session's cookie, as login gave it")
    options = parser.parse_args(argv)
    try:
        env_file.load()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    made = Path(os.environ.get("DATA_DIR", "data")) / "secret-key"
    if "SECRET_KEY" not in os.environ and made.is_file():
        os.environ["SECRET_KEY"] = made.read_text().strip()
    event = json.loads((EVENTS / f"{options.name}.json").read_text().replace("<session>", options.session))
    function = importlib.import_module(f"chat.lambdas.{options.name.partition('-')[0]}")
    try:
        answer = function.handler(event, None)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(answer, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
