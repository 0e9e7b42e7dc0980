"""`/api/rooms/<room>/messages`: history in pages, and sending without a socket."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from chat.blueprints.guard import current_person, json_body, require_auth, services
from chat.errors import ChatError
from chat.models import MAX_SEQ
from chat.services.messages.writing import acked
from chat.wire.bodies import Say

bp = Blueprint("messages", __name__, url_prefix="/api/rooms/<room>/messages")


@bp.get("")
@require_auth()
def page(room: str) -> ResponseReturnValue:
    limit = _number("limit")
    found = services().history.page(
        current_person(),
        room,
        limit=50 if limit is None else limit,
        before=_number("before"),
        after=_number("after"),
        around=_number("around"),
        sparse=request.args.get("sparse") == "1",
    )
    return jsonify(found.to_dict())


@bp.post("")
@require_auth(act=True)
def send(room: str) -> ResponseReturnValue:
    body = json_body(Say)
    answer = services().messages.send(current_person(), room, body.client_id, body.text, reply_to=body.reply_to)
    return jsonify(acked(answer)), 201


def _number(name: str) -> int | None:
    """A number of the query string, None when absent. Raises: ChatError `cursor_invalid`."""
    raw = request.args.get(name)
    if raw is None:
        return None
    if not (raw.isascii() and raw.isdigit()) or len(raw) > 12 or int(raw) > MAX_SEQ:
        raise ChatError("cursor_invalid")
    return int(raw)
