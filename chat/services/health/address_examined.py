"""Whether people find the chat where the settings say: asked there as their browser does."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from collections.abc import Collection, Iterator
from urllib.parse import SplitResult, urlsplit

from chat.config import Config
from chat.services.health.findings import Finding
from chat.urls import LOOPBACK

ANSWERS_WITHIN_S = 3.0
SOCKET = "/socket.io/?EIO=4&transport=websocket"
SERVED = "the chat is served at PUBLIC_URL"
PASSED_ON = "websockets come through"


def examine_address(config: Config, served: Collection[str] | None) -> Iterator[Finding]:
    """`served` is where the workers that live answer by their own word: nowhere when none does, None when that is not
    known. Without any there is nothing to ask."""
    named = {url for url in served or () if url}
    if not served:
        return
    ours = config.public_url.rstrip("/")
    if named and ours not in {url.rstrip("/") for url in named}:
        why = f"the chat that runs answers to {', '.join(sorted(named))}, and these settings say {ours}"
        yield Finding(SERVED, False, why, "give tasks the settings of the server: PUBLIC_URL, or PORT")
        return
    url = urlsplit(ours)
    try:
        status, body = _asked(url, "/healthz", {})
    except (OSError, http.client.HTTPException) as error:
        why = f"from this machine nobody answers at {ours}: {error or type(error).__name__}"
        yield Finding(SERVED, url.hostname not in LOOPBACK, why, "look at the proxy, the name and the certificate")
        return
    if status != 200 or body != {"ok": True}:
        why = f"something else answers at {ours} (status {status})"
        yield Finding(SERVED, False, why, "look where the proxy leads, and whether PUBLIC_URL is right")
        return
    yield Finding(SERVED, True)
    yield _websocket(url, ours)


def _websocket(url: SplitResult, ours: str) -> Finding:
    """Asks for one as the page does, and closes it."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    do = "let the proxy pass Host, Origin and the websocket upgrade on: deploy/Caddyfile and deploy/nginx.conf do"
    try:
        status, body = _asked(url, SOCKET, headers | {"Origin": ours})
    except (OSError, http.client.HTTPException) as error:
        return Finding(PASSED_ON, False, f"no answer: {error or type(error).__name__}", do)
    if status == 101 or status == 503:  # 503: there is no place just now, and it has come through
        return Finding(PASSED_ON, True)
    told = body.get("error") if isinstance(body, dict) else None
    why = told.get("message") if isinstance(told, dict) else None
    return Finding(PASSED_ON, False, f"refused with status {status}{f': {why}' if why else ''}", do)


def _asked(url: SplitResult, path: str, headers: dict[str, str]) -> tuple[int, object]:
    """The status, and the body if it is JSON. Raises: OSError, HTTPException."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", path, headers={"Host": url.netloc, **headers})
        answer = connection.getresponse()
        if answer.status == 101:
            return 101, None
        try:
            return answer.status, json.loads(answer.read(65_536))
        except ValueError:
            return answer.status, None
    finally:
        connection.close()
