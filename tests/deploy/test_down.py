"""Back to nothing: a second stack is made beside the first, and taken away with all that is in it."""

from __future__ import annotations

from deploy.down import down, main
from deploy.local.cloud import Cloud
from deploy.up import outputs

SPARE = {"TablePrefix": "spare-", "KeepData": "yes"}


def test_a_stack_goes_with_its_tables_its_files_and_its_functions_and_no_other(cloud: Cloud) -> None:
    stack = cloud.stack
    stack.deploy("spare", **SPARE)
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


def test_nothing_is_deleted_unless_somebody_says_so(capsys) -> None:
    assert main([]) == 2
    assert "say --yes" in capsys.readouterr().err
