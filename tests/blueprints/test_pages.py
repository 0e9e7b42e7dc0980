"""The addresses that the page draws."""

from __future__ import annotations

import pytest

PLACES = ["/", "/login", "/login/", "/register", "/register/?next=/r/a", "/r/general", "/r/general/"]


@pytest.mark.parametrize("path", PLACES)
def test_an_address_of_the_page_is_answered_with_the_page(app, path):
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_another_is_not(app):
    assert app.test_client().get("/logins/").status_code == 404
