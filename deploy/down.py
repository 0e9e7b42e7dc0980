"""`python -m deploy.down --yes`: back to nothing; every message and account is gone. `make down`.

DynamoDB itself keeps a last backup of each table for 35 days, since they had point-in-time recovery; it costs nothing,
nobody can keep it longer, and until then it can be restored (`aws dynamodb list-backups --backup-type SYSTEM`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import boto3

from deploy.plainly import plainly
from deploy.up import STACK, existing

WAIT = {"Delay": 5, "MaxAttempts": 720}  # CloudFront and ElastiCache take their time


def down(stack: str, client: Any = boto3.client) -> None:
    """Lets the tables go, empties the bucket, deletes the stack and waits until it is gone. Raises: boto3's many.

    It asks for what is there, and not for the stack's outputs: one whose creation failed has none, and cannot be
    updated either, while DynamoDB still protects the tables that were made.
    """
    cloudformation = client("cloudformation")
    if existing(cloudformation, stack) is None:
        return
    for table in _made(cloudformation, stack, "AWS::DynamoDB::Table"):
        _release(client("dynamodb"), table)
    for bucket in _made(cloudformation, stack, "AWS::S3::Bucket"):
        _empty(client("s3"), bucket)
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=WAIT)


def _made(cloudformation: Any, stack: str, kind: str) -> Iterator[str]:
    """The names of the stack's resources of that kind that are there."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            there = resource["ResourceStatus"] not in ("DELETE_COMPLETE", "CREATE_FAILED")
            if resource["ResourceType"] == kind and there and resource.get("PhysicalResourceId"):
                yield resource["PhysicalResourceId"]


def _release(dynamodb: Any, table: str) -> None:
    if dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=table)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for file in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=file["Key"])


def main(argv: list[str]) -> int:
    """Exit code: 0, 1 when it failed, 2 when nobody said that they mean it or something must be given first."""
    if argv != ["--yes"]:
        print(f"This deletes the stack {STACK} with every message and account in it: say --yes.", file=sys.stderr)
        return 2
    return plainly(lambda: down(STACK) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
