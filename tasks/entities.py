"""Find an entity on the Speech service by what it is, or create it: once, whatever gets lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.mistakes import Mistake
from domain.naming import Identity
from domain.ruling import ModelRef
from speech_client import Entity, F, SpeechError, Status

HASH_PROPERTY = "contentHash"
SETTLE_SECONDS = 5.0
"""How long a list may lag behind a create whose answer we lost, with a margin; undocumented, so our guess."""
_ATTEMPTS = 20
_NO_DATE = datetime.max.replace(tzinfo=UTC)

Sleep = Callable[[float], Awaitable[None]]


class Remote(BaseModel):
    """An entity on the Speech service as tasks hand it on: where it is, what it is called, whether this run made it."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Such as `models/base/<id>`: the same on every host."""
    name: str
    created: bool = False

    @classmethod
    def of(cls, entity: Entity, *, created: bool = False) -> "Remote":
        """The hand-over form of an entity that the service sent."""
        return cls(path=f"{entity.collection}/{entity.id}", name=entity.display_name, created=created)

    @property
    def ref(self) -> ModelRef:
        """The form that ledger and evidence keep."""
        return ModelRef(path=self.path, name=self.name)

    @property
    def id(self) -> str:
        """The entity's id."""
        return self.path.rpartition("/")[2]


class Collection(Protocol):
    """What `SpeechClient` offers for every kind of entity."""

    def list(self, *, filter: Any = None) -> AsyncIterator[Any]:  # noqa: A002 - Azure's word
        """The entities that fit."""
        ...

    async def create(self, new: Any, /) -> Any:
        """Create one; sent once."""
        ...


async def find_or_create(
    collection: Collection,
    identity: Identity,
    draft: Callable[[str], Any],
    *,
    settle_seconds: float = SETTLE_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> tuple[Any, bool]:
    """Return the entity of that identity, and whether it was created now.

    Looks up by name and compares the full hash; creates once. After an ambiguous answer it waits longer than a list may
    lag and looks again. A Failed entity is never reused: the next attempt has a name of its own.

    Args:
        collection: such as `speech.models`.
        identity: the name to look for and the hash to compare.
        draft: the create request under a given name.
        settle_seconds: how long to wait after an ambiguous answer.
        sleep: for tests.

    Raises:
        SpeechError: the entity could not be created, or the answer is still ambiguous; calling again is safe.
        Mistake: too many attempts have Failed already.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        wanted = identity.attempt(attempt)
        found = await _oldest(collection, wanted)
        if found is None:
            return await _create(collection, wanted, draft, settle_seconds, sleep)
        if found.status != Status.FAILED:
            return found, False
    raise Mistake(
        f"'{identity.name}' has Failed {_ATTEMPTS} times on the Speech service. Read the errors of the Failed ones in "
        "Speech Studio, mend the cause and delete them."
    )


async def _create(
    collection: Collection, identity: Identity, draft: Callable[[str], Any], settle_seconds: float, sleep: Sleep
) -> tuple[Any, bool]:
    try:
        return await collection.create(draft(identity.name)), True
    except SpeechError as error:
        if not error.ambiguous:
            raise
        await sleep(settle_seconds)
        found = await _oldest(collection, identity)
        if found is None:
            raise
        return found, True


async def _oldest(collection: Collection, identity: Identity) -> Any:
    named = [entity async for entity in collection.list(filter=F.display_name == identity.name)]
    ours = [e for e in named if (e.custom_properties or {}).get(HASH_PROPERTY) == identity.content_hash]
    return min(ours, key=lambda entity: (entity.created_date_time or _NO_DATE, entity.id), default=None)


def provenance(identity: Identity, track: str, revision: str) -> dict[str, str]:
    """The `customProperties` of everything that we create: full hash, track, revision, flow run."""
    known = {HASH_PROPERTY: identity.content_hash, "track": track, "revision": revision, "flowRun": flow_run.id}
    return {name: value[:256] for name, value in known.items() if value}
