"""`/healthz` and `/readyz`: for load balancers and for `make run`."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from chat.blueprints.guard import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(ok=True)


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    engine = current_app.extensions["socketio"].server.eio
    readiness = services().readiness
    answers = readiness.check() | {"sockets": not (engine.draining or engine.deaf)}
    if readiness.gave_up:
        answers["background"] = False
    details = {"stream": False} if readiness.stands_still else {}
    return jsonify(answers | details), 200 if all(answers.values()) else 503
