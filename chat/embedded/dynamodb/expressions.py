"""Expressions at work: a request's expressions with its names and values, evaluated against an item."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from chat.embedded.dynamodb import values
from chat.embedded.dynamodb.errors import invalid, malformed
from chat.embedded.dynamodb.parser import Path, Tree, parse
from chat.embedded.dynamodb.values import Item, Value

EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
)
NAME = re.compile(r"#[A-Za-z0-9_]+")
PATH_INVALID = "The document path provided in the update expression is invalid for update"


class Expressions:
    """All expressions of one request. Raises ApiError ValidationException for what is wrong with any of them."""

    def __init__(self, request: dict[str, Any]):
        self._names = request.get("ExpressionAttributeNames") or {}
        self._values = {
            name: values.check(value) for name, value in (request.get("ExpressionAttributeValues") or {}).items()
        }
        self._parsed = {what: parse(request[what], what) for what in EXPRESSIONS if request.get(what) is not None}
        self._projected: list[Path] = []
        if self._names or self._values or self._parsed or "ExpressionAttributeValues" in request:
            self._check(request)

    def _check(self, request: dict[str, Any]) -> None:
        """Everything that can be wrong without looking at an item."""
        for which in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            if request.get(which) == {}:
                raise invalid(f"{which} must not be empty")
        for name, attribute in self._names.items():
            if not isinstance(attribute, str):
                raise malformed("ExpressionAttributeNames maps names to names")
            if not NAME.fullmatch(name):
                raise invalid(f'ExpressionAttributeNames contains invalid key: Syntax error; key: "{name}"')
            values.check_name(attribute)
        self._check_placeholders()
        for what, parsed in self._parsed.items():
            if what in ("ConditionExpression", "FilterExpression", "KeyConditionExpression"):
                self._check_operands(what, parsed.tree)
        if "ProjectionExpression" in self._parsed:
            self._projected = [self.path(path) for path in self._parsed["ProjectionExpression"].tree]
            _refuse_overlaps(self._projected, "ProjectionExpression")

    def _check_operands(self, what: str, tree: Tree) -> None:
        """Refuses constants of a type that the operator never takes; attributes of such a type just do not match."""
        kind = tree[0]
        if kind in ("and", "or", "not"):
            for part in tree[1:]:
                self._check_operands(what, part)
            return
        operator, operands = (tree[1], tree[2:]) if kind == "compare" else (kind, tree[1:])
        constants = [self._values[operand[1]] for operand in operands if operand[0] == "value"]
        takes = {"begins_with": {"S", "B"}, "attribute_type": {"S"}, "between": values.ORDERED}.get(kind, values.KINDS)
        if kind == "compare" and operator not in ("=", "<>"):
            takes = values.ORDERED
        for constant in constants:
            if not constant.keys() <= takes:
                raise _operand_type(operator, constant, what)
        if kind == "attribute_type" and constants[0]["S"] not in values.KINDS:
            raise invalid(f"Invalid {what}: Invalid attribute type name found; type: {constants[0]['S']}")
        if kind == "between" and tree[2][0] == tree[3][0] == "value":
            low, high = constants[-2:]
            if low.keys() != high.keys():
                raise invalid(
                    f"Invalid {what}: The BETWEEN operator requires same data type for lower and upper bounds"
                )
            if _compare(">", low, high):
                raise invalid(
                    f"Invalid {what}: The BETWEEN operator requires upper bound to be greater than or equal to lower "
                    "bound"
                )

    def _check_placeholders(self) -> None:
        for what, parsed in self._parsed.items():
            for name in sorted(parsed.names - self._names.keys()):
                raise invalid(
                    f"Invalid {what}: An expression attribute name used in the document path is not defined; "
                    f"attribute name: {name}"
                )
            for value in sorted(parsed.values - self._values.keys()):
                raise invalid(
                    f"Invalid {what}: An expression attribute value used in expression is not defined; "
                    f"attribute value: {value}"
                )
        for which, given in (("Names", self._names), ("Values", self._values)):
            if given and not self._parsed:
                raise invalid(f"ExpressionAttribute{which} can only be specified when using expressions")
            used = frozenset().union(*(getattr(parsed, which.lower()) for parsed in self._parsed.values()))
            unused = sorted(given.keys() - used)
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{which} unused in expressions: keys: {{{', '.join(unused)}}}"
                )

    def has(self, what: str) -> bool:
        """Whether the request has that expression."""
        return what in self._parsed

    def holds(self, what: str, item: Item | None) -> bool:
        """Whether the condition or filter holds for the item; without one, yes."""
        return what not in self._parsed or self._test(self._parsed[what].tree, item or {})

    def attributes(self, what: str) -> set[str]:
        """The top-level attributes that the condition or filter speaks of."""
        return {str(self.path(path)[0]) for path in _paths(self.tree(what))} if self.has(what) else set()

    def tree(self, what: str) -> Any:
        """The tree of that expression."""
        return self._parsed[what].tree

    def path(self, path: Path) -> Path:
        """The path with its `#names` put in."""
        if not self._names:
            return path
        return tuple(self._names[part] if isinstance(part, str) and part.startswith("#") else part for part in path)

    def constant(self, operand: Tree) -> Value:
        """The value that a `:name` stands for."""
        return self._values[operand[1]]

    def value(self, operand: Tree, item: Item) -> Value | None:
        """What an operand is for this item, None when the item has no such attribute."""
        if operand[0] == "value":
            return self.constant(operand)
        found = look_up(item, self.path(operand[1]))
        if operand[0] == "size":
            return {"N": str(_length(found))} if found is not None and _length(found) is not None else None
        return found

    # --- conditions ---

    def _test(self, tree: Tree, item: Item) -> bool:
        kind = tree[0]
        if kind == "and":
            return self._test(tree[1], item) and self._test(tree[2], item)
        if kind == "or":
            return self._test(tree[1], item) or self._test(tree[2], item)
        if kind == "not":
            return not self._test(tree[1], item)
        if kind == "attribute_exists":
            return look_up(item, self.path(tree[1])) is not None
        if kind == "attribute_not_exists":
            return look_up(item, self.path(tree[1])) is None
        if kind == "compare":
            return _compare(tree[1], self.value(tree[2], item), self.value(tree[3], item))
        if kind == "between":
            value, low, high = (self.value(operand, item) for operand in tree[1:])
            return _compare(">=", value, low) and _compare("<=", value, high)
        if kind == "in":
            value = self.value(tree[1], item)
            return any(values.same(value, self.value(operand, item)) for operand in tree[2])
        if kind == "attribute_type":
            found = look_up(item, self.path(tree[1]))
            return found is not None and next(iter(found)) == next(iter(self._values[tree[2][1]].values()))
        first, second = (self.value(operand, item) for operand in tree[1:])
        return _begins(first, second) if kind == "begins_with" else _contains(first, second)

    # --- projection ---

    def project(self, item: Item) -> Item:
        """The parts of the item that the ProjectionExpression names; without one, all of it."""
        return pick(item, self._projected) if self._projected else item

    # --- updates ---

    def update_targets(self, keys: set[str]) -> list[Path]:
        """The paths that the UpdateExpression changes. Raises: ApiError, when it may not change them."""
        clauses = self._parsed["UpdateExpression"].tree[1] if "UpdateExpression" in self._parsed else {}
        targets = [self.path(action if word == "REMOVE" else action[0]) for word in clauses for action in clauses[word]]
        _refuse_overlaps(targets, "UpdateExpression")
        for target in targets:
            if target[0] in keys:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {target[0]}. "
                    "This attribute is part of the key"
                )
        for word, kinds in (("ADD", {"N", *values.SETS}), ("DELETE", {*values.SETS})):
            for _, operand in clauses.get(word, []):
                if not self._values[operand[1]].keys() <= kinds:
                    raise _operand_type(word, self._values[operand[1]])
        return targets

    def makes_items(self) -> bool:
        """Whether the update makes an item where there is none: one that only takes away does not."""
        return "UpdateExpression" not in self._parsed or not self.tree("UpdateExpression")[1].keys() <= {
            "REMOVE",
            "DELETE",
        }

    def update(self, item: Item) -> Item:
        """The item as the UpdateExpression makes it. All operands are read from the old item."""
        if "UpdateExpression" not in self._parsed:
            return item
        clauses = self.tree("UpdateExpression")[1]
        new = copy.deepcopy(item)
        results = [(self.path(path), self._result(tree, item)) for path, tree in clauses.get("SET", [])]
        for path, result in sorted(results, key=lambda each: _last_index(each[0])):
            _set(new, path, result)
        for path, operand in clauses.get("ADD", []):
            _set(new, self.path(path), _added(look_up(item, self.path(path)), self._values[operand[1]]))
        for path, operand in clauses.get("DELETE", []):
            self._delete(new, item, self.path(path), self._values[operand[1]])
        for path in sorted((self.path(path) for path in clauses.get("REMOVE", [])), key=_last_index, reverse=True):
            _remove(new, path)
        return new

    def _result(self, tree: Tree, item: Item) -> Value:
        kind = tree[0]
        if kind in ("+", "-"):
            left, right = self._result(tree[1], item), self._result(tree[2], item)
            for side in (left, right):
                if "N" not in side:
                    raise _operand_type(kind, side)
            return {"N": values.add(left["N"], right["N"], 1 if kind == "+" else -1)}
        if kind == "if_not_exists":
            found = look_up(item, self.path(tree[1]))
            return found if found is not None else self._result(tree[2], item)
        if kind == "list_append":
            left, right = self._result(tree[1], item), self._result(tree[2], item)
            for side in (left, right):
                if "L" not in side:
                    raise _operand_type("list_append", side)
            return {"L": left["L"] + right["L"]}
        found = self.value(tree, item)
        if found is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        return found

    @staticmethod
    def _delete(new: Item, old: Item, path: Path, members: Value) -> None:
        ((kind, gone),) = members.items()
        found = look_up(old, path)
        if found is None:
            return
        if kind not in found:
            raise invalid("An operand in the update expression has an incorrect data type")
        left = [member for member in found[kind] if member not in gone]
        if left:
            _set(new, path, {kind: left})
        else:
            _remove(new, path)


def look_up(item: Item, path: Path) -> Value | None:
    """The value at a path of an item, or None."""
    value: Value | None = {"M": item}
    for part in path:
        if value is None:
            return None
        if isinstance(part, int):
            members = value.get("L")
            value = members[part] if members is not None and part < len(members) else None
        else:
            value = value.get("M", {}).get(part)
    return value


def _paths(tree: Tree) -> Iterator[Path]:
    """All paths in a condition's tree."""
    if tree[0] in ("path", "size", "attribute_exists", "attribute_not_exists", "attribute_type"):
        yield tree[1]
        return
    for part in tree[1:]:
        if isinstance(part, tuple):
            yield from _paths(part)
        elif isinstance(part, list):
            for operand in part:
                yield from _paths(operand)


