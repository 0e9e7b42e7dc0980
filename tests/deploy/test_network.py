"""Who reaches what: nothing from outside but CloudFront and the API, and Valkey only from those that need it."""

from __future__ import annotations

import json
import re

from deploy.server.settings import WAIT_S
from tests.deploy.tools import Json, resources

INSTALL_S = 300  # from an instance's start until it begins to wait


def test_no_security_group_lets_the_world_in(template: Json) -> None:
    for name, group in resources(template, "AWS::EC2::SecurityGroup").items():
        for rule in _rules(group):
            assert "SourceSecurityGroupId" in rule or rule["CidrIp"] == {"Fn::GetAtt": ["Vpc", "CidrBlock"]}, name
            assert rule["FromPort"] == rule["ToPort"]


def test_valkey_is_reached_by_functions_servers_and_bastion_only(template: Json) -> None:
    rules = _rules(resources(template, "AWS::EC2::SecurityGroup")["ValkeyGroup"])
    assert {rule["SourceSecurityGroupId"]["Ref"] for rule in rules} == {
        "FunctionsGroup",
        "ServersGroup",
        "BastionGroup",
    }
    assert {rule["FromPort"] for rule in rules} == {6379}


def test_valkey_is_encrypted_keeps_every_session_and_has_a_user_for_each_that_asks(template: Json) -> None:
    (valkey,) = resources(template, "AWS::ElastiCache::ReplicationGroup").values()
    assert valkey["TransitEncryptionEnabled"] is True
    assert valkey["AtRestEncryptionEnabled"] is True
    assert valkey["AutomaticFailoverEnabled"] is True
    (parameters,) = resources(template, "AWS::ElastiCache::ParameterGroup").values()
    assert parameters["Properties"] == {"maxmemory-policy": "noeviction", "notify-keyspace-events": "Kgxe"}
    assert parameters["CacheParameterGroupFamily"] == f"valkey{valkey['EngineVersion'].partition('.')[0]}"
    users = {user["UserName"]: user for user in resources(template, "AWS::ElastiCache::User").values()}
    assert set(users) == {"default", "server", "login", "logout", "protected", "ingest"}
    assert users["default"]["AccessString"].startswith("off ")
    (group,) = resources(template, "AWS::ElastiCache::UserGroup").values()
    assert len(group["UserIds"]) == len(users)


def test_only_what_needs_valkey_is_in_the_vpc_under_the_user_of_its_own_name(template: Json) -> None:
    for function in resources(template, "AWS::Lambda::Function").values():
        name = function["Handler"].split(".")[2]
        settings = function["Environment"]["Variables"]
        assert ("VpcConfig" in function) is (name != "register")
        assert settings.get("REDIS_USERNAME") == (None if name == "register" else name)


def test_there_is_no_nat_and_an_instance_asks_the_metadata_service_with_a_token(template: Json) -> None:
    assert resources(template, "AWS::EC2::NatGateway") == {}
    (launch,) = resources(template, "AWS::EC2::LaunchTemplate").values()
    for box in (launch["LaunchTemplateData"], *resources(template, "AWS::EC2::Instance").values()):
        assert box["MetadataOptions"]["HttpTokens"] == "required"


def test_no_instance_has_an_address_that_its_successor_would_need(template: Json) -> None:
    """CloudFormation makes the new one before it ends the old one."""
    for kind in ("AWS::EC2::Instance", "AWS::EC2::LaunchTemplate"):
        for name, described in resources(template, kind).items():
            assert "PrivateIpAddress" not in json.dumps(described), name
    for function in resources(template, "AWS::Lambda::Function").values():
        host = function["Environment"]["Variables"].get("REDIS_HOST")
        box = {"Fn::If": ["SmallServers", {"Fn::GetAtt": ["Box", "PrivateIp"]}, ""]}
        assert host in (None, {"Fn::If": ["Full", {"Fn::GetAtt": ["Valkey", "PrimaryEndPoint.Address"]}, box]})


