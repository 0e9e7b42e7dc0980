"""The settings of a chat server on an instance: those in its environment, and those that the stack keeps elsewhere.

`NAME_FROM` in the environment is the id of the secret that `NAME` is; the address people type is a parameter of SSM.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import boto3

SECRET = "_FROM"
ASK_AGAIN_S = 5.0
WAIT_S = 1800.0  # CloudFront takes minutes, and the parameter comes after it; the fleet's grace period is longer


def resolved(env: Mapping[str, str], wait_s: float = WAIT_S) -> dict[str, str]:
    """That environment with secrets and PUBLIC_URL in it. Waits for the address until the stack knows it.

    Raises: ClientError for a secret that cannot be read, and for an address that never comes.
    """
    found = dict(env)
    region = env["AWS_REGION"]
    secrets = boto3.client("secretsmanager", region_name=region)
    for name, value in env.items():
        if name.endswith(SECRET) and value:
            answer = secrets.get_secret_value(SecretId=value)
            found[name.removesuffix(SECRET)] = answer["SecretString"]
            del found[name]
    if not env.get("PUBLIC_URL"):
        found["PUBLIC_URL"] = _public_url(region, f"/{env['STACK']}/public-url", time.monotonic() + wait_s)
    return found


def _public_url(region: str, name: str, until: float) -> str:
    parameters = boto3.client("ssm", region_name=region)
    while True:
        try:
            return str(parameters.get_parameter(Name=name)["Parameter"]["Value"])
        except parameters.exceptions.ParameterNotFound:
            if time.monotonic() > until:
                raise
            time.sleep(ASK_AGAIN_S)
