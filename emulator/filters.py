"""The filter expressions of the list operations: a small part of OData.

`eq`, `ne` on all properties; `gt`, `ge`, `lt`, `le` on dates; `and`, `or`, `not`, parentheses. Strings in single quotes
(a quote inside is doubled), dates bare: `status eq 'Running' and createdDateTime gt 2022-02-01T11:00:00Z`.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from emulator.errors import ServiceError, invalid

Fields = Mapping[str, object]
Predicate = Callable[[Fields], bool]

COMMON = frozenset({"displayName", "description", "createdDateTime", "lastActionDateTime", "status", "locale"})
OF_DATASETS = COMMON | {"kind"}
OF_WEB_HOOKS = (COMMON - {"locale"}) | {"webUrl"}
OF_FILES = frozenset({"name", "createdDateTime", "kind"})

MAX_LENGTH = 4096
MAX_DEPTH = 50
_DATES = frozenset({"createdDateTime", "lastActionDateTime"})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<bracket>[()])|(?P<string>'(?:[^']|'')*')|(?P<date>\d{4}-\d\d-\d\d[^\s()]*)|(?P<word>[A-Za-z]+))\s*"
)


def parse_filter(text: str | None, properties: frozenset[str]) -> Predicate:
    """A test of an entity's properties; without text everything passes.

    Raises:
        ServiceError: UnsupportedFilter, with what is wrong.
    """
    if text is None or not text.strip():
        return lambda _: True
    if len(text) > MAX_LENGTH:
        raise _unsupported(f"it is longer than {MAX_LENGTH} characters")
    return _Parser(_tokens(text), properties).whole()


def _unsupported(reason: str) -> ServiceError:
    return invalid("UnsupportedFilter", f"The filter is not supported: {reason}.", "filter")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match or not match.lastgroup:
            raise _unsupported(f"cannot read it from character {position + 1} on")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent; `not` binds tighter than `and`, `and` tighter than `or`."""

    def __init__(self, tokens: list[tuple[str, str]], properties: frozenset[str]) -> None:
        self._tokens, self._properties = tokens, properties
        self._position = self._depth = 0

    def whole(self) -> Predicate:
        predicate = self._any()
        if self._position < len(self._tokens):
            raise _unsupported(f"unexpected {self._tokens[self._position][1]!r}")
        return predicate

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._skip("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda fields: any(part(fields) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._one()]
        while self._skip("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda fields: all(part(fields) for part in parts)

    def _one(self) -> Predicate:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _unsupported(f"more than {MAX_DEPTH} conditions are nested")
        predicate = self._negation_or_group()
        self._depth -= 1
        return predicate

    def _negation_or_group(self) -> Predicate:
        if self._skip("not"):
            negated = self._one()
            return lambda fields: not negated(fields)
        if not self._skip("("):
            return self._comparison()
        inner = self._any()
        if not self._skip(")"):
            raise _unsupported("a ')' is missing")
        return inner

    def _comparison(self) -> Predicate:
        name, comparison = self._next("word"), self._next("word")
        if name not in self._properties:
            raise _unsupported(f"{name!r} is none of {', '.join(sorted(self._properties))}")
        if comparison not in _COMPARISONS or (comparison not in ("eq", "ne") and name not in _DATES):
            raise _unsupported(f"{comparison!r} cannot be used with {name!r}")
        compare, value = _COMPARISONS[comparison], self._value(name)
        return lambda fields: compare(_field(fields, name), value)

    def _value(self, name: str) -> object:
        if name in _DATES:
            return _date(self._next("date"))
        if self._skip("null"):
            return None
        return self._next("string")[1:-1].replace("''", "'")

    def _skip(self, text: str) -> bool:
        found = self._position < len(self._tokens) and self._tokens[self._position][1] == text
        self._position += found
        return found

    def _next(self, kind: str) -> str:
        if self._position >= len(self._tokens):
            raise _unsupported("it ends too early")
        found, text = self._tokens[self._position]
        if found != kind:
            raise _unsupported(f"a {kind} was expected where {text!r} stands")
        self._position += 1
        return text


def _field(fields: Fields, name: str) -> object:
    value = fields.get(name)
    return _date(value) if name in _DATES and isinstance(value, str) else value


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError as error:
        raise _unsupported(f"{text!r} is no date like 2022-02-01T11:00:00Z") from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)
