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
    """The file of accounts asks through the client, in these ways and no other; no other file names their table."""
    storage = Path(ROOT) / "chat" / "services" / "storage"
    accounts = (storage / "users.py").read_text()
    ways = {"get": "GetItem", "get_each": "BatchGetItem", "update_if": "UpdateItem"}
    asked = set(re.findall(r"_client\.(\w+)\(", accounts)) - {"table"}
    operations = set(re.findall(r'_client\.unless\(\s*\w+,\s*"(\w+)"', accounts))
    assert len(operations) == 2 and accounts.count(".unless(") == 2
    assert asked - {"unless"} == ways.keys()
    assert {ways[way] for way in ways} | {name.title().replace("_", "") for name in operations} == ACCOUNTS
    apart = {"users.py", "rows.py", "schema.py"}  # the second knows its key, the third makes it
    others = [path.name for path in storage.glob("*.py") if path.name not in apart and '"users"' in path.read_text()]
    assert others == []
