"""The page's types are made from the server's, and nobody has changed one side alone."""

from __future__ import annotations

from frontend.scripts import protocol


def test_the_committed_types_are_what_the_servers_make():
    assert protocol.PATH.read_text() == protocol.page_types(), "run: make protocol"


def test_a_type_that_says_more_makes_another_file(monkeypatch):
    made = protocol.page_types()
    monkeypatch.setitem(protocol.EVENTS, "room:pinned", protocol.EVENTS["room:read"])
    assert protocol.page_types().replace('  "room:pinned": PositionMoved;\n', "") == made != protocol.page_types()
