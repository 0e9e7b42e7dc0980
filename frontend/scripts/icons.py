"""Draws the PNG icons from `favicon.svg`, for systems that take no drawing: `python -m frontend.scripts.icons`.

Each names in itself the drawing it was made from, so that a test knows one that is out of date.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.browser import ARGS, CHROMIUM

PUBLIC = Path(__file__).resolve().parents[1] / "public"
DRAWING = PUBLIC / "favicon.svg"
SOURCE = b"Source"
SIGNATURE_BYTES = 8
# Full: to the edges, for systems that cut a shape of their own out of it.
ICONS = {"icon-180.png": (180, True), "icon-192.png": (192, False), "icon-512.png": (512, False)}
ICONS["icon-full-512.png"] = (512, True)


def source() -> bytes:
    """What names the drawing."""
    return hashlib.sha256(DRAWING.read_bytes()).hexdigest().encode()


def named(png: bytes) -> bytes:
    """The picture with the drawing's name in it, before its last part."""
    said = b"tEXt" + SOURCE + b"\0" + source()
    part = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
    end = png.rindex(b"IEND") - 4
    return png[:end] + part + png[end:]


def main() -> None:
    drawing = DRAWING.read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGS, "--force-color-profile=srgb"])
        for name, (size, is_full) in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            svg = drawing.replace('rx="16" ', "") if is_full else drawing
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{svg}")
            (PUBLIC / name).write_bytes(named(page.screenshot(omit_background=True)))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
