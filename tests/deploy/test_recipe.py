"""What deploy/README.md tells people to type for the hybrid: it must do what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from chat.config import Config
from tests.deploy.tools import ROOT, Json

README = (ROOT / "deploy" / "README.md").read_text()
PAGE = "http://localhost:8000"


def test_the_parameters_that_are_named_are_the_templates(template: Json) -> None:
    lines = re.findall(r'make up PARAMETERS="([^"…]*)"', README)
    assert len(lines) >= 3
    for name, value in (each.split("=", 1) for line in lines for each in line.split()):
        parameter = template["Parameters"][name]
        assert value in parameter.get("AllowedValues", [value])
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)


def test_the_functions_of_the_hybrid_give_cookies_that_a_page_of_another_site_may_keep() -> None:
    (hybrid,) = [line for line in README.splitlines() if line.startswith("make up") and "WithServers=no" in line]
    assert "CookieMode=cross_site" in hybrid
    assert f"FrontendOrigin={PAGE}" in hybrid


def test_the_laptop_asks_the_tables_of_the_account_and_has_a_cookie_of_its_own(tmp_path: Path) -> None:
    """`make run` starts an engine of its own where it is told of no DynamoDB."""
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", README, re.S) if "\nmake run" in block]
    exports = "\n".join(line for line in block.splitlines() if line.startswith("export"))
    exports = exports.replace("AUTH_BASE=…", "AUTH_BASE=https://abc.execute-api.eu-west-1.amazonaws.com/live")
    stub = tmp_path / "aws"
    stub.write_text(f"#!/bin/sh\necho {'0123456789abcdef' * 3}\n")
    stub.chmod(0o755)
    exports = exports.replace("REDIS_URL=…", "REDIS_URL=rediss://:password@x")
    script = exports.replace("<", "").replace(">", "") + "\nenv -0"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    said = subprocess.run(["sh", "-ec", script], env=env, capture_output=True, text=True, check=True).stdout
    config = Config.from_env(dict(line.split("=", 1) for line in said.split("\0") if line))
    assert config.dynamodb_endpoint == f"https://dynamodb.{config.aws_region}.amazonaws.com"
    assert (config.public_url, config.cookie_mode) == (PAGE, "same_site")
    assert config.ingest_mode == "lambda", "the functions take the rows over"


def test_nothing_tells_the_chat_server_to_have_the_doors_cookie() -> None:
    for page in ("deploy/README.md", "docs/serverless.md", "docs/operations.md"):
        for paragraph in re.split(r"\n\n|\n\|", (ROOT / page).read_text()):
            if "COOKIE_MODE=cross_site" in paragraph:
                assert not re.search(r"COOKIE_MODE=cross_site` on both|both sides take", paragraph.replace("\n", " "))


def test_the_costs_add_up_and_are_dated() -> None:
    table = README.partition("## What it costs a month")[2].partition("\n## ")[0]
    assert "as of January 2025, not checked since" in table
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]
    sums: dict[str, list[float]] = {}
    said: dict[str, list[float]] = {}
    size = ""
    for name, *cells in rows[1:]:
        numbers = [float(cell.strip("*").split()[0].strip("*,")) for cell in cells]
        if name.startswith("**"):
            size = name.strip("*")
            said[size], sums[size] = numbers, [0.0] * len(numbers)
        else:
            sums[size] = [total + number for total, number in zip(sums[size], numbers, strict=True)]
    assert set(said) == {"small", "full"}
    for size, totals in sums.items():
        assert [round(total) for total in totals] == said[size], size
