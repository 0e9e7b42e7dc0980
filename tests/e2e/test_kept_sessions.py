"""Who is at the page stays signed in, who only watches does not, and who asked for it is kept: with sessions of
seconds, so that a test lives to see them end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import REFUSALS, Visitors
from tests.e2e.parley import PASSWORD, Parley

TTL_S = 15


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parley]:
    """A product whose sessions end fifteen seconds after a person's last act."""
    with Parley(tmp_path_factory.mktemp("brief") / "data", SESSION_TTL_S=str(TTL_S)) as running:
        yield running


def test_typing_keeps_a_session_watching_does_not_and_a_tick_keeps_it_without_either(brief, browser):
    names = [brief.new_name(name) for name in ("Ada", "Grace", "Kim")]
    for name in names:
        brief.door.register(name)
    with Visitors(brief, browser) as visitor:
        ada, grace, kim = [visitor(REFUSALS) for _ in names]
        kim.page.goto("/login")
        kim.page.get_by_role("checkbox", name="Keep me signed in on this device").check()
        kim.fill_in(names[2], PASSWORD, "Sign in")
        kim.in_sync()
        [cookie] = [cookie for cookie in kim.context.cookies() if cookie["name"] == "parley"]
        assert brief.redis.ttl(f"session:{cookie['value']}") > 29 * 86_400
        grace.sign_in(names[1])
        asked: list[str] = []
        grace.page.on("request", lambda request: asked.append(request.url))
        ended = grace.page.get_by_role("heading", name="Welcome back")
        ada.sign_in(names[0])
        began = time.monotonic()
        typed = 0
        ada.composer.focus()
        while not (ended.is_visible() and time.monotonic() - began > 1.5 * TTL_S):
            ada.page.keyboard.type("a word ", delay=100)
            typed += 7
            assert typed < 2_000, "watching alone keeps a session"
        assert not [url for url in asked if url.endswith("/api/auth/stay")]
        expect(grace.page).to_have_url(re.compile("/login"))
        expect(ada.page.get_by_text("You have been quiet")).to_have_count(0)
        ada.in_sync()
        assert ada.composer.input_value() == "a word " * (typed // 7), "nothing was sent: only the keys were acts"
        kim.in_sync()
        kim.page.reload()
        kim.in_sync()
        kim.page.get_by_role("button", name=re.compile("^Your account")).click()
        expect(kim.page.get_by_role("list", name="Your devices")).to_contain_text("this one · kept signed in")
