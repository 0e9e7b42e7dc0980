"""The pages: the bundle of `frontend/dist`, read once and served from memory. Asks nothing of Redis or DynamoDB."""

from __future__ import annotations

import gzip
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from markupsafe import escape

from chat.blueprints.guard import is_our_host, services
from chat.errors import ChatError, misdirected

DIST = Path(__file__).resolve().parents[2] / "frontend" / "dist"
FOREVER = "public, max-age=31536000, immutable"  # names under assets/ carry a hash of what is in them
REVALIDATE = "no-cache"
WORTH_PACKING_BYTES = 512
NOT_BUILT = "<!doctype html><title>Parley</title><p>The pages are not built yet. Run <code>make build</code>.</p>\n"
ELSEWHERE = (
    '<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">'
    '<meta name="viewport" content="width=device-width"><title>Parley</title>'
    "<p>This chat does not answer at <code>{came_to}</code>. "
    'Please open it at <a href="{right}">{right}</a> instead.</p>'
    "<p>Whoever runs it sets that address by <code>PUBLIC_URL</code>.</p></html>\n"
)

log = logging.getLogger(__name__)

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PACKED_ALREADY = (".jpg", ".png", ".webp", ".woff2")

bp = Blueprint("frontend", __name__)


@dataclass(frozen=True)
class File:
    """One file of the bundle. `packed` is its gzip form, empty where that saves nothing."""

    body: bytes
    packed: bytes
    etag: str
    mimetype: str
    cache_control: str

    @classmethod
    def read(cls, path: Path, cache_control: str) -> File:
        body = path.read_bytes()
        packed = b""
        if len(body) >= WORTH_PACKING_BYTES and path.suffix not in PACKED_ALREADY:
            packed = gzip.compress(body, 9, mtime=0)
        etag = hashlib.sha256(body).hexdigest()[:32]
        mimetype = TYPES.get(path.suffix, "application/octet-stream")
        return cls(body, packed if len(packed) < len(body) else b"", etag, mimetype, cache_control)

    def response(self) -> Response:
        """The file as this request wants it: packed or not, or 304 when the browser has it."""
        packed = bool(self.packed) and request.accept_encodings.quality("gzip") > 0
        response = Response(self.packed if packed else self.body, content_type=self.mimetype)
        response.headers["Cache-Control"] = self.cache_control
        if self.packed:
            response.headers["Vary"] = "Accept-Encoding"
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.set_etag(f"{self.etag}-gz" if packed else self.etag)
        response.make_conditional(request)
        return response


def read_bundle(dist: Path) -> dict[str, File]:
    """Every file below `dist` by its path in the address, hidden ones left out; empty when nothing was built.

    Only these names can be asked for, so no address reaches another file.
    """
    files = {}
    for path in sorted(dist.rglob("*")):
        name = path.relative_to(dist).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            files[name] = File.read(path, FOREVER if name.startswith("assets/") else REVALIDATE)
    return files


@bp.record
def _read_once(state: BlueprintSetupState) -> None:
    state.app.extensions["bundle"] = read_bundle(state.app.config.get("FRONTEND_DIST", DIST))


def _file(name: str) -> File | None:
    bundle: dict[str, File] = current_app.extensions["bundle"]
    return bundle.get(name)


@bp.get("/")
@bp.get("/login", strict_slashes=False)
@bp.get("/register", strict_slashes=False)
@bp.get("/r/<path:place>")
def page(place: str = "") -> ResponseReturnValue:
    """The page that draws every address a person sees."""
    if not is_our_host():
        return _elsewhere(request.headers.get("Host", ""), services().config.public_url)
    index = _file("index.html")
    if index is None:
        return Response(NOT_BUILT, 503, {"Cache-Control": "no-store"}, mimetype="text/html")
    return index.response()


def _elsewhere(came_to: str, right: str) -> Response:
    """In place of a page at which nobody could sign in."""
    error = misdirected(log, "Host", came_to, right)
    body = ELSEWHERE.format(came_to=escape(came_to[:200]), right=escape(right))
    return Response(body, error.status, {"Cache-Control": "no-store"}, mimetype="text/html")


@bp.get("/config.json")
def config() -> ResponseReturnValue:
    """What the page has to know of this installation; the bundle is the same in all of them."""
    settings = services().config
    response = jsonify(auth_base=settings.auth_base, remember_days=settings.session_remember_days)
    response.headers["Cache-Control"] = REVALIDATE
    return response


@bp.get("/<name>")
@bp.get("/assets/<path:name>")
def file(name: str) -> ResponseReturnValue:
    found = _file(request.path.removeprefix("/"))
    if found is None:
        raise ChatError("not_found")
    return found.response()
