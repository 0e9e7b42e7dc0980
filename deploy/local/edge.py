"""`.venv-serverless/bin/python deploy/local/edge.py PORT STACK`: API Gateway's REST edge at http://127.0.0.1:PORT.

Routes, CORS and the events that functions get are SAM CLI's, read from deploy/template.yaml; behind it stand the
functions deployed to the local AWS at AWS_ENDPOINT_URL, each under its role. That AWS has an API Gateway of its own,
but it answers the question that browsers ask first (OPTIONS) without CORS. What neither has: CORS on the gateway's own
refusals, and throttling as AWS counts it.
"""

import sys
from contextlib import suppress
from copy import copy
from pathlib import Path

import boto3
from botocore.config import Config
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Cors
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw.local_apigw_service import LocalApigwService
from samcli.local.docker.exceptions import ProcessSigTermException

TEMPLATE = Path(__file__).resolve().parents[1] / "template.yaml"


class Deployed:
    """Runs functions where they are deployed; what SAM CLI asks of whoever runs functions."""

    def __init__(self, stack: str):
        self._stack = stack
        self._client = boto3.client("lambda", config=Config(read_timeout=70, retries={"max_attempts": 0}))

    def is_debugging(self) -> bool:
        return False

    def invoke(self, function: str, event: str, stdout: object = None, stderr: object = None, **_: object) -> None:
        name = function.removesuffix("Function").lower()
        answer = self._client.invoke(FunctionName=f"{self._stack}-{name}", Payload=event)
        stdout.write_str(answer["Payload"].read().decode())  # type: ignore[attr-defined]


def main(port: int, stack: str, parameters: dict[str, str]) -> None:
    stacks, _ = SamLocalStackProvider.get_stacks(str(TEMPLATE), parameter_overrides=parameters)
    service = LocalApigwService(
        ApiProvider(stacks, cwd=str(TEMPLATE.parent)).api, Deployed(stack), static_dir=None, port=port, host="127.0.0.1"
    )
    service.create()
    _leave_answers_alone(service)
    with suppress(ProcessSigTermException):
        service.run()


def _leave_answers_alone(service: LocalApigwService) -> None:
    """SAM CLI adds CORS to what functions answer; a gateway that passes answers through (AWS_PROXY) does not."""
    for key, route in service._dict_of_routes.items():
        if not key.endswith(":OPTIONS"):
            route = copy(route)
            route.cors = Cors()
            service._dict_of_routes[key] = route


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], dict(argument.split("=", 1) for argument in sys.argv[3:]))
