"""The errors a person or a client can meet, each with a stable code and a plain sentence.

Services raise them; every edge maps them once (`chat/blueprints/errors.py`, `chat/sockets/`, `chat/lambdas/http.py`).
`docs/protocol.md` lists the codes; a test keeps the two in step.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One code: its HTTP status, its sentence, and whether the same request may succeed later."""

    status: int
    message: str
    retry: bool = False


KINDS: dict[str, Kind] = {
    "unauthenticated": Kind(401, "Please sign in."),
    "bad_credentials": Kind(401, "That name and password do not match."),
    "user_mismatch": Kind(409, "You are signed in as somebody else in this browser now. Reload the page."),
    "username_taken": Kind(409, "That name is taken. Please choose another."),
    "username_invalid": Kind(
        400, "A name has 2 to 32 letters or digits; dots, dashes and underscores may stand between them."
    ),
    "password_length": Kind(400, "A password has at least 8 characters and at most 72 bytes."),
    "password_common": Kind(400, "That password is easy to guess. Please choose another."),
    "remember_refused": Kind(403, "This chat keeps nobody signed in. Take the tick away and sign in."),
    "ticket_invalid": Kind(403, "This sign-in could not be taken over. Please try again."),
    "password_wrong": Kind(403, "That is not your password."),
    "session_not_found": Kind(404, "That device is not signed in any more."),
    "body_invalid": Kind(400, "The request was not understood."),
    "origin_refused": Kind(403, "This site may not do that."),
    "rate_limited": Kind(429, "Too many attempts. Please wait a little.", retry=True),
    "busy": Kind(503, "The server is busy. Please try again in a moment.", retry=True),
    "unavailable": Kind(503, "The chat cannot reach its storage right now. Please try again.", retry=True),
    "room_not_found": Kind(404, "There is no such room, or you are not in it."),
    "room_name_invalid": Kind(400, "A room's name has 2 to 48 letters, digits, spaces or dashes."),
    "room_name_taken": Kind(409, "There is already a room with that name."),
    "too_many_rooms": Kind(409, "That is one room more than a person may make, or be in."),
    "room_required": Kind(409, "Everyone is in this room; it cannot be left."),
    "user_not_found": Kind(404, "There is nobody with that name."),
    "not_room_owner": Kind(403, "Only the owner of this room can do that."),
    "message_not_found": Kind(404, "That message does not exist."),
    "message_deleted": Kind(409, "That message was deleted."),
    "reply_not_found": Kind(404, "The message that this answers does not exist."),
    "not_author": Kind(403, "Only its author can change a message."),
    "text_empty": Kind(400, "A message cannot be empty."),
    "text_too_long": Kind(400, "A message has at most 4,000 characters."),
    "emoji_invalid": Kind(400, "A reaction is one emoji."),
    "reactions_full": Kind(409, "This message has as many reactions as it can hold."),
    "client_id_invalid": Kind(400, "The request carries no usable client id."),
    "client_id_reused": Kind(409, "This was already sent with another content."),
    "cursor_invalid": Kind(400, "That place in the room does not exist."),
    "expired": Kind(410, "These messages are older than this chat keeps."),
    "unknown_event": Kind(400, "The server does not know this request."),
    "not_found": Kind(404, "There is nothing here."),
    "method_not_allowed": Kind(405, "That is not possible here."),
    "too_large": Kind(413, "That is too large."),
    "media_type": Kind(415, "The server takes JSON only."),
    "internal": Kind(500, "Something went wrong on the server.", retry=True),
}


class ChatError(Exception):
    """A refusal with a stable `code` from KINDS. `retry_after_s` where the server knows when to come back."""

    def __init__(self, code: str, message: str | None = None, retry_after_s: int | None = None):
        kind = KINDS[code]
        super().__init__(message or kind.message)
        self.code = code
        self.message = message or kind.message
        self.status = kind.status
        self.retry = kind.retry
        self.retry_after_s = retry_after_s

    def to_dict(self) -> dict[str, object]:
        """`{code, message, retry}`, and `retry_after_s` where known: the `error` of every door."""
        body: dict[str, object] = {"code": self.code, "message": self.message, "retry": self.retry}
        if self.retry_after_s is not None:
            body["retry_after_s"] = self.retry_after_s
        return body


def unexpected(log: logging.Logger, error: BaseException, during: str = "") -> ChatError:
    """A fault of ours, as people are told of it: logged under an id that they can quote, and nothing else given away.
    `during` is what was asked, as the one who asks named it."""
    incident = secrets.token_hex(4)
    log.error("unexpected error%s, incident %s", f" in {during:.40}" if during else "", incident, exc_info=error)
    return ChatError("internal", f"Something went wrong on the server (incident {incident}).")


_said_at: deque[float] = deque(maxlen=10)  # when the log was told of a request that went astray


def misdirected(
    log: logging.Logger, header: str, got: str | None, right: str, code: str = "origin_refused"
) -> ChatError:
    """The refusal of a request under another Host, or from another Origin, than ours: it names the address to use. The
    log gets both, in ten lines a minute at most: anybody may write anything there."""
    now = time.monotonic()
    if len(_said_at) < 10 or now - _said_at[0] > 60:
        _said_at.append(now)
        told = "refused: %s is %.200s, and this chat is used at %s (PUBLIC_URL); a proxy passes Host and Origin on"
        log.warning(told, header, "missing" if got is None else ascii(got), right)
    return ChatError(code, f"This chat does not answer here. Please open it at {right} instead.")


class ConfigError(Exception):
    """Settings that are missing or unsafe. `problems` names them all, one plain sentence each."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems
