"""The test events of `deploy/events`, as `make invoke` runs them, and the answers that docs/serverless.md promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

from chat.config import Config
from tests.conftest import ROOT


def invoke(config: Config, name: str, session: str = "") -> dict[str, Any]:
    settings = {
        "SECRET_KEY": config.secret_key,
        "REDIS_URL": config.redis_url,
        "DYNAMODB_ENDPOINT": config.dynamodb_endpoint,
        "TABLE_PREFIX": config.table_prefix,
        "AWS_REGION": config.aws_region,
        "BCRYPT_COST": "4",
        "TESTING": "1",
    }
    command = [sys.executable, "-m", "deploy.invoke", name, *(["--session", session] if session else [])]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_events_of_the_seed_are_answered_as_the_docs_say(config: Config) -> None:
    told = {}
    told["register"] = invoke(config, "register")
    told["login"] = entered = invoke(config, "login")
    session = re.match(r"parley=([^;]+)", entered["multiValueHeaders"]["Set-Cookie"][0])
    assert session
    told["protected"] = invoke(config, "protected", session[1])
    told["logout"] = invoke(config, "logout", session[1])
    assert invoke(config, "protected", session[1])["statusCode"] == 401
    told["protected-expired"] = invoke(config, "protected-expired")
    docs = (ROOT / "docs" / "serverless.md").read_text().split("## Trying a function")[1].split("\n## ")[0]
    promised = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (.*) \|$", docs, re.M)
    assert [name for name, _, _ in promised] == list(told)
    for name, status, body in promised:
        assert told[name]["statusCode"] == int(status), name
        said = re.sub(r'"expires_at":\d+', '"expires_at":…', told[name]["body"].strip())
        assert f"`{said}`" == body or (said, body) == ("", "nothing"), name
