"""What AWS's own linters say of the template, as it is written and as it is after the transform."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from tests.deploy.tools import ROOT, TEMPLATE, Json, tool

WRONG = "HUSH"


@pytest.fixture(scope="module")
def said(template: Json, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What lint.py says: of the template, of what the transform makes of it, and of a part of that made wrong."""
    folder = tmp_path_factory.mktemp("lint")
    part = {name: template[name] for name in ("Parameters", "Conditions")}
    part["Resources"] = {"UsersTable": deepcopy(template["Resources"]["UsersTable"])}
    part["Resources"]["UsersTable"]["Properties"]["KeySchema"][0]["KeyType"] = WRONG
    files = {"whole": folder / "whole.json", "wrong": folder / "wrong.json"}
    files["whole"].write_text(json.dumps(template))
    files["wrong"].write_text(json.dumps(part))
    told = json.loads(tool("python", ROOT / "tests" / "deploy" / "lint.py", TEMPLATE, *files.values()).stdout)
    return {"validate": told["validate"], **{name: told["found"][str(file)] for name, file in files.items()}}


def test_cfn_lint_finds_nothing_in_what_the_transform_makes_of_the_template(said: Json) -> None:
    assert said["whole"] == []


def test_cfn_lint_does_find_what_is_wrong_after_the_transform(said: Json) -> None:
    assert [message for message in said["wrong"] if WRONG in message]


def test_sam_validate_finds_nothing_in_the_template_as_it_is_written(said: Json) -> None:
    """`--lint` is cfn-lint, of the file itself and for the region that it goes to."""
    code, words = said["validate"]
    assert code == 0, words
    assert "is a valid SAM Template" in words
