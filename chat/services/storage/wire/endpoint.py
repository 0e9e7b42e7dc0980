"""An endpoint of DynamoDB, asked without botocore's machinery for the few requests that people wait for.

botocore spends a millisecond of CPU on a request, nearly all of it on rules that are the same for each: that is more
than everything else that a message costs. Here the request is signed and sent as it is (docs/performance.md). boto3
keeps what must not be written twice: credentials and their renewal, region and address, the retry quota, and every
request that is not in OPERATIONS.

Signing: AWS Signature Version 4, IAM User Guide, "Create a signed AWS API request". Retries: as botocore's mode
`standard` has them, three attempts.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import secrets
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config as BotoConfig
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.httpsession import where
from botocore.retries.quota import RetryQuota
from botocore.utils import get_environ_proxies

from chat.services.runtime import jsons
from chat.services.runtime.budget import LEAST_S, left_s
from chat.services.storage.wire.http1 import Connection, Damaged, Response

OPERATIONS = {
    "batch_get_item": "BatchGetItem",
    "delete_item": "DeleteItem",
    "get_item": "GetItem",
    "get_records": "GetRecords",
    "put_item": "PutItem",
    "query": "Query",
    "transact_write_items": "TransactWriteItems",
    "update_item": "UpdateItem",
}
CONTENT_TYPE = "application/x-amz-json-1.0"
SIGNED = "content-type;host;x-amz-date;x-amz-target"
ATTEMPTS = 3
RETRY_COST, TIMEOUT_COST = 5, 10  # of a quota of 500, given back by what succeeds: who is down is not hammered
THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
PASSING = (500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the request's id for AWS's support, and the body."""

    status: int
    request_id: str
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """The error's code without its namespace; empty when there is none."""
        return str(self.body.get("__type", "")).rpartition("#")[2]

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed now."""
        return self.status in PASSING or self.code in THROTTLED


def connect(region: str, url: str | None, max_connections: int, service: str = "dynamodb") -> Any:
    """A client of DynamoDB there, or of AWS, or of `dynamodbstreams`; credentials as boto3 finds them. Through a proxy
    it is boto3's own."""
    settings = botocore.session.get_session()
    session = boto3.session.Session(botocore_session=settings)
    client = session.client(
        service,
        region_name=region,
        endpoint_url=url,
        config=BotoConfig(
            connect_timeout=1,
            read_timeout=2,
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
            max_pool_connections=max_connections,
        ),
    )
    address = client.meta.endpoint_url
    if urlsplit(address).scheme in get_environ_proxies(address):
        return client
    return Endpoint(client, session.get_credentials(), settings.get_config_variable("ca_bundle"))


