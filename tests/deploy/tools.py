"""AWS's own tools, from .venv-serverless, and what they make of the template."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "template.yaml"
BIN = ROOT / ".venv-serverless" / "bin"

Json = dict[str, Any]


def tool(*argv: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs one of them; with `check` it must succeed."""
    assert BIN.is_dir(), "make setup-serverless installs what these tests run"
    env = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-1", "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run([BIN / argv[0], *argv[1:]], cwd=ROOT, env=env, capture_output=True, text=True, timeout=900)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def transformed(**parameters: str) -> Json:
    """The template as CloudFormation sees it after the transform."""
    given = [f"{name}={value}" for name, value in parameters.items()]
    return json.loads(tool("python", "deploy/local/transform.py", *given).stdout)


def resources(template: Json, kind: str) -> dict[str, Json]:
    """Name → properties of every resource of that type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }
