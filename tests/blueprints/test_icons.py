"""The icons: a drawing, and pictures of it for systems that take no drawing."""

from __future__ import annotations

import json
import re
import struct

import pytest

from frontend.scripts import icons

MANIFEST = json.loads((icons.PUBLIC / "manifest.webmanifest").read_text())
INDEX = (icons.PUBLIC.parent / "index.html").read_text()


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.fixture
def pages(monkeypatch, config):
    """The app with what lies beside the pages' sources."""
    from chat.app import create_app
    from chat.blueprints import frontend

    monkeypatch.setattr(frontend, "DIST", icons.PUBLIC)
    return create_app(config).test_client()


def test_every_icon_that_is_named_is_served_by_its_type_in_the_size_it_is_said_to_have(pages):
    touch = re.search(r'<link rel="apple-touch-icon" href="([^"]+)"', INDEX)
    assert touch, "iOS takes no drawing"
    named = [(each["src"], each["type"], each["sizes"]) for each in MANIFEST["icons"]]
    for src, mimetype, sizes in [*named, (touch[1], "image/png", "180x180")]:
        answer = pages.get(src)
        assert (answer.status_code, answer.mimetype) == (200, mimetype), src
        if mimetype == "image/png":
            assert "{}x{}".format(*size(answer.data)) == sizes, src
    assert {each["purpose"] for each in MANIFEST["icons"]} == {"any", "maskable"}


@pytest.mark.parametrize("name", icons.ICONS)
def test_the_pictures_are_of_the_drawing_as_it_is(name):
    assert icons.source() in (icons.PUBLIC / name).read_bytes(), "python -m frontend.scripts.icons"
