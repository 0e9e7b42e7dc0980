"""What each function may do with AWS: exactly this. The roles of the template are held to it, and what the functions
ask for; a role or a function that grows fails, and its growth is decided in this table."""

from __future__ import annotations

USERS, MESSAGES, CHAT = "UsersTable.Arn", "MessagesTable.Arn", "ChatTable.Arn"
STREAM = "MessagesTable.StreamArn"
READ_STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}

# function → what → the actions, besides its own log and the way into the VPC
MAY: dict[str, dict[str, set[str]]] = {
    "Register": {USERS: {"dynamodb:PutItem"}},
    "Login": {USERS: {"dynamodb:GetItem"}},
    "Logout": {},
    "Protected": {},
    "Ingest": {
        MESSAGES: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        CHAT: {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        STREAM: READ_STREAM,
        "*": {"dynamodb:ListStreams"},
        "IngestFailures.Arn": {"sqs:SendMessage"},
    },
}


def of_tables(function: str) -> set[tuple[str, str]]:
    """(action, table) that the code of a function may ask for; its stream is read by Lambda, not by the code."""
    tables = {arn: arn.removesuffix("Table.Arn").lower() for arn in (USERS, MESSAGES, CHAT)}
    rights = MAY[function.capitalize()].items()
    return {(action.partition(":")[2], tables[arn]) for arn, actions in rights if arn in tables for action in actions}
