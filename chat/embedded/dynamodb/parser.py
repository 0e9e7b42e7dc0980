"""Reads expressions (conditions, filters, keys, updates, projections) into small trees; the text alone, no values yet.

Grammar: the Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" and "Update
expressions". A tree is nested tuples whose first member says what it is; a path is a tuple of names and list indexes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from chat.embedded.dynamodb.errors import invalid
from chat.embedded.dynamodb.reserved_words import RESERVED_WORDS

Path = tuple[str | int, ...]
Tree = tuple[Any, ...]

TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),+\-\[\].])|([#:]?[A-Za-z0-9_]+)|(\S))")
COMPARATORS = {"=", "<>", "<", "<=", ">", ">="}
FUNCTIONS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
MAX_EXPRESSION_BYTES = 4096


@dataclass
class Parsed:
    """A tree, and which `#names` and `:values` it uses."""

    tree: Any
    names: frozenset[str]
    values: frozenset[str]


@dataclass
class _Reader:
    what: str
    tokens: list[str]
    at: int = 0
    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def peek_word(self) -> str:
        return self.peek().upper()

    def take(self) -> str:
        token = self.peek()
        if not token:
            raise self.error()
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.take().upper() != token:
            self.at -= 1
            raise self.error()

    def error(self) -> Exception:
        near = " ".join(self.tokens[max(0, self.at - 1) : self.at + 2])
        return invalid(f'Invalid {self.what}: Syntax error; token: "{self.peek() or "<EOF>"}", near: "{near}"')

    # --- operands ---

    def name(self) -> str:
        token = self.take()
        if token.startswith("#"):
            self.names.add(token)
            return token
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", token):
            self.at -= 1
            raise self.error()
        if token.upper() in RESERVED_WORDS:
            raise invalid(f"Invalid {self.what}: Attribute name is a reserved keyword; reserved keyword: {token}")
        return token

    def path(self) -> Path:
        parts: list[str | int] = [self.name()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                parts.append(self.name())
            else:
                index = self.take()
                if not index.isdecimal() or len(index) > 9:
                    self.at -= 1
                    raise self.error()
                parts.append(int(index))
                self.expect("]")
        return tuple(parts)

    def value(self) -> Tree:
        token = self.take()
        if not token.startswith(":"):
            self.at -= 1
            raise self.error()
        self.values.add(token)
        return ("value", token)

    def operand(self) -> Tree:
        if self.peek().startswith(":"):
            return self.value()
        if self.peek() == "size" and self._calls():
            self.at += 2
            path = self.path()
            self.expect(")")
            return ("size", path)
        return ("path", self.path())

    def _calls(self) -> bool:
        return self.at + 1 < len(self.tokens) and self.tokens[self.at + 1] == "("

    # --- conditions ---

    def condition(self) -> Tree:
        tree = self.conjunction()
        while self.peek_word() == "OR":
            self.at += 1
            tree = ("or", tree, self.conjunction())
        return tree

    def conjunction(self) -> Tree:
        tree = self.negation()
        while self.peek_word() == "AND":
            self.at += 1
            tree = ("and", tree, self.negation())
        return tree

    def negation(self) -> Tree:
        if self.peek_word() == "NOT":
            self.at += 1
            return ("not", self.negation())
        return self.test()

    def test(self) -> Tree:
        if self.peek() == "(":
            self.at += 1
            tree = self.condition()
            self.expect(")")
            return tree
        if self._calls() and self.peek() != "size":
            return self.function()
        left = self.operand()
        operator = self.take().upper()
        if operator in COMPARATORS:
            return ("compare", operator, left, self.operand())
        if operator == "BETWEEN":
            low = self.operand()
            self.expect("AND")
            return ("between", left, low, self.operand())
        if operator == "IN":
            self.expect("(")
            return ("in", left, self.many(self.operand, ")"))
        self.at -= 1
        raise self.error()

    def function(self) -> Tree:
        name = self.take()
        if name not in FUNCTIONS:
            raise invalid(f"Invalid {self.what}: Invalid function name; function: {name}")
        self.expect("(")
        if FUNCTIONS[name] == 1 or name == "attribute_type":
            arguments: list[Any] = [self.path()]
            if name == "attribute_type":
                self.expect(",")
                arguments.append(self.value())
            self.expect(")")
        else:
            arguments = self.many(self.operand, ")")
        if len(arguments) != FUNCTIONS[name]:
            raise invalid(
                f"Invalid {self.what}: Incorrect number of operands for operator or function; operator or function: "
                f"{name}, number of operands: {len(arguments)}"
            )
        return (name, *arguments)

    def many(self, one: Callable[[], Any], end: str = "") -> list[Any]:
        found = [one()]
        while self.peek() == ",":
            self.at += 1
            found.append(one())
        if end:
            self.expect(end)
        return found

    # --- updates ---

    def update(self) -> Tree:
        clauses: dict[str, list[Any]] = {}
        readers = {"SET": self.assignment, "REMOVE": self.path, "ADD": self.change, "DELETE": self.change}
        while self.peek():
            word = self.take().upper()
            if word not in readers:
                self.at -= 1
                raise self.error()
            if word in clauses:
                raise invalid(
                    f'Invalid UpdateExpression: The "{word}" section can only be used once in an update expression;'
                )
            clauses[word] = self.many(readers[word])
        if not clauses:
            raise invalid("Invalid UpdateExpression: The expression can not be empty;")
        return ("update", clauses)

    def assignment(self) -> Tree:
        path = self.path()
        self.expect("=")
        value = self.term()
        if self.peek() in ("+", "-"):
            value = (self.take(), value, self.term())
        return (path, value)

    def term(self) -> Tree:
        if self.peek() == "(":
            self.at += 1
            value = self.term()
            if self.peek() in ("+", "-"):
                value = (self.take(), value, self.term())
            self.expect(")")
            return value
        if self.peek() in ("if_not_exists", "list_append") and self._calls():
            name = self.take()
            self.at += 1
            first: Any = self.path() if name == "if_not_exists" else self.term()
            self.expect(",")
            second = self.term()
            self.expect(")")
            if name == "list_append" and "list_append" in (first[0], second[0]):
                raise invalid(
                    "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; "
                    f"function: {name}"
                )
            return (name, first, second)
        if self._calls():
            raise invalid(f"Invalid UpdateExpression: Invalid function name; function: {self.peek()}")
        return self.value() if self.peek().startswith(":") else ("path", self.path())

    def change(self) -> Tree:
        return (self.path(), self.value())


@lru_cache(maxsize=1024)
def parse(text: str, what: str) -> Parsed:
    """The tree of an expression. `what` is the parameter it stands in, such as `ConditionExpression`.

    Raises: ApiError ValidationException.
    """
    if not text.strip():
        raise invalid(f"Invalid {what}: The expression can not be empty;")
    if len(text.encode()) > MAX_EXPRESSION_BYTES:
        raise invalid(f"Invalid {what}: Expression size has exceeded the maximum allowed size;")
    reader = _Reader(what, [next(filter(None, match)) for match in TOKEN.findall(text)])
    try:
        tree = _tree(reader)
    except RecursionError:
        raise invalid(f"Invalid {what}: The expression is nested too deeply;") from None
    if reader.peek():
        raise reader.error()
    return Parsed(tree, frozenset(reader.names), frozenset(reader.values))


def _tree(reader: _Reader) -> Any:
    if reader.what == "UpdateExpression":
        return reader.update()
    if reader.what == "ProjectionExpression":
        return reader.many(reader.path)
    return reader.condition()
