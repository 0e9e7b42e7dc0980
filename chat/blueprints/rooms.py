"""`/api/rooms`: the list, making rooms, coming and going."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from chat.blueprints.guard import current_person, json_body, require_auth, services
from chat.wire.bodies import Leave, Move, MoveOther, NewRoom

bp = Blueprint("rooms", __name__, url_prefix="/api/rooms")


@bp.get("")
@require_auth()
def list_rooms() -> ResponseReturnValue:
    after = request.args.get("rooms_after"), request.args.get("joinable_after")
    return jsonify(services().overview.rooms(current_person(), *after))


@bp.post("")
@require_auth(act=True)
def create() -> ResponseReturnValue:
    body = json_body(NewRoom)
    room = services().memberships.create(current_person(), body.client_id, body.name, body.kind)
    return jsonify(room=room), 201


@bp.post("/<room>/join")
@require_auth(act=True)
def join(room: str) -> ResponseReturnValue:
    body = json_body(Move)
    return jsonify(room=services().memberships.join(current_person(), body.client_id, room))


@bp.post("/<room>/leave")
@require_auth(act=True)
def leave(room: str) -> ResponseReturnValue:
    body = json_body(Leave)
    services().memberships.leave(current_person(), body.client_id, room, body.successor)
    return "", 204


@bp.post("/<room>/invite")
@require_auth(act=True)
def invite(room: str) -> ResponseReturnValue:
    body = json_body(MoveOther)
    services().memberships.invite(current_person(), body.client_id, room, body.username)
    return "", 204


@bp.post("/<room>/remove")
@require_auth(act=True)
def remove(room: str) -> ResponseReturnValue:
    body = json_body(MoveOther)
    services().memberships.remove(current_person(), body.client_id, room, body.username)
    return "", 204


@bp.get("/<room>/members")
@require_auth()
def members(room: str) -> ResponseReturnValue:
    return jsonify(members=services().overview.members(current_person(), room))
