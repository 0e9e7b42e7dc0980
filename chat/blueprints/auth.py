"""`/api/auth`: registering, signing in and out, and who I am."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from chat.blueprints.guard import address, json_body, require_auth, services
from chat.blueprints.session import begin, current, finish
from chat.services.sessions import Session

bp = Blueprint("auth", __name__, url_prefix="/api/auth")


@bp.post("/register")
def register() -> ResponseReturnValue:
    body = json_body(username=str, password=str)
    user = services().accounts.register(body["username"], body["password"], address())
    return jsonify(user=user.public()), 201


@bp.post("/login")
def login() -> ResponseReturnValue:
    body = json_body(username=str, password=str)
    former = current().stored
    session = services().accounts.login(body["username"], body["password"], address())
    if former is not None:
        services().sessions.end(former.sid)
    begin(session)
    return jsonify(described(session))


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    session = current()
    if session.failure is not None:
        raise session.failure
    services().accounts.logout(session.stored, address())
    finish()
    return "", 204


@bp.get("/protected")
@require_auth()
def protected() -> ResponseReturnValue:
    return jsonify(described(g.session))


@bp.post("/stay")
@require_auth()
def stay() -> ResponseReturnValue:
    session = g.session
    expires_at = services().sessions.slide(session.sid, session.iat)
    return jsonify(described(replace(session, expires_at=expires_at)))


def described(session: Session) -> dict[str, object]:
    """`{user, session: {expires_at}}`"""
    person = session.person
    return {
        "user": {"username": person.username, "name": person.name},
        "session": {"expires_at": session.expires_at},
    }
