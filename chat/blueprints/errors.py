"""Every error of the HTTP edge, mapped once: status, JSON, and what the log is told."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from chat import errors, http, names
from chat.blueprints.guard import address
from chat.blueprints.session import current
from chat.errors import ChatError
from chat.services.accounts.audit import refusals

CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type", 429: "rate_limited"}

NOTHING_HERE = (
    '<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">'
    '<meta name="viewport" content="width=device-width"><title>Parley</title>'
    '<main><h1>There is nothing here.</h1><p><a href="/">To the chat</a></p></main></html>\n'
)

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Installs the mapping."""
    app.register_error_handler(ChatError, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)


def refused(error: ChatError) -> ResponseReturnValue:
    """A refusal (chat.http.refusal)."""
    stored, rule = current().stored, request.url_rule
    who, where = stored.person.username if stored else None, (request.view_args or {}).get("room")
    door = f"{request.method} {rule.rule if rule else '?'}"
    refusals.note(error, door, user=who, address=address(), room=where and where[: names.ROOM_ID_CHARS])
    if error.code == "not_found" and _asked_by_a_person():
        return Response(NOTHING_HERE, error.status, mimetype="text/html")
    body, headers = http.refusal(error)
    response = jsonify(body)
    response.status_code = error.status
    response.headers.update(headers)
    return response


def http_error(error: HTTPException) -> ResponseReturnValue:
    """What Flask itself refuses, under our codes."""
    if error.code == 404:
        return refused(ChatError("not_found"))
    response = jsonify(error=ChatError(CODES.get(error.code or 500, "body_invalid")).to_dict())
    response.status_code = error.code or 500
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def unexpected(error: Exception) -> ResponseReturnValue:
    """A fault of ours."""
    return refused(errors.unexpected(log, error))


def _asked_by_a_person() -> bool:
    """Whether this is an address that somebody typed or followed: programs, ours included, take anything or JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
