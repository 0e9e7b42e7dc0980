"""What `make up` decides before it deploys."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from deploy.local.stack import NAME
from deploy.up import NEWEST_IMAGE, existing, uncommitted, with_image
from tests.deploy.made import MadeCloud

NEWEST = "ami-00000000000000001"


class PublicParameters:
    """SSM with AWS's own parameters, which nobody else can put there."""

    def get_parameter(self, Name: str) -> dict[str, dict[str, str]]:
        assert Name == NEWEST_IMAGE
        return {"Parameter": {"Value": NEWEST}}


def test_the_image_is_chosen_when_the_stack_is_made_and_then_stays(cloud: MadeCloud) -> None:
    def client(service: str) -> Any:
        return PublicParameters() if service == "ssm" else cloud.stack.client(service)

    given = {"Size": "small"}
    assert with_image("not-made-yet", given, client) == {**given, "AmiId": NEWEST}
    assert with_image(NAME, given, client) == given
    named = {"AmiId": "ami-00000000000000002"}
    assert with_image("not-made-yet", named, client) == named


def test_a_stack_that_is_not_there_is_none(cloud: MadeCloud) -> None:
    cloudformation = cloud.stack.client("cloudformation")
    assert existing(cloudformation, "not-made-yet") is None
    assert existing(cloudformation, NAME) is not None


def test_what_is_not_committed_is_named(tmp_path: Path) -> None:
    """Servers run the last commit, functions what lies here: they must be the same."""

    def git(*argv: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=ci", "-c", "user.email=ci@example.org", *argv], cwd=tmp_path, check=True
        )

    for folder in ("chat", "deploy", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one").write_text("1")
    (tmp_path / "requirements.txt").write_text("")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "All")
    assert uncommitted(tmp_path) == []
    (tmp_path / "docs" / "one").write_text("2")
    assert uncommitted(tmp_path) == [], "nothing of it is deployed"
    (tmp_path / "chat" / "one").write_text("2")
    (tmp_path / "deploy" / "two").write_text("2")
    assert uncommitted(tmp_path) == ["chat/one", "deploy/two"]
