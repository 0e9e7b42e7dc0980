"""Cuts the serif of the titles out of `@fontsource/source-serif-4`: `python frontend/scripts/serif.py PACKAGE`.

PACKAGE is the unpacked npm package; fontTools and brotli have to be there. Latin with its extensions, one weight, no
hints, kerning and ligatures. "Source" is a reserved name of its makers for what they have made: ours has another one.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import merge, subset
from fontTools.ttLib import TTFont

APP = Path(__file__).resolve().parents[1] / "src" / "app"
NAME = "Parley Serif"
FAMILY, STYLE, UNIQUE, FULL, POSTSCRIPT = 1, 2, 3, 4, 6
KEPT_NAMES = [0, FAMILY, STYLE, UNIQUE, FULL, POSTSCRIPT, 13, 14]  # and of whom it is, and on what terms
# Letters, digits and what stands between them in a title; not the signs of shops and of sums.
SIGNS = (
    "\xa0\xa1\xa3\xa7\xab\xad\xb0\xb7\xbb\xbf\u2010\u2011\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u20ac"
)
LATIN = [*range(0x20, 0x7F), *range(0xC0, 0xD7), *range(0xD8, 0xF7), *range(0xF8, 0x17F)]
FURTHER = [*range(0x218, 0x21C), 0x1E9E]


def cut(path: Path, letters: Iterable[int]) -> TTFont:
    """Those of the letters that the font has, and nothing besides."""
    font = TTFont(path)
    options = subset.Options()
    options.layout_features = ["kern", "liga"]
    options.hinting = False
    options.name_IDs = KEPT_NAMES
    options.drop_tables += ["STAT"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    font.flavor = None
    return font


def main(package: Path) -> None:
    wanted = {*LATIN, *FURTHER, *map(ord, SIGNS)}
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for part in ("latin", "latin-ext"):
            path = package / "files" / f"source-serif-4-{part}-600-normal.woff2"
            font = cut(path, wanted)
            wanted -= set(font.getBestCmap())
            parts.append(f"{folder}/{part}.ttf")
            font.save(parts[-1])
        whole = merge.Merger().merge(parts)
    for name_id in (FAMILY, FULL):
        whole["name"].setName(NAME, name_id, 3, 1, 0x409)
    for name_id in (UNIQUE, POSTSCRIPT):
        whole["name"].setName(NAME.replace(" ", ""), name_id, 3, 1, 0x409)
    made = TTFont(package / "files" / "source-serif-4-latin-600-normal.woff2")["head"]
    whole["head"].created, whole["head"].modified = made.created, made.created  # or each time would make another file
    whole.recalcTimestamp = False
    whole.flavor = "woff2"
    whole.save(APP / "serif.woff2")
    shutil.copy(package / "LICENSE", APP / "serif.LICENSE")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