def _length(value: Value) -> int | None:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content)
    if kind == "B":
        return values.value_size(value)
    return len(content) if kind in ("L", "M", *values.SETS) else None


def _compare(operator: str, a: Value | None, b: Value | None) -> bool:
    if operator == "=":
        return values.same(a, b)
    if operator == "<>":
        return not values.same(a, b)
    if a is None or b is None or a.keys() != b.keys():
        return False
    x, y = values.order(a), values.order(b)
    if x is None:
        return False
    return bool({"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[operator])


def _begins(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None or value.keys() != prefix.keys() or not value.keys() & {"S", "B"}:
        return False
    return bool(values.order(value).startswith(values.order(prefix)))


def _contains(value: Value | None, wanted: Value | None) -> bool:
    if value is None or wanted is None:
        return False
    ((kind, content),) = value.items()
    if kind in ("S", "B"):
        return wanted.keys() == value.keys() and values.order(wanted) in values.order(value)
    if kind in values.SETS:
        return wanted.get(values.SETS[kind]) in content
    return kind == "L" and any(values.same(member, wanted) for member in content)


def _refuse_overlaps(paths: list[Path], what: str) -> None:
    ordered = sorted(paths, key=lambda path: [str(part) for part in path])
    for i, a in enumerate(ordered):
        for b in ordered[i + 1 :]:
            shared = min(len(a), len(b))
            if a[:shared] == b[:shared]:
                raise invalid(
                    f"Invalid {what}: Two document paths overlap with each other; must remove or rewrite one of these "
                    f"paths; path one: [{', '.join(map(str, a))}], path two: [{', '.join(map(str, b))}]"
                )


def pick(item: Item, paths: list[Path]) -> Item:
    """The parts of the item that lie on the paths."""
    picked: Item = _pick({"M": item}, paths)["M"]
    return picked


def _pick(value: Value, paths: list[Path]) -> Value:
    """The value with only what lies on the paths; list members close up."""
    if any(not path for path in paths):
        return value
    if "M" in value:
        picked = {}
        for name, inner in value["M"].items():
            deeper = [path[1:] for path in paths if path[0] == name]
            if deeper and any(look_up({"x": inner}, ("x", *path)) is not None for path in deeper):
                picked[name] = _pick(inner, deeper)
        return {"M": picked}
    if "L" in value:
        members = []
        for index, inner in enumerate(value["L"]):
            deeper = [path[1:] for path in paths if path[0] == index]
            if deeper and any(look_up({"x": inner}, ("x", *path)) is not None for path in deeper):
                members.append(_pick(inner, deeper))
        return {"L": members}
    return value


def _parent(item: Item, path: Path) -> Any:
    parent = look_up(item, path[:-1]) if len(path) > 1 else {"M": item}
    content = (parent or {}).get("L" if isinstance(path[-1], int) else "M")
    if content is None:
        raise invalid(PATH_INVALID)
    return content


def _set(item: Item, path: Path, value: Value) -> None:
    parent, last = _parent(item, path), path[-1]
    if isinstance(last, int) and last >= len(parent):
        parent.append(value)
    else:
        parent[last] = value


def _remove(item: Item, path: Path) -> None:
    parent, last = _parent(item, path), path[-1]
    if isinstance(last, int):
        del parent[last : last + 1]
    else:
        parent.pop(last, None)


def _last_index(path: Path) -> int:
    return path[-1] if isinstance(path[-1], int) else -1


def _added(old: Value | None, more: Value) -> Value:
    ((kind, content),) = more.items()
    if old is None:
        return more
    if kind not in old:
        raise invalid("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return {"N": values.add(old["N"], content)}
    return {kind: old[kind] + [member for member in content if member not in old[kind]]}


def _operand_type(operator: str, value: Value, what: str = "UpdateExpression") -> Exception:
    return invalid(
        f"Invalid {what}: Incorrect operand type for operator or function; operator or function: "
        f"{operator}, operand type: {next(iter(value))}"
    )
