"""`/api/auth`: registering, signing in and out, who I am, and where else I am signed in."""

from __future__ import annotations

import logging
from dataclasses import replace

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from chat.blueprints.guard import address, json_body, require_auth, services
from chat.blueprints.session import begin, current, finish, renew
from chat.errors import misdirected
from chat.http import described
from chat.services.accounts import cookies
from chat.wire.bodies import Login, NewPassword, Register, Ticket

log = logging.getLogger(__name__)
bp = Blueprint("auth", __name__, url_prefix="/api/auth")


@bp.post("/register")
def register() -> ResponseReturnValue:
    body = json_body(Register)
    user = services().registration.register(body.username, body.password, address())
    return jsonify(user=user.public()), 201


@bp.post("/login")
def login() -> ResponseReturnValue:
    body = json_body(Login)
    former = current().stored
    accounts = services().accounts
    browser = cookies.value(request.headers.get("Cookie", ""), cookies.browser_name(services().config))
    agent, remember = request.user_agent.string, bool(body.remember)
    session = accounts.login(body.username, body.password, address(), agent, browser, remember)
    if former is not None:
        accounts.replace(former.sid)
    begin(session, accounts.known_browser(session))
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
    across = services().config.cookie_mode == "cross_site"
    ticket = {"ticket": services().tickets.issue(g.session)} if across else {}
    return jsonify(described(g.session) | ticket)


@bp.post("/ticket")
def ticket() -> ResponseReturnValue:
    body = json_body(Ticket)
    if request.headers.get("Origin") not in services().config.origins:  # refused without one too: it signs somebody in
        raise misdirected(log, "Origin", request.headers.get("Origin"), services().config.public_url)
    session = services().tickets.redeem(body.ticket, address())
    former = current().stored
    if former is not None and former.sid != session.sid:
        services().accounts.replace(former.sid)
    begin(session)
    return jsonify(described(session))


@bp.post("/stay")
@require_auth()
def stay() -> ResponseReturnValue:
    session = g.session
    expires_at = services().sessions.slide(session)
    return jsonify(described(replace(session, expires_at=expires_at)))


@bp.get("/sessions")
@require_auth()
def sessions() -> ResponseReturnValue:
    mine = services().accounts.sessions(g.session)
    return jsonify(
        sessions=[
            {
                "id": each.public_id,
                "current": each.sid == g.session.sid,
                "device": each.device,
                "began_at": each.iat,
                "expires_at": each.expires_at,
                "kept": each.kept,
            }
            for each in mine
        ]
    )


@bp.delete("/sessions/<public_id>")
@require_auth()
def end_session(public_id: str) -> ResponseReturnValue:
    services().accounts.end_session(g.session, public_id, address())
    if public_id == g.session.public_id:
        finish()
    return "", 204


@bp.delete("/sessions")
@require_auth()
def end_sessions() -> ResponseReturnValue:
    services().accounts.end_sessions(g.session, address())
    finish()
    return "", 204


@bp.post("/password")
@require_auth(act=True)
def change_password() -> ResponseReturnValue:
    body = json_body(NewPassword)
    accounts = services().accounts
    session = accounts.change_password(g.session, body.password, body.new_password, address())
    renew(accounts.known_browser(session))
    return jsonify(described(g.session))
