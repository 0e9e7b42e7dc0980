"""A product's traceback fails the test that it came with, unless that test asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.logs import Logs

SAID = 'all is well\nthe sweep failed\nTraceback (most recent call last):\n  File "x.py", line 1\n    boom()\n'
pytest_plugins = ["pytester"]

A_PRODUCT = """
    import pytest
    from tests.logs import WATCHED

    @pytest.fixture(autouse=True)
    def product(tmp_path):
        WATCHED.file(tmp_path / "log")
        yield
        with (tmp_path / "log").open("a") as log:
            log.write("Traceback (most recent call last):\\n  File\\nValueError: at its end\\n")
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_each_traceback_is_told_once_with_what_was_said_before_it_and_what_it_was(log: Path) -> None:
    log.write_text("Traceback (most recent call last): before anybody watched\n")
    logs = Logs()
    logs.file(log)
    assert logs.tracebacks() == []
    with log.open("a") as product:
        product.write(SAID + "ValueError: no\nall is well\n" + SAID.replace("sweep", "other"))
        product.flush()
        (first,) = logs.tracebacks()
        assert first.endswith("boom()\nValueError: no\n") and "the sweep failed\nTraceback" in first
        assert "all is well" not in first
        assert logs.tracebacks() == [], "what is being written is not told yet"
        product.write("KeyError: 'x'\n")
        product.flush()
        (second,) = logs.tracebacks()
        assert "the other failed" in second and second.endswith("KeyError: 'x'\n")
        product.write("half a line and Traceb")
        product.flush()
        assert logs.tracebacks() == []
        product.write("ack (most recent call last):\n")
        product.flush()
        assert logs.tracebacks() == []
    assert len(logs.tracebacks(ended=True)) == 1 and logs.tracebacks(ended=True) == []


def test_a_folder_is_watched_for_the_logs_to_come_and_for_logs_begun_anew(tmp_path: Path) -> None:
    logs = Logs()
    logs.folder(tmp_path, "*.log")
    (tmp_path / "a.log").write_text(SAID + "ValueError: no\n")
    (tmp_path / "a.txt").write_text(SAID + "ValueError: no\n")
    assert len(logs.tracebacks()) == 1
    (tmp_path / "a.log").write_text("Traceback (most recent call last):\n  x\nE: 1\n")
    assert len(logs.tracebacks()) == 1


@pytest.mark.parametrize(
    ("mark", "errors"),
    [
        ("", 1),
        ('@pytest.mark.expects_traceback("at its end")', 0),
        ('@pytest.mark.expects_traceback("at another time")', 1),
    ],
)
def test_a_traceback_fails_the_test_that_did_not_ask_for_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mark: str, errors: int
) -> None:
    only_theirs = Logs()
    for module in ("tests.logs", "tests.conftest"):
        monkeypatch.setattr(f"{module}.WATCHED", only_theirs)
    pytester.makeconftest("from tests.conftest import pytest_configure, pytest_runtest_teardown")
    pytester.makepyfile(f"{A_PRODUCT}\n    {mark}\n    def test_it(): pass")
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=errors)
    assert ("ValueError: at its end" in result.stdout.str()) == bool(errors)
