"""The template deployed to a local AWS, by the command that deploys it to a real one: `sam deploy`.

The local AWS is ministack with `AUTH=true`: it checks each request of a function against the role that the template
gives the function, as AWS does. It has no VPC that could keep anybody out, no TLS, and its ElastiCache is a name only.
"""

from __future__ import annotations

import http.client
import os
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import boto3

from chat.config import Config
from chat.embedded.folder import free_port
from deploy.local.processes import BIN, CloudError, Processes
from deploy.up import DeployError, outputs, sam_deploy

REGION = "eu-west-1"
NAME = "parley"
CODE_BUCKET = "code"
PARAMETERS = {"Size": "full", "WithServers": "no", "KeepData": "no", "AmiId": "ami-0123456789abcdef0"}
# What the template is made of, and no other service.
SERVICES = (
    "apigateway,cloudformation,cloudfront,cloudwatch,dynamodb,dynamodbstreams,ec2,elasticache,elbv2,iam,lambda,logs,s3,"
    "secretsmanager,sns,sqs,ssm,sts,autoscaling"
)
SETTINGS = {name.upper() for name in Config.__dataclass_fields__}


class Stack:
    """One deployed template in a local AWS. `endpoint` is the address of every service there; `credentials` may do
    everything. In `folder` lies what `sam deploy` said."""

    credentials: ClassVar = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local-secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }

    def __init__(self, folder: Path, endpoint: str, name: str = NAME):
        self._folder = folder
        self.endpoint = endpoint
        self.name = name

    @classmethod
    def start(cls, folder: Path, processes: Processes) -> Self:
        """A local AWS of its own, with nothing deployed yet. Functions there know the template's settings only, and
        none of whoever starts this. Raises: CloudError."""
        port = free_port()
        env = {
            **cls.credentials,
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "SERVICES": SERVICES,
            "IOT_MTLS_ENABLED": "0",  # these two would listen on every address, whatever BIND_HOST says
            "SFTP_ENABLED": "0",
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
            "LOG_LEVEL": "WARNING",
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",  # functions run on its Python
            "PYTHONPATH": "",
        }
        stack = cls(folder, f"http://127.0.0.1:{port}")
        child = processes.start("aws", [BIN / "python", "-m", "ministack"], env, without=SETTINGS)
        processes.wait(child, stack._answers)
        location = {"LocationConstraint": REGION}
        stack.client("s3").create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration=location)
        return stack

    def beside(self, name: str) -> Stack:
        """Another stack in the same AWS."""
        return Stack(self._folder, self.endpoint, name)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def client(self, service: str) -> Any:
        """boto3's client of one of its services."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy(self, **parameters: str) -> None:
        """`sam deploy`, with these parameters of the template besides those that the local AWS needs.

        Raises: CloudError with what it said last.
        """
        env = {**os.environ, **self.credentials, "AWS_ENDPOINT_URL": self.endpoint, "SAM_CLI_TELEMETRY": "0"}
        env |= {"HOME": str(self._folder), "SAM_CLI_POLL_DELAY": "0.2"}
        log = self._folder / "deploy.log"
        try:
            log.write_text(sam_deploy(self.name, {**PARAMETERS, **parameters}, "--s3-bucket", CODE_BUCKET, env=env))
        except DeployError as error:
            log.write_text(str(error))
            raise CloudError(f"sam deploy failed, see {log}: {str(error).strip()[-300:]}") from None

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the template."""
        return outputs(self.client("cloudformation"), self.name)

    def secret(self, output: str) -> str:
        """The value of the secret that an output names."""
        return str(self.client("secretsmanager").get_secret_value(SecretId=self.outputs[output])["SecretString"])

    def redis_users(self) -> dict[str, str]:
        """ElastiCache's users: name → access string."""
        users = self.client("elasticache").describe_users()["Users"]
        return {user["UserName"]: user["AccessString"] for user in users if user["UserId"].startswith(f"{self.name}-")}

    def settings(self, function: str) -> dict[str, str]:
        """A function's environment variables."""
        found = self.client("lambda").get_function_configuration(FunctionName=f"{self.name}-{function}")
        return dict(found["Environment"]["Variables"])

    def change_settings(self, function: str, **changes: str) -> None:
        """Gives a function other environment variables."""
        variables = {**self.settings(function), **changes}
        self.client("lambda").update_function_configuration(
            FunctionName=f"{self.name}-{function}", Environment={"Variables": variables}
        )

    def functions(self) -> list[str]:
        """The functions of the template by their short names."""
        found = [each["FunctionName"] for each in self.client("lambda").list_functions()["Functions"]]
        return [name.removeprefix(f"{self.name}-") for name in found if name.startswith(f"{self.name}-")]
