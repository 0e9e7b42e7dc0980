"""How an object of JSON becomes what a door takes, or is refused with the code of its first field that is wrong."""

from __future__ import annotations

import json
from typing import Any, TypeVar, get_args

from msgspec import Struct, ValidationError, convert, structs

from chat.config import MAX_BODY_BYTES
from chat.depth import too_deep
from chat.errors import ChatError

# The second is what msgspec says of half a character where it wants something else than text.
WRONG = (ValidationError, UnicodeEncodeError)
T = TypeVar("T", bound=Struct)


def read(kind: type[T], given: dict[str, Any]) -> T:
    """Each field of exactly its type, and no half characters in what is read. Raises: ChatError with the code of the
    first that is not: `body_invalid`, where the field names no other."""
    try:
        found = convert(given, kind)
    except WRONG:
        raise ChatError(_code(kind, given)) from None
    for value in structs.astuple(found):
        if type(value) is str and not value.isascii() and not _is_text(value):
            raise ChatError("body_invalid")
    return found


def read_json(kind: type[T], content_type: str, content: bytes) -> T:
    """A JSON body, decoded strictly: no name stands twice, no NaN, nothing too deep, no half characters in its fields.

    Raises: ChatError `too_large`, `media_type`, and those of `read`.
    """
    if len(content) > MAX_BODY_BYTES:
        raise ChatError("too_large")
    if content_type not in ("", "application/json"):
        raise ChatError("media_type")
    try:
        # msgspec's decoder would take the last of two fields of one name.
        body = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ChatError("body_invalid") from None
    if not isinstance(body, dict) or too_deep(body, content.count(b"[") + content.count(b"{")):
        raise ChatError("body_invalid")
    return read(kind, body)


def _code(kind: type[Struct], given: dict[str, Any]) -> str:
    for each in structs.fields(kind):
        if each.encode_name not in given:
            if each.required:
                return _code_of(each.type, None)
            continue
        try:
            convert(given[each.encode_name], each.type)
        except WRONG:
            return _code_of(each.type, given[each.encode_name])
    return "body_invalid"


def _code_of(annotation: Any, value: object) -> str:
    """What a field's type says that is wrong then: `code` whatever it is, `range` only for a number."""
    for part in (annotation, *get_args(annotation)):
        for meta in getattr(part, "__metadata__", ()):
            extra = meta.extra or {}
            code = extra.get("code") or (extra.get("range") if type(value) is int else None)
            if code is not None:
                return str(code)
    return "body_invalid"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
