"""`python -m deploy.down --yes`: back to nothing; every message and account is gone, and so are the backups of them.
`make down`."""

from __future__ import annotations

import sys
from typing import Any

import boto3

from deploy.up import STACK, outputs

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
WAIT = {"Delay": 5, "MaxAttempts": 720}  # CloudFront and ElastiCache take their time


def down(stack: str, client: Any = boto3.client) -> None:
    """Lets the tables go, empties the bucket, deletes the stack and waits until it is gone. Raises: boto3's many."""
    cloudformation = client("cloudformation")
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found["Parameters"]}
    _empty(client("s3"), outputs(cloudformation, stack)["ArtifactsBucket"])
    if parameters["KeepData"] != "no":
        cloudformation.update_stack(
            StackName=stack,
            UsePreviousTemplate=True,
            Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in parameters if name != "KeepData"]
            + [{"ParameterKey": "KeepData", "ParameterValue": "no"}],
        )
        cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=WAIT)
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=WAIT)


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for file in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=file["Key"])


def main(argv: list[str]) -> int:
    """Exit code: 0, or 2 when nobody said that they mean it."""
    if argv != ["--yes"]:
        print(f"This deletes the stack {STACK} with every message and account in it: say --yes.", file=sys.stderr)
        return 2
    down(STACK)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
