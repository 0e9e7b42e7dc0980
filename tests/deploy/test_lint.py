"""What AWS's own linters say of the template, as it is written and as it is after the transform."""

from __future__ import annotations

import json
from pathlib import Path

from tests.deploy.tools import TEMPLATE, Json, tool


def test_cfn_lint_finds_nothing_in_the_template_nor_in_what_the_transform_makes_of_it(
    template: Json, tmp_path: Path
) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    assert tool("cfn-lint", TEMPLATE, file).stdout == ""


def test_cfn_lint_does_find_what_is_wrong_after_the_transform(template: Json, tmp_path: Path) -> None:
    users = json.loads(json.dumps(template["Resources"]["UsersTable"]))
    users["Properties"]["KeySchema"][0]["KeyType"] = "HUSH"
    file = tmp_path / "template.json"
    rest = {part: template[part] for part in ("Parameters", "Conditions")}
    file.write_text(json.dumps({**rest, "Resources": {"UsersTable": users}}))
    assert "HUSH" in tool("cfn-lint", file, check=False).stdout


def test_sam_validate_finds_nothing() -> None:
    done = tool("sam", "validate", "--lint", "--template-file", TEMPLATE)
    assert "is a valid SAM Template" in done.stdout
