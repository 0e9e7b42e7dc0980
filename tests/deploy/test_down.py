"""Back to nothing: a second stack is made beside the first, and taken away with all that is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deploy.down import down, main
from deploy.up import outputs
from tests.deploy.made import MadeCloud, further
from tests.deploy.tools import Json

SPARE = {"KeepData": "yes"}


def test_a_stack_goes_with_its_tables_its_files_and_its_functions_and_no_other(
    cloud: MadeCloud, template: Json
) -> None:
    stack = cloud.stack
    further(stack, "spare", template, **SPARE)
    bucket = outputs(stack.client("cloudformation"), "spare")["ArtifactsBucket"]
    stack.client("s3").put_object(Bucket=bucket, Key="server-0123.tar.gz", Body=b"code")
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(TableName="spare-users", Item={"username": {"S": "ada"}})
    assert dynamodb.describe_table(TableName="spare-users")["Table"]["DeletionProtectionEnabled"] is True
    before = set(dynamodb.list_tables()["TableNames"])
    down("spare", stack.client)
    assert before - set(dynamodb.list_tables()["TableNames"]) == {"spare-users", "spare-messages", "spare-chat"}
    assert bucket not in {each["Name"] for each in stack.client("s3").list_buckets()["Buckets"]}
    functions = {each["FunctionName"] for each in stack.client("lambda").list_functions()["Functions"]}
    assert not [name for name in functions if name.startswith("spare-")]
    assert "parley-login" in functions


# What is left of a stack whose first creation failed: no outputs, a table that DynamoDB protects, a bucket with files.
HALF_MADE = """
Resources:
  UsersTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: half-users
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: username, AttributeType: S}]
      KeySchema: [{AttributeName: username, KeyType: HASH}]
      DeletionProtectionEnabled: true
  Artifacts:
    Type: AWS::S3::Bucket
    Properties: {BucketName: half-artifacts}
"""


def test_a_stack_that_was_made_by_half_goes_too(cloud: MadeCloud) -> None:
    stack = cloud.stack
    cloudformation = stack.client("cloudformation")
    cloudformation.create_stack(StackName="half", TemplateBody=HALF_MADE)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="half", WaiterConfig={"Delay": 1})
    assert outputs(cloudformation, "half") == {}
    stack.client("s3").put_object(Bucket="half-artifacts", Key="server-0123.tar.gz", Body=b"code")
    down("half", _without_updates(stack.client))
    assert "half-users" not in stack.client("dynamodb").list_tables()["TableNames"]
    assert "half-artifacts" not in {each["Name"] for each in stack.client("s3").list_buckets()["Buckets"]}
    down("half", stack.client)  # again is fine: there is nothing


def _without_updates(client: Callable[[str], Any]) -> Callable[[str], Any]:
    """Clients of that cloud, of which CloudFormation's refuses updates, as it does of ROLLBACK_COMPLETE."""

    def refusing(service: str) -> Any:
        made = client(service)
        if service == "cloudformation":
            made.meta.events.register("before-call.cloudformation.UpdateStack", _refuse)
        return made

    return refusing


def _refuse(**_: object) -> None:
    raise AssertionError("the stack is in ROLLBACK_COMPLETE and cannot be updated")


def test_nothing_is_deleted_unless_somebody_says_so(capsys) -> None:
    assert main([]) == 2
    assert "say --yes" in capsys.readouterr().err
