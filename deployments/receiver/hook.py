"""What every hook can do; `app` does the rest, the same for all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hmac import HMAC
from typing import Any, Protocol, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError

from deployments.receiver.deliveries import News, Source

MEGABYTE = 1024**2


class Misunderstood(ValueError):
    """The sender is who it should be, but what came is not what it should send. The message does not quote it."""


class Payload(BaseModel):
    """The part of what a sender sends that is read; more may stand there."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Call:
    """A request but for its body; it may hold secrets, so it shows nothing of itself."""

    headers: Mapping[str, str] = field(repr=False)
    """By lower-case names."""
    params: Mapping[str, str] = field(repr=False)

    def header(self, name: str) -> str:
        """A header, empty when it is missing."""
        return self.headers.get(name.lower(), "")

    def raw_header(self, name: str) -> bytes:
        """A header as it was sent (HTTP servers decode as Latin-1)."""
        return self.header(name).encode("latin-1", "replace")


@dataclass(frozen=True, slots=True)
class Body:
    """What came after the headers. Of a large one only the beginning is kept; hashes are of all of it.

    Attributes:
        start: its first bytes, as many as the hook keeps.
        size: of all of it.
        sha256: in hexadecimal digits.
        signatures: what the hook's `signing` makes of it, in hexadecimal digits.
    """

    start: bytes = field(repr=False)
    size: int
    sha256: str
    signatures: Sequence[str] = field(default=(), repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept."""
        return len(self.start) == self.size


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that a sender expects instead of ours."""

    text: str
    media_type: str

    @classmethod
    def of_json(cls, value: Mapping[str, str]) -> "Reply":
        """The answer as JSON."""
        return cls(json.dumps(value), "application/json")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a request told."""

    news: Sequence[News] = ()
    ignored: int = 0
    """Events that concern nobody here."""
    unread: int = 0
    """Events of a batch that could not be understood."""
    reply: Reply | None = None


class Hook(Protocol):
    """One sender's way to tell something."""

    source: Source
    most_bytes: int
    """Of a body; a larger one is refused."""
    most_kept: int
    """How much of its beginning is kept and read."""

    def admits(self, call: Call) -> bool:
        """Whether what stands outside the body gives reason to read it."""

    def signing(self) -> Sequence[HMAC]:
        """What the body is signed with, one for each secret; empty where bodies are not signed, or are always kept whole."""

    def verifies(self, call: Call, body: Body) -> bool:
        """Whether the sender is who it should be."""

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells. Large bodies are read in a thread.

        Raises:
            Misunderstood: it is not what this sender sends.
        """


def parsed(text: bytes) -> Any:
    """The JSON value; no NaN, no lone surrogates, no endless nesting.

    Raises:
        Misunderstood: it is none.
    """
    try:
        return pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError:
        raise Misunderstood("the body is not JSON") from None


def beginning(text: bytes) -> dict[str, Any]:
    """The first members of a JSON object that was cut off: those that are whole for certain.

    >>> beginning(b'{"ref": "refs/heads/main", "repository": {"id": 1}, "commits": [{"added": ["a.w')
    {'ref': 'refs/heads/main', 'repository': {'id': 1}}

    Raises:
        Misunderstood: it is no beginning of an object.
    """
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False, allow_partial=True)
    except ValueError:
        raise Misunderstood("the body is not JSON") from None
    if not isinstance(value, dict):
        raise Misunderstood("the body is no JSON object")
    return dict(list(value.items())[:-1])


def understood(kind: type[P], value: Any) -> P:
    """The value as a payload.

    Raises:
        Misunderstood: fields are missing or wrong; the message names them.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise misfit(error) from None


def misfit(error: ValidationError) -> Misunderstood:
    """The same, naming the fields but not what stands in them."""
    fields = sorted({".".join(map(str, one["loc"])) or "the whole" for one in error.errors(include_input=False)})
    return Misunderstood(f"these fields are missing or wrong: {', '.join(fields)[:300]}")
