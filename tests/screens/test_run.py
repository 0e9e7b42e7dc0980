"""Pictures are taken: the runner in its smallest form, a screen of one device. (Belongs to what needs a browser.)"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.screens.run import chosen, run
from tests.screens.shots import Shot
from tests.screens.stage import Stage


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height as a PNG's first chunk says them."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def lost(stage: Stage) -> None:
    stage.guest("/login")


def test_a_screen_is_taken_light_and_dark_and_one_that_is_not_reached_is_named(tmp_path: Path) -> None:
    shots = [*chosen(["login.empty"]), Shot("lost", "empty", ("route /register",), lost)]
    with ThreadPoolExecutor(1) as elsewhere:  # this thread may have a Playwright of its own already
        taken = elsewhere.submit(run, shots, tmp_path, devices=("desk",)).result()
    light, dark = tmp_path / "login.empty.1280.light.png", tmp_path / "login.empty.1280.dark.png"
    assert taken.pictures == 2
    assert size_of(light) == size_of(dark) == (1280, 800)
    assert light.read_bytes() != dark.read_bytes()
    assert taken.failures == ["lost.empty (desk): it is at /login, which is not /register"]
    assert not list(tmp_path.glob("lost*"))
    assert size_of(tmp_path / "contact.png")[1] > 200
    index = (tmp_path / "index.html").read_text()
    assert light.name in index and dark.name in index and "lost" not in index


def test_a_name_that_is_not_on_the_list_is_refused() -> None:
    assert [shot.title for shot in chosen(["room.failing", "login"])] == [
        "login.empty",
        "login.full",
        "login.failing",
        "room.failing",
    ]
    with pytest.raises(SystemExit, match=r"no screen called rooom\. There are: .*room\.full"):
        chosen(["rooom"])
