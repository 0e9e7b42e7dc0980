"""What the role of each function allows: exactly what tests/lambdas/rights.py says."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.deploy.tools import Json, resources
from tests.lambdas.rights import CHAT, MAY, USERS


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_exactly_this(template: Json, function: str) -> None:
    check(function, resources(template, "AWS::IAM::Role")[f"{function}Role"])


def check(function: str, role: Json) -> None:
    """Raises: AssertionError for a role that allows more or less."""
    allowed = _allowed(role)
    log = allowed.pop(f"{function}Log.Arn", None)
    assert log == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed == MAY[function]
    vpc = [] if function == "Register" else [{"Ref": "EnterVpc"}]
    assert role.get("ManagedPolicyArns", []) == vpc


ALLOWED_MORE: dict[str, Json] = {
    "an action": {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": {"Fn::GetAtt": USERS.split(".")}},
    "a table": {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": {"Fn::GetAtt": CHAT.split(".")}},
    "every table": {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"},
    "all but": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
    "sometimes": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {}},
}


@pytest.mark.parametrize("more", [*ALLOWED_MORE, "an action there", "a statement everywhere", "a managed policy"])
@pytest.mark.parametrize("function", MAY)
def test_a_role_that_grows_is_found(template: Json, function: str, more: str) -> None:
    """Each role made wider by one thing, in a copy."""
    role = deepcopy(resources(template, "AWS::IAM::Role")[f"{function}Role"])
    check(function, role)
    statements = role["Policies"][-1]["PolicyDocument"]["Statement"]
    if more == "an action there":
        statements[-1]["Action"] = [*_listed(statements[-1]["Action"]), "dynamodb:DeleteTable"]
    elif more == "a statement everywhere":
        statements[-1]["Resource"] = "*"
    elif more == "a managed policy":
        role["ManagedPolicyArns"] = [*role.get("ManagedPolicyArns", []), "arn:aws:iam::aws:policy/AdministratorAccess"]
    else:
        statements.append(ALLOWED_MORE[more])
    with pytest.raises(AssertionError):
        check(function, role)


@pytest.mark.parametrize("function", MAY)
def test_a_function_runs_as_its_own_role_and_only_lambda_may_take_it(template: Json, function: str) -> None:
    properties = resources(template, "AWS::Lambda::Function")[f"{function}Function"]
    assert properties["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    assert properties["Handler"] == f"chat.lambdas.{function.lower()}.handler"
    trust = resources(template, "AWS::IAM::Role")[f"{function}Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trust] == [{"Service": "lambda.amazonaws.com"}]


def test_the_way_into_the_vpc_is_lambdas_and_not_the_codes(template: Json) -> None:
    allow, deny = resources(template, "AWS::IAM::ManagedPolicy")["EnterVpc"]["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Resource"]) == ("Allow", "*")
    assert all(action.startswith("ec2:") for action in allow["Action"])
    assert deny["Effect"] == "Deny"
    assert deny["Action"] == "ec2:*"
    assert list(deny["Condition"]) == ["ArnLike"]


def test_no_role_may_do_everything_with_anything(template: Json) -> None:
    for role in resources(template, "AWS::IAM::Role").values():
        for arn, actions in _allowed(role).items():
            assert not [action for action in actions if action.endswith("*")], role
            assert arn != "*" or actions == {"dynamodb:ListStreams"}


def _allowed(role: Json) -> dict[str, set[str]]:
    """Resource → actions of the role's own policies. None of them may deny, or hold under a condition only."""
    found: dict[str, set[str]] = {}
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert set(statement) == {"Effect", "Action", "Resource"}, statement
            assert statement["Effect"] == "Allow"
            for resource in _listed(statement["Resource"]):
                found.setdefault(_name(resource), set()).update(_listed(statement["Action"]))
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        name = resource["Fn::GetAtt"]
        return name if isinstance(name, str) else ".".join(name)
    return json.dumps(resource)
