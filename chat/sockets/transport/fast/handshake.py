"""The request that opens a websocket, read without gunicorn's parser when it is of the usual form.

Reconnecting is what everybody does at once, and a parser, a response and two WSGI environs are most of what it costs.
What is not of the usual form, or is to be refused, is left to gunicorn untouched: this reader is stricter in all it
takes, and after what it takes the connection speaks no HTTP any more.
"""

from __future__ import annotations

import re
from _socket import socket as RawSocket
from typing import Any

from flask import Flask
from gevent.socket import socket

from chat.errors import ChatError

BEGINS = b"GET /socket.io/?"
MAX_FIELDS = 64
LINE = re.compile(rb"GET /socket\.io/\?([A-Za-z0-9=&._~-]+) HTTP/1\.1")
FIELD = re.compile(rb"([A-Za-z0-9-]+): ?([!-~](?:[ -~]*[!-~])?)")
UNUSUAL = {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_TRAILER"}
KEPT = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR")
COMMON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/socket.io/",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def take_handshake(app: Flask, client: socket, data: bytes, address: Any) -> bool:
    """Makes a client a socket of the app if `data`, which it has said and nobody has taken, asks for that in the usual
    form, and it may be one; else nothing has happened, and False. Raises: OSError when it has gone."""
    environ = environ_of(data, address)
    if environ is None:
        return False
    try:
        slot = app.wsgi_app.admit(environ)  # type: ignore[attr-defined]  # Admission
    except ChatError:
        return False
    kept = {name: environ[name] for name in KEPT if name in environ}
    client.recv(data.index(b"\r\n\r\n") + 4)
    kept |= COMMON | {"QUERY_STRING": environ["QUERY_STRING"], "REMOTE_ADDR": environ["REMOTE_ADDR"]}
    kept |= {"flask.app": app, "parley.slot": slot, "parley.accept": environ["parley.accept"]}
    app.extensions["socketio"].server.eio.accept(kept, RawSocket(fileno=client.detach()))
    return True


def environ_of(data: bytes, address: Any) -> dict[str, Any] | None:
    """What WSGI would say of the request that the bytes begin with; None when it is not of the usual form."""
    if not data.startswith(BEGINS):
        return None
    head, end, _ = data.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    line = LINE.fullmatch(first)
    if not end or line is None or len(fields) > MAX_FIELDS:
        return None
    environ: dict[str, Any] = {"QUERY_STRING": line[1].decode(), "REMOTE_ADDR": ""}
    if isinstance(address, tuple):
        environ["REMOTE_ADDR"] = address[0]
    for text in fields:
        field = FIELD.fullmatch(text)
        if field is None:
            return None
        name = "HTTP_" + field[1].decode().upper().replace("-", "_")
        if name in environ or name in UNUSUAL:
            return None
        environ[name] = field[2].decode()
    return environ | {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1"}
