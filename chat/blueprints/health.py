"""`/healthz` and `/readyz`: for load balancers and for `make run`."""

from __future__ import annotations

import gevent
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis import Redis

from chat.blueprints.guard import services
from chat.errors import ChatError
from chat.services.dynamodb import Storage
from chat.services.redis import answering

bp = Blueprint("health", __name__)
WITHIN_S = 1.8


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(ok=True)


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    found = services()
    checks = {"redis": gevent.spawn(_redis_answers, found.redis), "dynamodb": gevent.spawn(_answers, found.storage)}
    gevent.joinall(list(checks.values()), timeout=WITHIN_S)
    answers = {name: bool(check.value) for name, check in checks.items()}
    gevent.killall(list(checks.values()), block=False)
    return jsonify(answers), 200 if all(answers.values()) else 503


def _redis_answers(redis: Redis) -> bool:
    try:
        with answering():
            return bool(redis.ping())
    except ChatError:
        return False


def _answers(storage: Storage) -> bool:
    try:
        storage.ping()
    except ChatError:
        return False
    return True
