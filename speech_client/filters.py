"""Conditions for lists, so that nobody glues texts together.

>>> str((F.locale == "en-US") & (F.display_name == "driver's text"))
"(locale eq 'en-US' and displayName eq 'driver''s text')"
>>> str(~(F.status == "Failed"))
"not (status eq 'Failed')"

Azure knows no condition on `customProperties` and no order. Source: the `filter` parameter of the list operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from speech_client.errors import BadInput

TIMES = frozenset({"createdDateTime", "lastActionDateTime"})
"""The properties that have an order."""
COMMON = frozenset({"displayName", "description", "createdDateTime", "lastActionDateTime", "status", "locale"})
"""What every list of entities can be filtered by."""
OF_FILES = frozenset({"name", "createdDateTime", "kind"})


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on the entities of a list; combine with ``&``, ``|`` and ``~``."""

    expression: str
    names: frozenset[str] = frozenset()
    """Names of the properties in it; those of an expression that you wrote yourself are not known."""

    def __str__(self) -> str:
        return self.expression

    def __and__(self, other: Filter) -> Filter:
        return Filter(f"({self} and {other})", self.names | other.names)

    def __or__(self, other: Filter) -> Filter:
        return Filter(f"({self} or {other})", self.names | other.names)

    def __invert__(self) -> Filter:
        return Filter(f"not ({self})", self.names)

    def __bool__(self) -> bool:
        raise TypeError("A filter is neither true nor false: combine filters with & | ~, not with and, or, not.")


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """A property that Azure can filter by; compare it to get a `Filter`. Only times have an order."""

    name: str

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]  # a condition instead of an answer
        return self._compared("eq", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]  # as above
        return self._compared("ne", value)

    def __gt__(self, value: datetime) -> Filter:
        return self._compared("gt", value)

    def __ge__(self, value: datetime) -> Filter:
        return self._compared("ge", value)

    def __lt__(self, value: datetime) -> Filter:
        return self._compared("lt", value)

    def __le__(self, value: datetime) -> Filter:
        return self._compared("le", value)

    def _compared(self, operator: str, value: object) -> Filter:
        if self.name in TIMES and not isinstance(value, datetime):
            raise BadInput(f"{self.name} can be compared with a time only, for example datetime.now(UTC).")
        if self.name not in TIMES and operator not in ("eq", "ne"):
            raise BadInput(f"{self.name} has no order; only == and != are possible, and times alone can be less.")
        return Filter(f"{self.name} {operator} {_literal(self.name, value)}", frozenset({self.name}))


def checked(filter: Filter | None, known: frozenset[str], path: str) -> Filter | None:  # noqa: A002  # Azure's word
    """Return the filter if the list of `path` can filter by its properties.

    Raises:
        BadInput: It names another property; nothing was sent.
    """
    if filter is not None and (strange := filter.names - known):
        raise BadInput(
            f"The list of {path} cannot be filtered by {', '.join(sorted(strange))}. It knows {', '.join(sorted(known))}."
        )
    return filter


def _literal(name: str, value: object) -> str:
    match value:
        case datetime(tzinfo=None):
            raise BadInput(f"The time to compare {name} with needs a time zone, for example datetime.UTC.")
        case datetime() if name in TIMES:
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case str():
            return "'" + str(value).replace("'", "''") + "'"
        case _:
            raise BadInput(f"{name} can be compared with a text, not with {type(value).__name__}.")


class F:
    """The properties to filter by. Which ones a list knows is written in its operation; others are rejected."""

    display_name = Property("displayName")
    description = Property("description")
    created_date_time = Property("createdDateTime")
    last_action_date_time = Property("lastActionDateTime")
    status = Property("status")
    locale = Property("locale")
    kind = Property("kind")
    name = Property("name")
    web_url = Property("webUrl")
    foundry_project_name = Property("foundryProjectName")