class Endpoint:
    """Takes the place of boto3's client: the same methods, arguments, answers and errors."""

    def __init__(self, client: Any, credentials: Credentials | None, ca_bundle: str | None = None):
        url = urlsplit(client.meta.endpoint_url)
        settings = client.meta.config
        self._client = client
        self._target: str = client.meta.service_model.metadata["targetPrefix"]
        self._credentials = credentials
        self._region = client.meta.region_name
        self._url = client.meta.endpoint_url
        self._host = url.netloc
        self._address = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        self._connect_s: float = settings.connect_timeout
        self._read_s: float = settings.read_timeout
        self._tls = ssl.create_default_context(cafile=ca_bundle or where()) if url.scheme == "https" else None
        self._idle: list[Connection] = []
        self._quota = RetryQuota()
        self._key: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def __getattr__(self, name: str) -> Any:
        if name in OPERATIONS:
            method: Callable[..., dict[str, Any]] = partial(self._request, OPERATIONS[name])
            self.__dict__[name] = method
            return method
        return getattr(self._client, name)

    def _request(self, operation: str, **request: Any) -> dict[str, Any]:
        """Raises: as boto3 does, ClientError for what is refused, BotoCoreError for what got no answer."""
        if operation == "TransactWriteItems":
            request.setdefault("ClientRequestToken", secrets.token_hex(16))  # tried again, it is carried out once
        body = jsons.encode(request)
        cost = 0
        for attempt in range(ATTEMPTS):
            pause_s, left = random.random() * 2**attempt, left_s()
            last = attempt == ATTEMPTS - 1 or (left is not None and left < pause_s + LEAST_S)
            try:
                answer = self._exchange(operation, body)
            except (OSError, Damaged) as error:
                timed_out = isinstance(error, TimeoutError)
                cost = TIMEOUT_COST if timed_out else RETRY_COST
                if last or not self._quota.acquire(cost):
                    kind = ReadTimeoutError if timed_out else EndpointConnectionError
                    raise kind(endpoint_url=self._url, error=error) from error
            else:
                if answer.status == 200:
                    self._quota.release(cost or 1)
                    return answer.body
                cost = RETRY_COST
                if last or not answer.passing or not self._quota.acquire(cost):
                    raise ClientError(_error(answer), operation)
            time.sleep(pause_s)
        raise AssertionError

    def _exchange(self, operation: str, body: bytes) -> Answer:
        """One request and its answer. A kept connection that was closed meanwhile is no failure: another is opened."""
        while True:
            kept = bool(self._idle)
            connection = self._idle.pop() if kept else self._connection()
            if (left := left_s()) is not None:
                connection.wait_at_most(min(self._read_s, max(left, LEAST_S)))
            try:
                response = connection.post(self._signed(operation, body), body)
            except (ConnectionResetError, BrokenPipeError):
                connection.close()
                if not kept:
                    raise
                continue
            except BaseException:
                connection.close()  # its answer may come yet, and must not be taken for another's
                raise
            if connection.reusable:
                self._idle.append(connection)
            else:
                connection.close()
            return _answer(response)

    def _connection(self) -> Connection:
        return Connection(*self._address, self._connect_s, self._read_s, self._tls)

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        if self._credentials is None:
            raise NoCredentialsError
        credentials = self._credentials.get_frozen_credentials()
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target, token = f"{self._target}.{operation}", credentials.token
        signed = f"{SIGNED.replace(';x-amz-target', ';x-amz-security-token;x-amz-target')}" if token else SIGNED
        lines = f"content-type:{CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{at}\n"
        lines += f"x-amz-security-token:{token}\n" if token else ""
        canonical = f"POST\n/\n\n{lines}x-amz-target:{target}\n\n{signed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{at[:8]}/{self._region}/dynamodb/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._signing_key(credentials.secret_key, at[:8]), to_sign).hex()
        headers = {
            "Host": self._host,
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Date": at,
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}",
        }
        return headers | {"X-Amz-Security-Token": token} if token else headers

    def _signing_key(self, secret: str, day: str) -> bytes:
        made_of, key = self._key
        if made_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, "dynamodb", "aws4_request"):
                key = _hmac(key, part)
            self._key = (secret, day), key
        return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _answer(response: Response) -> Answer:
    """Raises: Damaged for a body that is not what the server summed up, or no JSON."""
    summed = response.fields.get("x-amz-crc32")
    try:
        if summed is not None and int(summed) != zlib.crc32(response.body):
            raise Damaged("the answer was damaged on its way")
        body = jsons.decode(response.body) if response.body else {}
    except ValueError as error:
        if response.status == 200:
            raise Damaged("the answer is no JSON") from error
        body = {}  # from a proxy or a load balancer, with a status that says enough
    return Answer(response.status, response.fields.get("x-amzn-requestid", ""), body)


def _error(answer: Answer) -> dict[str, Any]:
    """As boto3 puts it: `Error`, `ResponseMetadata`, and what else the answer says (`Item`, `CancellationReasons`)."""
    code = answer.code or str(answer.status)
    message = answer.body.get("message") or answer.body.get("Message") or ""
    rest = {name: value for name, value in answer.body.items() if name not in ("__type", "message", "Message")}
    metadata = {"RequestId": answer.request_id, "HTTPStatusCode": answer.status}
    return {**rest, "Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
