"""`python -m deploy.tunnel`: a port of this box to the private ElastiCache, through the bastion by SSM. `make tunnel`.

No port of the bastion is open, and there is no key to keep: SSM asks IAM. TLS goes from here to ElastiCache; the
address printed names the server whose certificate must be shown, since 127.0.0.1 is not in it
(chat/services/storage/redis_client.py). Needs the AWS CLI with its Session Manager plugin.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from urllib.parse import quote, urlencode

import boto3

from deploy.plainly import plainly
from deploy.up import STACK, outputs

PORT = 6380
REDIS_PORT = 6379
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"


def session(bastion: str, host: str, port: int) -> list[str]:
    """The command that forwards `port` of this box to Redis at that host."""
    parameters = {"host": [host], "portNumber": [str(REDIS_PORT)], "localPortNumber": [str(port)]}
    argv = ["aws", "ssm", "start-session", "--target", bastion, "--document-name", DOCUMENT]
    return [*argv, "--parameters", json.dumps(parameters)]


def address(host: str, port: int, password: str) -> str:
    """REDIS_URL through the tunnel; the certificate must be `host`'s."""
    return f"rediss://server:{quote(password, safe='')}@127.0.0.1:{port}/0?{urlencode({'server_name': host})}"


def main() -> int:
    """Becomes the session; exit code 2 when something is lacking, 1 when AWS refuses it."""
    return plainly(_tunnel)


def _tunnel() -> int:
    if not (shutil.which("aws") and shutil.which("session-manager-plugin")):
        print("make tunnel needs the AWS CLI and its Session Manager plugin on the PATH.", file=sys.stderr)
        return 2
    found = outputs(boto3.client("cloudformation"), STACK)
    if "BastionId" not in found:
        print(f"The stack {STACK} has no bastion: make up PARAMETERS='Size=full WithBastion=yes'.", file=sys.stderr)
        return 2
    port = int(os.environ.get("TUNNEL_PORT", PORT))
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=found["RedisPasswordSecret"])["SecretString"]
    print(f"REDIS_URL={address(found['RedisHost'], port, secret)}", flush=True)
    argv = session(found["BastionId"], found["RedisHost"], port)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    sys.exit(main())
