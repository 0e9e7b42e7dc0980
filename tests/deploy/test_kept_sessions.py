"""How long somebody is kept signed in is one setting of the stack, at every door that reads sessions."""

from __future__ import annotations

import re

import pytest

from chat.config import Config
from tests.deploy.tools import ROOT, Json, resources

NAME = "SESSION_REMEMBER_DAYS"
PARAMETER = "SessionRememberDays"
SERVERS = [("AWS::EC2::LaunchTemplate", "LaunchTemplateData"), ("AWS::EC2::Instance", None)]


def test_the_parameter_takes_what_the_setting_takes(template: Json) -> None:
    parameter = template["Parameters"][PARAMETER]
    assert parameter["Default"] == Config().session_remember_days
    for days in (parameter["MinValue"], parameter["MaxValue"]):
        assert not _refused(days)
    for days in (parameter["MinValue"] - 1, parameter["MaxValue"] + 1):
        assert _refused(days)


def test_the_functions_that_open_and_read_sessions_have_it(template: Json) -> None:
    for function in ("LoginFunction", "ProtectedFunction"):
        assert _variables(template, function)[NAME] == {"Ref": PARAMETER}, function


@pytest.mark.parametrize(("kind", "within"), SERVERS)
def test_the_servers_have_it_and_the_settings_file_takes_all_that_they_are_given(
    template: Json, kind: str, within: str | None
) -> None:
    taken = re.search(r"grep -E '(.*)' >", (ROOT / "deploy" / "server" / "install").read_text())
    assert taken
    found = 0
    for described in resources(template, kind).values():
        user_data = (described[within] if within else described).get("UserData")
        script = user_data["Fn::Base64"]["Fn::Sub"] if user_data else ""
        if "deploy/server/install" not in script:
            continue  # the bastion
        found += 1
        given = dict(re.findall(r"(?<=[ \n])([A-Z_]+)=(\S*) ", script[script.index("STACK=") - 1 :]))
        assert given[NAME] == f"${{{PARAMETER}}}"
        assert {"STACK", "COOKIE_MODE", "REDIS_HOST", "SECRET_KEY_FROM"} <= given.keys()
        assert [name for name in given if not re.match(taken[1], f"{name}=x")] == []
    assert found == 1


def _refused(days: int) -> bool:
    return any(NAME in problem for problem in Config(session_remember_days=days).problems())


def _variables(template: Json, function: str) -> Json:
    variables: Json = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    return variables
