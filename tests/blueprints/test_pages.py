"""The addresses that the page draws."""

from __future__ import annotations

import pytest

from tests.conftest import browser

PLACES = ["/", "/login", "/login/", "/register", "/register/?next=/r/a", "/r/general", "/r/general/"]


@pytest.mark.parametrize("path", PLACES)
def test_an_address_of_the_page_is_answered_with_the_page(app, path):
    answer = browser(app).get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_another_is_not(app):
    assert browser(app).get("/logins/").status_code == 404
