"""Whose address a function counts tries under: the one that CloudFront names, if it is CloudFront that says so."""

from __future__ import annotations

import pytest

from chat.config import Config
from chat.lambdas import http
from chat.lambdas.http import Request

SECRET = "f" * 48
VIEWER = {"CloudFront-Viewer-Address": "198.51.100.7:46532", "X-Forwarded-For": "192.0.2.66, 198.51.100.7"}
EVENT = {"requestContext": {"identity": {"sourceIp": "203.0.113.9"}}}


@pytest.mark.parametrize(
    ("shown", "shared", "address"),
    [
        ({"X-Front-Secret": SECRET}, SECRET, "198.51.100.7"),
        ({}, SECRET, "203.0.113.9"),
        ({"X-Front-Secret": "g" * 48}, SECRET, "203.0.113.9"),
        ({"X-Front-Secret": "\u00e9"}, SECRET, "203.0.113.9"),
        ({"X-Front-Secret": ""}, "", "203.0.113.9"),
    ],
)
def test_only_who_shows_the_secret_is_believed(
    monkeypatch: pytest.MonkeyPatch, shown: dict[str, str], shared: str, address: str
) -> None:
    monkeypatch.setattr(http, "config", lambda: Config(front_secret=shared))
    assert Request.of({**EVENT, "headers": {**VIEWER, **shown}}).address == address


def test_a_front_that_names_nobody_leaves_what_the_gateway_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "config", lambda: Config(front_secret=SECRET))
    headers = {"X-Front-Secret": SECRET, "CloudFront-Viewer-Address": "nobody"}
    assert Request.of({**EVENT, "headers": headers}).address == "203.0.113.9"
