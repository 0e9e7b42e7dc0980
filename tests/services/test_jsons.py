"""Both ways of reading and writing JSON, with msgspec and without, say the same."""

from __future__ import annotations

import builtins
import importlib

import pytest

from chat.services.runtime import jsons


@pytest.fixture(params=["msgspec", "json"])
def module(request, monkeypatch):
    if request.param == "json":
        importing = builtins.__import__

        def without(name, *rest):
            if name == "msgspec":
                raise ImportError(name)
            return importing(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
    yield importlib.reload(jsons)
    monkeypatch.undo()
    importlib.reload(jsons)


SAID = {"text": "Grüße 👍\u2028", "n": [0, -1, 2**53, 1.5], "yes": True, "none": None, "": {}}


def test_what_is_written_is_read_again(module):
    assert module.decode(module.encode(SAID)) == SAID == module.decode(module.encode(SAID).decode())


def test_it_is_compact_and_in_utf_8(module):
    assert module.encode({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()


@pytest.mark.parametrize("wrong", ["", "{", "[1,]", "nothing", b'"\xff"'])
def test_what_is_no_json_is_a_value_error(module, wrong):
    with pytest.raises(ValueError):  # noqa: PT011 (whichever library it is of)
        module.decode(wrong)


def test_a_lone_surrogate_is_a_value_error(module):
    with pytest.raises(ValueError):  # noqa: PT011 (whichever library it is of)
        module.encode("\ud800")
