"""The doors to accounts: Flask, the functions called directly, and (with `PARLEY_API`) a real API Gateway by HTTP.

One suite knocks at each; what a door is asked and answers is the same.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask.testing import FlaskClient

PATHS = {"register": "POST", "login": "POST", "logout": "POST", "protected": "GET"}


@dataclass
class Cookie:
    """What a Set-Cookie header says (`http.cookies` knows no `Partitioned`)."""

    value: str
    attributes: dict[str, str]

    @classmethod
    def read(cls, header: str) -> tuple[str, Cookie]:
        """(name, cookie)"""
        pair, *rest = header.split("; ")
        name, _, value = pair.partition("=")
        attributes = {key.lower(): said or "yes" for key, _, said in (each.partition("=") for each in rest)}
        return name, cls(value, attributes)

    def __getitem__(self, attribute: str) -> str:
        """An attribute; empty when it is not there, `yes` when it has no value."""
        return self.attributes.get(attribute, "")


@dataclass
class Answer:
    """Header names in small letters, each with all its values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json["error"]["code"])

    @property
    def cookies(self) -> dict[str, Cookie]:
        return dict(Cookie.read(header) for header in self.headers.get("set-cookie", []))


class Door(Protocol):
    """Takes one request to accounts."""

    def ask(self, method: str, name: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """`name` is one of PATHS."""


@dataclass
class FlaskDoor:
    """`/api/auth/…` of the app."""

    client: FlaskClient

    def ask(self, method: str, name: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        answer = self.client.open(f"/api/auth/{name}", method=method, headers=dict(headers), data=content)
        found: dict[str, list[str]] = {}
        for key, value in answer.headers.items():
            found.setdefault(key.lower(), []).append(value)
        return Answer(answer.status_code, found, answer.data)


@dataclass
class FunctionDoor:
    """The handlers, with the events that API Gateway makes."""

    handlers: Mapping[str, Callable[[dict[str, Any], object], dict[str, Any]]]

    def ask(self, method: str, name: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        event = {
            "httpMethod": method,
            "path": f"/{name}",
            "headers": dict(headers),
            "multiValueHeaders": {key: [value] for key, value in headers.items()},
            "body": None if content is None else content.decode("utf-8", "surrogateescape"),
            "isBase64Encoded": False,
            "requestContext": {"identity": {"sourceIp": "127.0.0.1"}},
        }
        answer = self.handlers[name](event, None)
        found = {key.lower(): [value] for key, value in answer["headers"].items()}
        found |= {key.lower(): values for key, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], found, answer["body"].encode())


@dataclass
class HttpDoor:
    """A stage of API Gateway, at its address."""

    url: str

    def ask(self, method: str, name: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=30)
        try:
            connection.request(method, f"{parts.path.rstrip('/')}/{name}", content, dict(headers))
            answer = connection.getresponse()
            found: dict[str, list[str]] = {}
            for key, value in answer.getheaders():
                found.setdefault(key.lower(), []).append(value)
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@dataclass
class Browser:
    """Somebody at a door, with cookies of their own."""

    door: Door
    origin: str
    jar: dict[str, str] = field(default_factory=dict)

    def ask(
        self, name: str, body: object = None, method: str = "", raw: bytes | None = None, **headers: str | None
    ) -> Answer:
        """A header given as None is not sent; underscores in its name stand for dashes."""
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent: dict[str, str | None] = {"Origin": self.origin, "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}
        if content is not None:
            sent["Content-Type"] = "application/json"
        if self.jar:
            sent["Cookie"] = "; ".join(f"{key}={value}" for key, value in self.jar.items())
        sent |= {key.replace("_", "-"): value for key, value in headers.items()}
        said = {key: value for key, value in sent.items() if value is not None}
        answer = self.door.ask(method or PATHS[name], name, said, content)
        for key, cookie in answer.cookies.items():
            if cookie["max-age"] == "0":
                self.jar.pop(key, None)
            else:
                self.jar[key] = cookie.value
        return answer

    def register(self, username: str = "alice", password: str = "correct horse") -> Answer:
        return self.ask("register", {"username": username, "password": password})

    def login(self, username: str = "alice", password: str = "correct horse") -> Answer:
        return self.ask("login", {"username": username, "password": password})

    def enter(self, username: str = "alice") -> str:
        """Registers and signs in; returns the session's id."""
        assert self.register(username).status == 201
        assert self.login(username).status == 200
        return self.jar["parley"]
