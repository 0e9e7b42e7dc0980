"""The four scenarios in the hybrid: a real browser, auth at API Gateway, messages on the chat server."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.deploy.hybrid import Hybrid, HybridVisitor
from tests.e2e.browser import REFUSALS
from tests.e2e.parley import PASSWORD, new_id

COLD_MS = 90_000  # a function's first answer, on a machine that has much to do


@pytest.fixture
def ada(hybrid: Hybrid, browser: Browser) -> Iterator[HybridVisitor]:
    """Somebody who has just made an account at the page, in the room."""
    visitor = HybridVisitor(hybrid, browser, REFUSALS)
    visitor.context.set_default_timeout(COLD_MS)
    visitor.name = hybrid.new_name("Ada")  # type: ignore[attr-defined]
    visitor.page.goto("/register")
    visitor.fill_in(visitor.name, PASSWORD, "Create account")  # type: ignore[attr-defined]
    expect(visitor.page).to_have_url(re.compile("/r/general$"), timeout=COLD_MS)
    visitor.in_sync()
    yield visitor
    visitor.close()


def _session(hybrid: Hybrid, visitor: HybridVisitor) -> str:
    """The session's key in Redis."""
    [cookie] = [cookie for cookie in visitor.context.cookies() if cookie["name"] == "parley"]
    return f"session:{cookie['value']}"


def test_scenario_1_a_session_of_the_function_lies_in_redis_and_outlives_a_reload(
    hybrid: Hybrid, ada: HybridVisitor
) -> None:
    assert {"POST /register", "POST /login"} <= set(ada.asked_of_the_api)
    key = _session(hybrid, ada)
    assert 0 < hybrid.redis.ttl(key) <= 1800
    ada.page.reload()
    expect(ada.page.get_by_test_id("sync-mark")).to_have_attribute("data-state", "synced", timeout=COLD_MS)
    expect(ada.page).to_have_url(re.compile("/r/general$"))
    text = new_id()
    ada.write(text)
    expect(ada.message(text)).to_have_attribute("data-state", "sent")


def test_scenario_2_a_row_put_into_the_table_reaches_the_open_page_by_the_function(
    hybrid: Hybrid, ada: HybridVisitor
) -> None:
    text = f"Deploy {new_id()}"
    hybrid.put_row("general", new_id(), text)
    expect(ada.message(text)).to_be_visible(timeout=COLD_MS)


def test_scenario_3_signing_out_ends_the_session_in_redis(hybrid: Hybrid, ada: HybridVisitor) -> None:
    key = _session(hybrid, ada)
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page).to_have_url(f"{hybrid.url}/login", timeout=COLD_MS)
    assert "POST /logout" in ada.asked_of_the_api
    assert hybrid.redis.exists(key) == 0
    ada.page.goto("/r/general")
    expect(ada.page).to_have_url(f"{hybrid.url}/login?next=%2Fr%2Fgeneral", timeout=COLD_MS)


def test_scenario_4_an_emptied_redis_sends_to_sign_in_which_works_again(hybrid: Hybrid, ada: HybridVisitor) -> None:
    hybrid.redis.flushall()
    expect(ada.page).to_have_url(re.compile("/login"), timeout=COLD_MS)
    ada.page.get_by_role("textbox", name="Name").fill(ada.name)  # type: ignore[attr-defined]
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(ada.page).to_have_url(re.compile("/r/general$"), timeout=COLD_MS)
    ada.in_sync()
