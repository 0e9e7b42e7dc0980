"""Which parameters each operation takes here. One that is not listed is refused by name, never ignored."""

from __future__ import annotations

from typing import Any

from chat.embedded.dynamodb.errors import invalid, malformed

_CONDITION = (
    "ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure"
)
_WRITE = f"TableName ReturnValues ReturnConsumedCapacity ReturnItemCollectionMetrics {_CONDITION}"
_READ = (
    "TableName ConsistentRead ExclusiveStartKey ExpressionAttributeNames ExpressionAttributeValues FilterExpression "
    "Limit ProjectionExpression ReturnConsumedCapacity Select"
)
_TABLE = (
    "TableName AttributeDefinitions KeySchema BillingMode ProvisionedThroughput StreamSpecification "
    "DeletionProtectionEnabled"
)

ALLOWED: dict[str, frozenset[str]] = {
    operation: frozenset(names.split())
    for operation, names in {
        "CreateTable": _TABLE,
        "UpdateTable": "TableName AttributeDefinitions BillingMode StreamSpecification DeletionProtectionEnabled",
        "DeleteTable": "TableName",
        "DescribeTable": "TableName",
        "ListTables": "ExclusiveStartTableName Limit",
        "UpdateTimeToLive": "TableName TimeToLiveSpecification",
        "DescribeTimeToLive": "TableName",
        "DescribeEndpoints": "",
        "PutItem": f"Item {_WRITE}",
        "DeleteItem": f"Key {_WRITE}",
        "UpdateItem": f"Key UpdateExpression {_WRITE}",
        "GetItem": "TableName Key ConsistentRead ExpressionAttributeNames ProjectionExpression ReturnConsumedCapacity",
        "Query": f"KeyConditionExpression ScanIndexForward {_READ}",
        "Scan": f"Segment TotalSegments {_READ}",
        "BatchGetItem": "RequestItems ReturnConsumedCapacity",
        "BatchWriteItem": "RequestItems ReturnConsumedCapacity ReturnItemCollectionMetrics",
        "TransactWriteItems": "TransactItems ClientRequestToken ReturnConsumedCapacity ReturnItemCollectionMetrics",
        "TransactGetItems": "TransactItems ReturnConsumedCapacity",
        "Put": f"TableName Item {_CONDITION}",
        "Update": f"TableName Key UpdateExpression {_CONDITION}",
        "Delete": f"TableName Key {_CONDITION}",
        "ConditionCheck": f"TableName Key {_CONDITION}",
        "PutRequest": "Item",
        "DeleteRequest": "Key",
        "Get": "TableName Key ExpressionAttributeNames ProjectionExpression",
        "Keys": "Keys ConsistentRead ExpressionAttributeNames ProjectionExpression",
        "ListStreams": "TableName Limit ExclusiveStartStreamArn",
        "DescribeStream": "StreamArn Limit ExclusiveStartShardId ShardFilter",
        "GetShardIterator": "StreamArn ShardId ShardIteratorType SequenceNumber",
        "GetRecords": "ShardIterator Limit",
    }.items()
}
CHOICES = {
    "ReturnValues": {"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"},
    "ReturnConsumedCapacity": {"NONE", "TOTAL", "INDEXES"},
    "ReturnItemCollectionMetrics": {"NONE", "SIZE"},
    "ReturnValuesOnConditionCheckFailure": {"NONE", "ALL_OLD"},
    "Select": {"ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"},
    "BillingMode": {"PAY_PER_REQUEST", "PROVISIONED"},
    "ShardIteratorType": {"TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"},
}
TYPES: dict[str, type] = {
    "Item": dict,
    "Key": dict,
    "Limit": int,
    "ExpressionAttributeNames": dict,
    "ExpressionAttributeValues": dict,
    "TransactItems": list,
    "RequestItems": dict,
    "ExclusiveStartKey": dict,
    "KeySchema": list,
    "AttributeDefinitions": list,
    "Keys": list,
    "Segment": int,
    "TotalSegments": int,
    "ConsistentRead": bool,
    "ScanIndexForward": bool,
    "DeletionProtectionEnabled": bool,
    "ProvisionedThroughput": dict,
    "StreamSpecification": dict,
    "TimeToLiveSpecification": dict,
} | dict.fromkeys(
    (
        "TableName",
        "ExclusiveStartTableName",
        "ExclusiveStartStreamArn",
        "ExclusiveStartShardId",
        "ClientRequestToken",
        "ConditionExpression",
        "FilterExpression",
        "KeyConditionExpression",
        "UpdateExpression",
        "ProjectionExpression",
        "StreamArn",
        "ShardId",
        "ShardIterator",
        "SequenceNumber",
    ),
    str,
)


def check(operation: str, request: Any) -> dict[str, Any]:
    """The request, when it has only parameters that are understood here, each of its type.

    Raises: ApiError SerializationException, ValidationException.
    """
    if not isinstance(request, dict):
        raise malformed("Start of structure or map found where not expected.")
    unknown = sorted(request.keys() - ALLOWED[operation])
    if unknown:
        raise invalid(f"The embedded engine does not take {', '.join(unknown)} in {operation}")
    for name, value in request.items():
        kind = TYPES.get(name)
        if kind is not None and not (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            raise malformed(f"{name} has a value of an unexpected type")
        if name in CHOICES and not (isinstance(value, str) and value in CHOICES[name]):
            choices = ", ".join(sorted(CHOICES[name]))
            raise invalid(
                f"1 validation error detected: Value '{value}' at '{name[0].lower()}{name[1:]}' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{choices}]"
            )
    if request.get("Limit", 1) < 1:
        raise invalid(
            f"1 validation error detected: Value '{request['Limit']}' at 'limit' failed to satisfy constraint: Member "
            "must have value greater than or equal to 1"
        )
    return request
