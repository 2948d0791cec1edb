"""What we have made on the Speech service: everything with our properties, in one look."""

from collections.abc import AsyncIterator
from typing import Any, Final

from domain.retention import Held
from speech_client import SpeechClient
from tasks.entities import HASH_PROPERTY

_KINDS: Final = ("endpoint", "evaluation", "model", "dataset")
_REFERENCES: Final = ("model", "model1", "model2", "dataset", "base_model")


async def read_holdings(client: SpeechClient, *kinds: str) -> list[Held]:
    """All entities of these kinds (of all, when none is named) that we made, whatever they are called."""
    return [held for kind in kinds or _KINDS async for held in _of_kind(client, kind)]


async def remove(client: SpeechClient, held: Held) -> None:
    """Delete it; what is gone already is fine.

    Raises:
        Conflict: the service does not let it go.
    """
    await getattr(client, f"{held.kind}s").delete(held.id)


async def _of_kind(client: SpeechClient, kind: str) -> AsyncIterator[Held]:
    async for entity in getattr(client, f"{kind}s").list():
        properties = entity.custom_properties or {}
        if HASH_PROPERTY in properties and properties.get("track"):
            yield Held(
                kind=kind,
                path=f"{entity.collection}/{entity.id}",
                name=entity.display_name,
                track=properties["track"],
                status=str(entity.status),
                content_hash=properties[HASH_PROPERTY],
                created=entity.created_date_time,
                uses=tuple(_uses(entity)),
            )


def _uses(entity: Any) -> list[str]:
    one = [getattr(entity, name, None) for name in _REFERENCES]
    return [reference.id for reference in (*one, *(getattr(entity, "datasets", None) or ())) if reference]
