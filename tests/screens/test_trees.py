"""What somebody is told of each screen who cannot see it is as it was, and as it must be. A change is kept by
`python -m tests.screens.run --trees`, and its diff is read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.screens.trees import ALL, FOLDER, Gallery, View, kept_of, normal, tree_of

KEEP = "if that is meant: python -m tests.screens.run --trees --only"
PAGE = '<html lang="en"><title>A page</title><body><main><h1>Here</h1>{}</main>'


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    with Gallery() as gallery:
        yield gallery


@pytest.mark.parametrize("view", ALL, ids=[view.title for view in ALL])
def test_a_screen_tells_what_it_told(gallery: Gallery, view: View) -> None:
    kept = kept_of(view)
    look = gallery.look(view, kept)
    assert look.objections == []
    assert look.tree == kept, f"{KEEP} {view.shot.title}"


def test_no_tree_is_kept_of_what_is_no_screen() -> None:
    assert set(FOLDER.glob("*.yml")) == {view.file for view in ALL}


@pytest.mark.parametrize(
    ("part", "objection"),
    [
        ("<button><svg></svg></button>", "a button without a name"),
        ('<a href="/"></a>', "a link without a name"),
        ("<dialog open>Hello</dialog>", "a dialog without a name"),
        ('<nav aria-label="A"></nav><nav aria-label="A"></nav>', "2 landmarks ('navigation', 'A')"),
        ("<h1>Again</h1>", "2 h1"),
        ("</main><main><h2>More</h2>", "2 main"),
        ("<h3>Deep</h3>", "h3 comes after h1"),
        ('<div id="root"></div>', "nothing would be read out"),
        ('<p aria-hidden="true"><button>Go</button></p>', "can have the focus and is hidden: <button>Go</button>"),
        ('<img src="data:,">', "image-alt (critical)"),
    ],
)
def test_what_is_wrong_is_found(gallery: Gallery, part: str, objection: str) -> None:
    assert gallery.objections_to(PAGE.format("<p>Well.</p>")) == []
    assert any(line.startswith(objection) for line in gallery.objections_to(PAGE.format(part)))


def test_what_differs_from_run_to_run_is_told_alike() -> None:
    snapshot = """\
- heading "Design" [level=1]
- log "Messages":
  - separator: Thursday, 26 November
  - article "Åsa, 14:03, Draft 12":
    - link "14:03":
      - /url: /r/design/12
  - article "Ben, 9:04, Draft 1"
  - article "Åsa, 14:05, Draft 14":
    - link "14:05":
      - /url: /r/design/14
  - separator: Yesterday
- text: 1,204 left, Bartholomew.Fitzgerald-Montagu, Five-a-side on Thursdays, since 3 May 2026
"""
    assert (
        normal(tree_of(snapshot))
        == """\
- heading "Design" [level=1]
- log "Messages"
- text: 0 left, Bartholomew.Fitzgerald-Montagu, Five-a-side on Thursdays, since Today
"""
    )
