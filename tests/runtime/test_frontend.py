"""How the pages are served: what may be kept for ever, what is asked for again, and what is not there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chat.app import create_app
from chat.blueprints import frontend
from chat.config import Config
from tests.ports import free_port

INDEX = '<!doctype html><div id="root"></div>' + " " * 1000
SCRIPT = "console.log('hello');" * 100


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole app, whose Redis and DynamoDB are not there: the pages must do without."""
    around = tmp_path_factory.mktemp("pages")
    dist = around / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / ".vite").mkdir()
    (dist / "index.html").write_text(INDEX)
    (dist / "favicon.svg").write_text("<svg/>")
    (dist / "manifest.webmanifest").write_text("{}")
    (dist / "sw.js").write_text("const FILES = [];")
    (dist / "assets" / "index-B1x.js").write_text(SCRIPT)
    (dist / "assets" / "face-Q2z.woff2").write_bytes(b"w" * 4000)
    (dist / ".vite" / "manifest.json").write_text("{}")
    (around / "secret.txt").write_text("secret")
    return _app(dist)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _app(dist: Path) -> Flask:
    nowhere = f"127.0.0.1:{free_port()}"
    config = Config(
        secret_key="s" * 43,
        public_url="http://localhost",
        redis_url=f"redis://{nowhere}/0",
        dynamodb_endpoint=f"http://{nowhere}",
    )
    app = create_app(config)
    app.extensions["bundle"] = frontend.read_bundle(dist)
    return app


def _again(client: FlaskClient, answer: TestResponse, path: str, **headers: str) -> TestResponse:
    return client.get(path, headers={"If-None-Match": answer.headers["ETag"], **headers})


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/r/general", "/r/general/120", "/login?next=/r/general"])
def test_every_address_of_the_pages_is_the_same_page_asked_for_again_each_time(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.text == INDEX
    assert answer.headers["Cache-Control"] == "no-cache"
    assert _again(client, answer, path).status_code == 304


def test_what_carries_its_hash_in_its_name_is_kept_for_ever(client: FlaskClient) -> None:
    answer = client.get("/assets/index-B1x.js")
    assert answer.text == SCRIPT
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/favicon.svg", "image/svg+xml"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/sw.js", "text/javascript"),
    ],
)
def test_other_files_are_asked_for_again_each_time(client: FlaskClient, path: str, mimetype: str) -> None:
    answer = client.get(path)
    assert answer.mimetype == mimetype
    assert answer.headers["Cache-Control"] == "no-cache"
    assert _again(client, answer, path).status_code == 304


def test_it_is_packed_for_who_can_unpack_it(client: FlaskClient) -> None:
    plain = client.get("/assets/index-B1x.js")
    packed = client.get("/assets/index-B1x.js", headers={"Accept-Encoding": "br, gzip"})
    refused = client.get("/assets/index-B1x.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).decode() == SCRIPT
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert all("Accept-Encoding" in answer.headers["Vary"] for answer in (plain, packed, refused))
    assert packed.headers["ETag"] != plain.headers["ETag"], "or a cache would mix them up"
    assert _again(client, packed, "/assets/index-B1x.js", **{"Accept-Encoding": "gzip"}).status_code == 304


def test_what_packing_does_not_shrink_is_sent_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/assets/face-Q2z.woff2", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert len(answer.data) == 4000


def test_head_answers_like_get_without_the_body(client: FlaskClient) -> None:
    answer = client.head("/")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(INDEX))


@pytest.mark.parametrize("path", ["/assets/gone-A0b.js", "/gone.txt", "/api/gone", "/api/", "/assets/", "/a/b/c"])
def test_what_is_not_there_is_said_in_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "not_found"
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize("path", ["/gone.txt", "/api/gone", "/a/b/c", "/nonsense"])
def test_a_person_at_an_address_with_nothing_is_shown_the_way_to_the_chat(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert '<a href="/">' in answer.text
    assert answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..%2fsecret.txt",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "/.vite/manifest.json",
        "/assets/..\\..\\secret.txt",
        "/secret.txt%00.js",
    ],
)
def test_no_address_reaches_a_file_outside_the_bundle(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (308, 404)
    assert b"secret" not in answer.data.replace(b"secret.txt", b"")
    assert b"root:" not in answer.data


def test_a_page_asks_nothing_of_redis_whatever_cookie_comes(client: FlaskClient) -> None:
    client.set_cookie("parley", "x" * 43)
    for path in ("/", "/login", "/assets/index-B1x.js", "/favicon.svg"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", ""), "or no cache could keep it"
    assert client.get("/api/auth/protected").status_code == 503, "so Redis is indeed not there"


def test_without_a_bundle_the_page_says_what_to_do(tmp_path: Path) -> None:
    client = _app(tmp_path / "nothing").test_client()
    answer = client.get("/")
    assert answer.status_code == 503
    assert "make build" in answer.text
    assert client.get("/assets/index.js").status_code == 404


def test_the_committed_bundle_is_whole() -> None:
    bundle = frontend.read_bundle(frontend.DIST)
    index = bundle["index.html"].body.decode()
    assets = [name for name in bundle if name.startswith("assets/")]
    assert [name for name in assets if f'"/{name}"' in index], "the page asks for its script"
    worker = bundle["sw.js"].body.decode()
    assert not [name for name in assets if f'"/{name}"' not in worker], "the service worker keeps all of it"
    assert not [name for name in bundle if name.endswith(".map")]
    assert {file.mimetype for file in bundle.values()} <= set(frontend.TYPES.values())
