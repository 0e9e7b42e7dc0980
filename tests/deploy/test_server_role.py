"""What the chat server's role allows with the table of accounts: what its code asks for, and no list of everybody."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT
from tests.deploy.test_roles import _allowed
from tests.deploy.tools import Json, resources
from tests.lambdas.rights import CHAT, MESSAGES, USERS

ACCOUNTS = {"BatchGetItem", "GetItem", "PutItem", "UpdateItem"}


def test_the_server_may_neither_list_nor_delete_accounts(template: Json) -> None:
    allowed = _allowed(resources(template, "AWS::IAM::Role")["ServerRole"])
    assert allowed[USERS] == {f"dynamodb:{action}" for action in ACCOUNTS | {"DescribeTable"}}  # for `flask doctor`
    assert {"dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"} <= allowed[MESSAGES] & allowed[CHAT]


def test_the_code_asks_for_no_more() -> None:
    """The part of Storage that speaks of accounts; no other part names their table."""
    code = (Path(ROOT) / "chat" / "services" / "storage" / "dynamodb.py").read_text()
    accounts, rest = code.split("# --- users ---")[1].split("# --- the log ---")
    asked = set(re.findall(r'"((?:batch_|transact_)?(?:get|put|update|delete|write)_items?|scan|query)"', accounts))
    asked |= {"update_item"} if "self._update_if(" in accounts else set()
    assert {name.title().replace("_", "") for name in asked} == ACCOUNTS
    assert '"users"' not in rest
    assert not re.search(r"_scan|_query|_partition|_get\(", accounts)
