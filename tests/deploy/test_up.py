"""What `make up` decides before it deploys."""

from __future__ import annotations

from deploy.local.cloud import Cloud
from deploy.local.stack import NAME
from deploy.up import NEWEST_IMAGE, existing, with_image


def test_the_image_is_chosen_when_the_stack_is_made_and_then_stays(cloud: Cloud) -> None:
    newest = {"Name": NEWEST_IMAGE, "Type": "String", "Value": "ami-00000000000000001"}
    cloud.stack.client("ssm").put_parameter(**newest, Overwrite=True)
    given = {"Size": "small"}
    assert with_image("not-made-yet", given, cloud.stack.client) == {**given, "AmiId": newest["Value"]}
    assert with_image(NAME, given, cloud.stack.client) == given
    named = {"AmiId": "ami-00000000000000002"}
    assert with_image("not-made-yet", named, cloud.stack.client) == named


def test_a_stack_that_is_not_there_is_none(cloud: Cloud) -> None:
    cloudformation = cloud.stack.client("cloudformation")
    assert existing(cloudformation, "not-made-yet") is None
    assert existing(cloudformation, NAME) is not None
