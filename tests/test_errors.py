"""The codes that clients rely on are the ones that the protocol names."""

from __future__ import annotations

import re
from pathlib import Path

from chat.errors import KINDS, ChatError

PROTOCOL = Path(__file__).resolve().parents[1] / "docs" / "protocol.md"


def test_the_protocol_names_every_code_with_its_status():
    section = PROTOCOL.read_text().split("## Errors")[1]
    named: dict[str, int] = {}
    waiting: list[str] = []
    for code, status in re.findall(r"`([a-z_]+)`|\((\d{3})\)", section):
        if code:
            waiting.append(code)
        else:
            named |= dict.fromkeys(waiting, int(status))
            waiting = []
    named |= dict.fromkeys(waiting, 400)
    assert named == {code: kind.status for code, kind in KINDS.items()}


def test_an_error_says_when_to_come_back_only_when_it_knows():
    assert ChatError("busy", retry_after_s=2).to_dict() == {
        "code": "busy",
        "message": KINDS["busy"].message,
        "retry": True,
        "retry_after_s": 2,
    }
    assert ChatError("text_empty").to_dict() == {
        "code": "text_empty",
        "message": KINDS["text_empty"].message,
        "retry": False,
    }
