"""What the receiver keeps of what it was sent: who sent it and what it is about. No secret, no person, no file list."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_CLONED = ("https", "http", "ssh", "file")
_SENDER_ID = re.compile(r"[\x21-\x7e]{1,200}")

Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line that can be shown to people."""
ObjectId: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""Of a git object, SHA-1 or SHA-256; all zeros where there is none."""
Ref: TypeAlias = Annotated[str, StringConstraints(max_length=1024, pattern=r"^refs/[^\x00-\x20\x7f~^:?*\[\\]+$")]
"""A full name such as `refs/heads/main`, without what `git check-ref-format` forbids."""
Wanted: TypeAlias = Literal["checks", "model"]
"""Of a pull request: data checks, or a temporary model as well."""


class Source(StrEnum):
    """Who sends; the last part of the hook's address."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE_DEVOPS = "azure-devops"
    EVENT_GRID = "eventgrid"
    SPEECH = "speech"


class Kind(StrEnum):
    """What a delivery tells."""

    GIT_PUSH = "git-push"
    PULL_REQUEST = "pull-request"
    BLOB_CREATED = "blob-created"
    SPEECH_JOB = "speech-job"
    PING = "ping"


class _Subject(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Push(_Subject):
    """A ref of a repository moved from one commit to another."""

    kind: Literal[Kind.GIT_PUSH] = Kind.GIT_PUSH
    repository: Text
    """Its name at the sender, such as `owner/name`."""
    address: Text
    """Where to clone it from, without credentials."""
    ref: Ref
    before: ObjectId
    after: ObjectId
    default_branch: Text | None = None


class PullRequest(_Subject):
    """A pull request has a new commit, or somebody asks for something."""

    kind: Literal[Kind.PULL_REQUEST] = Kind.PULL_REQUEST
    repository: Text
    address: Text
    """Where to clone the repository from into which it would be merged."""
    number: Annotated[int, Field(ge=1, le=2**53)]
    head: Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{7,64})?$")]
    """The commit that is meant, or its beginning; empty for whatever is the newest."""
    wanted: Wanted


class Blob(_Subject):
    """A blob was created or replaced. A hint: whoever acts on it lists the container."""

    kind: Literal[Kind.BLOB_CREATED] = Kind.BLOB_CREATED
    account: Text
    container: Text
    blob: Text
    etag: Text | None = None


class Job(_Subject):
    """Something happened to an entity of the Speech service. A hint: whoever acts on it looks at the entity."""

    kind: Literal[Kind.SPEECH_JOB] = Kind.SPEECH_JOB
    entity: Text
    """Its path on the service, such as `models/<id>`."""
    event: Text


class Ping(_Subject):
    """The sender tried whether the hook answers; nothing is to be done."""

    kind: Literal[Kind.PING] = Kind.PING
    about: Text


Subject: TypeAlias = Push | PullRequest | Blob | Job | Ping


@dataclass(frozen=True, slots=True)
class News:
    """What one delivery tells, as read, before it is stored."""

    sender_id: str
    """What the sender calls it, to find it there; empty where it has no name."""
    keys: Sequence[str]
    """What makes it the same as another one: one equal key is enough."""
    subject: Subject


class Delivery(BaseModel):
    """What was stored of one delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The same whenever the same delivery comes: a ready idempotency key."""
    sender_id: str
    source: Source
    received_at: datetime
    raw_hash: str
    """SHA-256 of the body it came in."""
    subject: Annotated[Subject, Field(discriminator="kind")]

    @property
    def kind(self) -> Kind:
        """What it tells."""
        return self.subject.kind


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sender_id(given: str) -> str:
    """The name of a delivery as its sender gave it, or nothing when it is none that one may store and show.

    >>> sender_id("72d3162e-cc78-11e3-81ab-4c9367dc0958"), sender_id("a b"), sender_id("x" * 201)
    ('72d3162e-cc78-11e3-81ab-4c9367dc0958', '', '')
    """
    return given if _SENDER_ID.fullmatch(given) else ""


def without_credentials(address: str) -> str:
    """The address without user, password, query and fragment; nothing when it is none that one should clone from.

    >>> without_credentials("https://user:token@dev.azure.com/org/_git/data?sig=1")
    'https://dev.azure.com/org/_git/data'
    >>> without_credentials("ext::sh -c touch% /tmp/x"), without_credentials("http://[")
    ('', '')
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in _CLONED:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
