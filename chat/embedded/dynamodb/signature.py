"""Checks that a request was signed with our key: AWS Signature Version 4.

Source: the AWS General Reference, "Create a signed AWS API request".
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
import os
import re
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from chat.embedded.dynamodb.errors import ApiError

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
MAX_SKEW_S = 15 * 60


def credentials(path: Path) -> tuple[str, str]:
    """(access key, secret key) of an AWS credentials file; made with random keys, for its owner only, when missing."""
    if not path.exists():
        access, secret = "PARLEY" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30)
        text = f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n"
        unfinished = path.with_name(path.name + ".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    parser = configparser.RawConfigParser()
    parser.read(path)
    return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]


class Verifier:
    """Knows one key pair."""

    def __init__(self, access_key: str, secret_key: str):
        self._access_key = access_key
        self._secret_key = secret_key
        self._keys: dict[tuple[str, str, str], bytes] = {}

    def check(self, headers: dict[str, str], body: bytes) -> None:
        """Raises: ApiError unless the request was signed with our key within the last 15 minutes."""
        authorization = headers.get("authorization")
        if not authorization:
            raise ApiError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        match = AUTHORIZATION.fullmatch(authorization)
        if match is None:
            raise ApiError("IncompleteSignatureException", "Authorization header cannot be read")
        access, date, region, service, signed, signature = match.groups()
        if not hmac.compare_digest(access.encode(), self._access_key.encode()):
            raise ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
        at = headers.get("x-amz-date", "")
        self._check_time(at, date)
        scope = f"{date}/{region}/{service}/aws4_request"
        names = signed.split(";")
        canonical = "\n".join(
            [
                "POST",
                "/",
                "",
                *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
                "",
                signed,
                hashlib.sha256(body).hexdigest(),
            ]
        )
        to_sign = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        expected = hmac.new(self._key(date, region, service), to_sign.encode(), hashlib.sha256).hexdigest()
        if "host" not in names or not hmac.compare_digest(expected, signature):
            raise ApiError(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                "Access Key and signing method.",
            )

    @staticmethod
    def _check_time(at: str, date: str) -> None:
        try:
            signed_at = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise ApiError("IncompleteSignatureException", "X-Amz-Date cannot be read") from None
        if abs(signed_at - time.time()) > MAX_SKEW_S or not at.startswith(date):
            raise ApiError("InvalidSignatureException", f"Signature expired: {at} is more than 15 minutes off")

    def _key(self, date: str, region: str, service: str) -> bytes:
        key = self._keys.get((date, region, service))
        if key is None:
            key = f"AWS4{self._secret_key}".encode()
            for part in (date, region, service, "aws4_request"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            self._keys = {(date, region, service): key} if len(self._keys) > 8 else self._keys
            self._keys[date, region, service] = key
        return key
