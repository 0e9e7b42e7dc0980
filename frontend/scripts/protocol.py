"""Writes the page's types from the server's: `python -m frontend.scripts.protocol` (or --check).

The values and events of chat/wire, and the two tables of chat/sockets/protocol.py, become src/types/protocol.ts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct, UnsetType, structs

from chat.sockets.protocol import EVENTS, REQUESTS
from chat.wire import events, requests, values

PATH = Path(__file__).resolve().parents[1] / "src" / "types" / "protocol.ts"
PRIMITIVES = {str: "string", int: "number", float: "number", bool: "boolean"}
NAMED = (values.__name__, events.__name__)  # these have names at the page too; those of requests are written out
HEAD = """\
/** The values of docs/protocol.md, as the server sends them. Made by frontend/scripts/protocol.py from chat/wire and
 * chat/sockets/protocol.py: what is to be different here, change there. */
"""
ASK = """\
/** Asks the server by socket. Rejects with a Failure. */
export type Ask = <E extends keyof ClientEvents>(event: E, payload: ClientEvents[E][0]) => Promise<ClientEvents[E][1]>;
"""
BY_ROOM = "// eslint-disable-next-line no-restricted-syntax -- as it is sent\n"


def page_types() -> str:
    """What stands in the page's file."""
    seen: set[str] = set()
    parts = [HEAD, *declared(values, seen), *declared(events, seen)]
    told = [f"  {key(name)}: {typed(event.payload)};" for name, event in EVENTS.items()]
    parts.append(
        comment("What the server tells on its own; the name of each event and its payload.")
        + block("export interface ServerEvents", told)
    )
    parts += declared(requests, seen)
    asked = [f"  {key(name)}: [{typed(each.payload)}, {typed(each.answer)}];" for name, each in REQUESTS.items()]
    parts.append(
        comment("What a client may ask by socket: payload and the answer beside `ok`.")
        + block("export interface ClientEvents", asked)
    )
    return "\n".join([*parts, ASK])


def declared(module: ModuleType, seen: set[str]) -> Iterator[str]:
    """The types of that module that have a name at the page and were not seen before, in its order."""
    for value in vars(module).values():
        meta = title(value)
        if meta is not None:
            if meta.title not in seen:
                yield alias(value, meta)
            seen.add(str(meta.title))
        elif has_a_name(value) and value.__module__ == module.__name__:
            yield interface(value)


def has_a_name(kind: Any) -> bool:
    """Whether it is an object with a name at the page."""
    of_ours = isinstance(kind, type) and issubclass(kind, Struct) and kind.__module__ in NAMED
    return of_ours and bool(structs.fields(kind))


def alias(value: Any, meta: Meta) -> str:
    """`export type …`"""
    plain = typed(get_args(value)[0])
    before = BY_ROOM if plain.startswith("Record<string,") else ""
    return f"{comment(meta.description)}{before}export type {meta.title} = {plain};\n"


def interface(kind: type[Struct]) -> str:
    """`export interface …`"""
    doc = kind.__doc__ if kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}(") else None
    lines = []
    for each in structs.fields(kind):
        lines += [comment(described(each.type), "  ")[:-1]] if described(each.type) else []
        lines.append(f"  {member(each)};")
    return comment(" ".join(doc.split()) if doc else None) + block(f"export interface {kind.__name__}", lines)


def block(head: str, lines: list[str]) -> str:
    return head + " {\n" + "\n".join(lines) + "\n}\n"


def member(field: Any) -> str:
    mark = "" if field.required else "?"
    return f"{key(field.encode_name)}{mark}: {typed(field.type)}"


def key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def comment(text: str | None, before: str = "") -> str:
    return f"{before}/** {text} */\n" if text else ""


def title(kind: Any) -> Meta | None:
    """What names a type at the page."""
    metas = getattr(kind, "__metadata__", ()) if get_origin(kind) is Annotated else ()
    return next((meta for meta in metas if isinstance(meta, Meta) and meta.title), None)


def described(kind: Any) -> str | None:
    """The comment of a field."""
    metas = getattr(kind, "__metadata__", ())
    return next((meta.description for meta in metas if meta.description and not meta.title), None)


def typed(kind: Any) -> str:
    """A type as TypeScript has it."""
    named = title(kind)
    if named is not None:
        return str(named.title)
    origin, args = get_origin(kind), get_args(kind)
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    if origin is Annotated:
        return typed(args[0])
    if origin in (Union, UnionType):
        return union([arg for arg in args if arg not in (NoneType, UnsetType)])
    if origin is Literal:
        return " | ".join(json.dumps(arg) for arg in args)
    if origin is list:
        return f"{typed(args[0])}[]"
    if origin is dict:
        return f"Record<{typed(args[0])}, {typed(args[1])}>"
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind.__name__ if has_a_name(kind) else inline(kind)
    if isinstance(kind, type) and issubclass(kind, tuple):
        hints = get_type_hints(kind, include_extras=True)
        return "[" + ", ".join(f"{name}: {typed(each)}" for name, each in hints.items()) + "]"
    raise TypeError(f"{kind} has no type at the page")


def union(kinds: list[Any]) -> str:
    """Of several objects, what one has and another lacks is undefined in the other: so they can be told apart."""
    if not all(isinstance(kind, type) and issubclass(kind, Struct) for kind in kinds) or len(kinds) == 1:
        return " | ".join(typed(kind) for kind in kinds)
    names = list(dict.fromkeys(each.encode_name for kind in kinds for each in structs.fields(kind)))
    return " | ".join(inline(kind, names) for kind in kinds)


def inline(kind: type[Struct], names: list[str] | None = None) -> str:
    """An object's type, written out."""
    fields = structs.fields(kind)
    mine = {each.encode_name for each in fields}
    members = [member(each) for each in sorted(fields, key=lambda each: not each.required)]
    members += [f"{key(name)}?: undefined" for name in names or () if name not in mine]
    return "{ " + "; ".join(members) + " }" if members else "object"


def main(argv: list[str]) -> int:
    text = page_types()
    if argv == ["--check"]:
        same = PATH.read_text() == text
        if not same:
            print(f"{PATH.name} is not what the server's types make: run make protocol.", file=sys.stderr)
        return 0 if same else 1
    PATH.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