def test_other_code_or_a_newer_image_does_not_replace_the_small_box(template: Json) -> None:
    box = resources(template, "AWS::EC2::Instance")["Box"]
    in_place = {"UserData", "InstanceType", "IamInstanceProfile", "CreditSpecification", "MetadataOptions", "Tags"}
    rest = json.dumps({name: value for name, value in box.items() if name not in in_place})
    assert re.findall(r'"Ref": "(\w+)"', rest) == ["AmiId", "ServersGroup", "PublicA"]
    assert template["Parameters"]["AmiId"]["Type"] == "AWS::EC2::Image::Id", "no name that means the newest"
    assert "[scripts-user, always]" in box["UserData"]["Fn::Base64"]["Fn::Sub"], "what is new there, is done"


def test_what_would_come_to_nothing_is_refused_with_a_reason(template: Json) -> None:
    """A condition alone would leave the bastion out and say nothing."""
    rules = template["Rules"]
    for rule, wants in {
        "ServersOrElastiCache": ("WithServers", "no"),
        "BastionToElastiCache": ("WithBastion", "yes"),
    }.items():
        assert rules[rule]["RuleCondition"] == {"Fn::Equals": [{"Ref": wants[0]}, wants[1]]}
        (only,) = rules[rule]["Assertions"]
        assert only["Assert"] == {"Fn::Equals": [{"Ref": "Size"}, "full"]}
        assert "Size=full" in only["AssertDescription"]


def test_a_server_that_waits_for_the_fronts_address_is_not_replaced_meanwhile(template: Json) -> None:
    (fleet,) = resources(template, "AWS::AutoScaling::AutoScalingGroup").values()
    assert fleet["HealthCheckGracePeriod"] >= WAIT_S + INSTALL_S


def test_no_log_is_kept_that_nothing_writes_to(template: Json) -> None:
    """A function writes to its own; the servers' journal stays on the instance (deploy/README.md)."""
    groups = {
        function["LoggingConfig"]["LogGroup"]["Ref"]
        for function in resources(template, "AWS::Lambda::Function").values()
    }
    assert set(resources(template, "AWS::Logs::LogGroup")) == groups


def test_functions_believe_the_front_alone_whose_secret_they_share(template: Json) -> None:
    (front,) = resources(template, "AWS::CloudFront::Distribution").values()
    (auth,) = [each for each in front["DistributionConfig"]["Origins"] if each["Id"] == "auth"]
    secret = {"Fn::Sub": "{{resolve:secretsmanager:${FrontSecret}}}"}
    assert auth["OriginCustomHeaders"] == [{"HeaderName": "X-Front-Secret", "HeaderValue": secret}]
    policy = resources(template, "AWS::CloudFront::OriginRequestPolicy")["AuthRequests"]["OriginRequestPolicyConfig"]
    assert "CloudFront-Viewer-Address" in policy["HeadersConfig"]["Headers"]
    for function in resources(template, "AWS::Lambda::Function").values():
        settings = function["Environment"]["Variables"]
        assert "TRUSTED_PROXY_HOPS" not in settings, "whoever calls the API itself writes that header as they like"
        if not function["Handler"].startswith("chat.lambdas.ingest"):
            assert settings["FRONT_SECRET"] == {"Fn::If": ["Servers", secret, {"Ref": "AWS::NoValue"}]}


def test_an_error_of_one_person_is_never_cached_for_another(template: Json) -> None:
    (front,) = resources(template, "AWS::CloudFront::Distribution").values()
    errors = {
        each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in front["DistributionConfig"]["CustomErrorResponses"]
    }
    assert set(errors) == {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}, "all that CloudFront would cache"
    assert set(errors.values()) == {0}


def _rules(group: Json) -> list[Json]:
    """Its rules, those under a condition too."""
    found = []
    for rule in group.get("SecurityGroupIngress", []):
        branches = rule["Fn::If"][1:] if "Fn::If" in rule else [rule]
        found += [branch for branch in branches if branch != {"Ref": "AWS::NoValue"}]
    return found
