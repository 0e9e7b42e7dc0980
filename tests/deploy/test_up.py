"""What `make up` decides before it deploys."""

from __future__ import annotations

from typing import Any

from deploy.local.cloud import Cloud
from deploy.local.stack import NAME
from deploy.up import NEWEST_IMAGE, existing, with_image


NEWEST = "ami-00000000000000001"


class PublicParameters:
    """SSM with AWS's own parameters, which nobody else can put there."""

    def get_parameter(self, Name: str) -> dict[str, dict[str, str]]:
        assert Name == NEWEST_IMAGE
        return {"Parameter": {"Value": NEWEST}}


def test_the_image_is_chosen_when_the_stack_is_made_and_then_stays(cloud: Cloud) -> None:
    def client(service: str) -> Any:
        return PublicParameters() if service == "ssm" else cloud.stack.client(service)

    given = {"Size": "small"}
    assert with_image("not-made-yet", given, client) == {**given, "AmiId": NEWEST}
    assert with_image(NAME, given, client) == given
    named = {"AmiId": "ami-00000000000000002"}
    assert with_image("not-made-yet", named, client) == named


def test_a_stack_that_is_not_there_is_none(cloud: Cloud) -> None:
    cloudformation = cloud.stack.client("cloudformation")
    assert existing(cloudformation, "not-made-yet") is None
    assert existing(cloudformation, NAME) is not None
