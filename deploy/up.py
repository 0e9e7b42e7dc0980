"""`python -m deploy.up [NAME=value …]`: from an empty account to a chat; again brings it up to date. `make up`.

The values are parameters of deploy/template.yaml; one that is not named keeps what it has. Credentials and region as
boto3 finds them. `sam deploy` runs up to three times, because two things are known only in between: the bucket that
the servers' archive goes to, and CloudFront's address.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from deploy.plainly import plainly

ROOT = Path(__file__).resolve().parents[1]
SAM = ROOT / ".venv-serverless" / "bin" / "sam"
STACK = os.environ.get("STACK", "parley")
NEWEST_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"  # of SSM's public parameters


class DeployError(Exception):
    """What `sam deploy` said when it failed."""


def sam_deploy(stack: str, parameters: Mapping[str, str], *options: str, env: Mapping[str, str] = os.environ) -> str:
    """Brings the stack to the template with these parameters; returns what was said. Raises: DeployError."""
    argv = [SAM, "deploy", "--template-file", ROOT / "deploy" / "template.yaml", "--stack-name", stack]
    argv += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    argv += ["--no-progressbar", *options]
    if parameters:
        argv += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    command = [str(part) for part in argv]
    done = subprocess.run(command, cwd=ROOT, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise DeployError(done.stdout)
    return done.stdout


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """The outputs of the template; none when the stack was never made to the end."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def with_image(stack: str, parameters: Mapping[str, str], client: Any = boto3.client) -> dict[str, str]:
    """These parameters with the newest Amazon Linux as AmiId, unless one is named or the stack has one already."""
    if "AmiId" in parameters or existing(client("cloudformation"), stack):
        return dict(parameters)
    return {**parameters, "AmiId": client("ssm").get_parameter(Name=NEWEST_IMAGE)["Parameter"]["Value"]}


def existing(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    """What CloudFormation says of the stack; None when there is none."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return dict(found)


def archive() -> bytes:
    """What servers run: the files of the last commit, without tests and the sources of the page."""
    left_out = [f":!{folder}" for folder in ("tests", "bench", "docs", "frontend/src", "frontend/public")]
    command = ["git", "archive", "--format=tar.gz", "HEAD", "--", ".", *left_out]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def uncommitted(root: Path = ROOT) -> list[str]:
    """The files that differ from the last commit: servers would run that, and functions these."""
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--", "chat", "deploy", "requirements.txt"]
    said = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line[3:] for line in said.splitlines()]


def up(stack: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Does it all; returns the outputs. Raises: DeployError, CalledProcessError, boto3's many."""
    if changed := uncommitted():
        raise DeployError(f"Commit first: servers run what is committed, functions what is here: {', '.join(changed)}")
    cloudformation = boto3.client("cloudformation")
    parameters = with_image(stack, parameters)
    sam_deploy(stack, parameters, "--resolve-s3")
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if {"ParameterKey": "WithServers", "ParameterValue": "no"} in found["Parameters"]:
        return outputs(cloudformation, stack)
    code = archive()
    key = f"server-{hashlib.sha256(code).hexdigest()[:16]}.tar.gz"
    boto3.client("s3").put_object(Bucket=outputs(cloudformation, stack)["ArtifactsBucket"], Key=key, Body=code)
    sam_deploy(stack, {**parameters, "ServerCode": key}, "--resolve-s3")
    url = outputs(cloudformation, stack)["ChatUrl"]
    sam_deploy(stack, {**parameters, "ServerCode": key, "PublicUrl": url}, "--resolve-s3")
    return outputs(cloudformation, stack)


def main(argv: list[str]) -> int:
    """Exit code: 0, 1 when it failed, 2 when something must be given first."""
    if odd := [argument for argument in argv if "=" not in argument]:
        print(f"{odd[0]!r} is not like Size=full, a parameter of deploy/template.yaml.", file=sys.stderr)
        return 2
    return plainly(lambda: _up(dict(argument.split("=", 1) for argument in argv)))


def _up(parameters: Mapping[str, str]) -> int:
    try:
        found = up(STACK, parameters)
    except DeployError as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in found.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
