"""The service worker through releases and absences of its server: two builds, made from ours by renaming a file."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from chat.blueprints.frontend import DIST, TYPES
from tests.conftest import wait_until

SCRIPT = "document.querySelector('script[src]').getAttribute('src')"
STORES = "caches.keys()"
READY = "navigator.serviceWorker.getRegistration().then((registration) => registration?.active?.state === 'activated')"
WAITS = "navigator.serviceWorker.getRegistration().then(({ waiting }) => waiting?.state === 'installed')"
INSTALLS = """async () => {
  const { installing, active } = await navigator.serviceWorker.register("/sw.js");
  if (!installing) return active?.state ?? "redundant";
  const ends = (resolve) => /redundant|activated/.test(installing.state) && resolve(installing.state);
  return new Promise((resolve) => (ends(resolve), (installing.onstatechange = () => ends(resolve))));
}"""
STATUS = "(path) => fetch(path).then(({ status }) => status)"


class Release:
    """A copy of our build whose first script is called otherwise."""

    def __init__(self, folder: Path, mark: str):
        shutil.copytree(DIST, folder)
        [script] = [name for name in json.loads(_between(folder / "sw.js", "FILES = ", ";")) if "/index-" in name][:1]
        self.folder = folder
        self.script = script.replace("/index-", f"/index-{mark}-")
        (folder / script[1:]).rename(folder / self.script[1:])
        for path in [folder / "index.html", *folder.glob("*.js"), *folder.glob("assets/*.js")]:
            text = path.read_text().replace(Path(script).name, Path(self.script).name)
            path.write_text(text.replace('"shell-', f'"shell-{mark}-'))
        self.shell = _between(folder / "sw.js", 'SHELL = "', '"')


def _between(path: Path, before: str, after: str) -> str:
    return path.read_text().split(before)[1].split(after)[0]


class Site:
    """A server of releases. `away` is what its proxy says while it is being replaced; `close` is a cut line."""

    def __init__(self, folder: Path):
        self.first, self.second = Release(folder / "1", "first"), Release(folder / "2", "second")
        self.now: dict[str, Path] = {}
        self.away = False
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/").split("?")[0]
                page = name in ("", "login") or name.startswith("r/")
                file = site.now.get(name, site.now["pages"] / ("index.html" if page else name))
                found = not site.away and file.is_file()
                body = file.read_bytes() if found else b"gone"
                self.send_response(200 if found else 503 if site.away else 404)
                self.send_header("Content-Type", TYPES.get(file.suffix, "text/plain"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"
        self.serve(self.first)

    def serve(self, release: Release, worker: Release | None = None) -> None:
        """Serves that release, with the worker of another one in the middle of a rollout."""
        self.now = {"pages": release.folder, "sw.js": (worker or release).folder / "sw.js"}

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.fixture
def context(site: Site, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site.url)
    yield context
    context.close()


def opened(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/login")
    wait_until(lambda: page.evaluate(READY), what="a service worker")
    return page


def test_a_release_is_seen_by_the_next_reload_and_older_tabs_keep_their_files(site: Site, context: BrowserContext):
    page = opened(context)
    assert page.evaluate(SCRIPT) == site.first.script
    site.serve(site.second)
    page.reload()
    assert page.evaluate(SCRIPT) == site.second.script
    wait_until(lambda: page.evaluate(WAITS), what="the new worker waits for older tabs to close")
    assert page.evaluate(STATUS, site.first.script) == 200
    page.close()
    page = opened(context)
    wait_until(lambda: page.evaluate(STORES) == [site.second.shell], what="the new worker took over, and tidied up")
    assert page.evaluate(STATUS, site.first.script) == 404
    site.close()
    page.reload()
    assert page.evaluate(SCRIPT) == site.second.script


def test_a_page_of_one_build_and_a_worker_of_another_are_not_put_in_store(site: Site, context: BrowserContext):
    site.serve(site.first, worker=site.second)
    page = context.new_page()
    page.goto("/login")
    assert page.evaluate(INSTALLS) == "redundant"
    assert page.evaluate(STORES) == []
    site.serve(site.second)
    assert page.evaluate(INSTALLS) == "activated"
    assert page.evaluate(STORES) == [site.second.shell]


def test_the_page_opens_behind_a_proxy_that_says_the_server_is_away_and_only_the_page(site: Site, context):
    page = opened(context)
    site.away = True
    page.goto("/r/general")
    assert page.evaluate(SCRIPT) == site.first.script
    for path in ("/api/rooms", "/healthz", "/sw.js", "/"):
        assert page.evaluate(STATUS, path) == 503
    answer = page.goto("/api/rooms")
    assert answer is not None and answer.status == 503
