"""`make up`, `make down` and `make tunnel` without what they need: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from deploy import down, plainly, tunnel, up


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A person without an account at AWS, and all committed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(up.boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(up, "uncommitted", list)
    yield
    up.boto3.DEFAULT_SESSION = None


def said(capsys: pytest.CaptureFixture[str]) -> str:
    sentence = capsys.readouterr().err
    assert sentence.count("\n") == 1
    return sentence


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", [lambda: up.main(["Size=full"]), lambda: down.main(["--yes"])], ids=["up", "down"])
def test_who_has_no_credentials_is_told_what_to_give(
    command: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command() == 2
    assert "AWS_PROFILE" in said(capsys)


def test_the_tunnel_says_it_too(
    nobody: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tunnel.shutil, "which", lambda name: name)
    assert tunnel.main() == 2
    assert "AWS_PROFILE" in said(capsys)


def test_a_parameter_without_a_value_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert up.main(["full"]) == 2
    assert "'full' is not like Size=full" in said(capsys)


def _expired() -> ClientError:
    return ClientError({"Error": {"Code": "ExpiredToken", "Message": "It has expired"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NoRegionError(), 2, "AWS_REGION=eu-west-1"),
        (_expired(), 1, "AWS_PROFILE"),
        (BotoCoreError(), 1, "could not be asked"),
        (subprocess.CalledProcessError(3, ["git", "archive", "--format=tar.gz", "HEAD"]), 1, "`git archive --format"),
        (FileNotFoundError(2, "No such file or directory", "sam"), 1, "sam cannot be used: No such file"),
    ],
)
def test_whatever_fails_is_one_sentence(
    error: Exception, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> Any:
        raise error

    assert plainly.plainly(work) == code
    assert sentence in said(capsys)
