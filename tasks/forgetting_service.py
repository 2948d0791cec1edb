"""A speaker's data on the Speech service: the datasets that hold them, and the evaluations that transcribed them."""

from collections.abc import Iterable, Mapping, Sequence

from domain.lineage.forgetting import Holding
from speech_client import Dataset, Evaluation, SpeechClient, SpeechError
from tasks.entities import HASH_PROPERTY, Remote


async def held_by_service(client: SpeechClient, hashes: Iterable[str], only: str = "") -> tuple[Holding, ...]:
    """Evaluations and datasets to remove, in that order, then the models that have learnt from the datasets.

    Args:
        client: of the Speech resource.
        hashes: content hashes of the datasets that hold the speaker's recordings.
        only: a track's name, when only what belongs to it is meant.

    Raises:
        SpeechError: the service cannot be asked.
    """
    wanted = frozenset(hashes)
    datasets = [one async for one in client.datasets.list() if _is_meant(one, wanted, only)]
    ids = {one.id: one for one in datasets}
    evaluations = [one async for one in client.evaluations.list() if one.dataset.id in ids]
    models = [one async for one in client.models.list() if any(part.id in ids for part in one.datasets or ())]
    return (
        *(_holding("evaluation, with transcripts", one) for one in evaluations),
        *(_holding("dataset", one) for one in datasets),
        *(_holding("model", one, fate="kept", why=_LEARNT) for one in models),
    )


_LEARNT = (
    "it has learnt from the recordings, and nobody can take that out of it: train anew without them, release that, and "
    "delete this model"
)


def _is_meant(dataset: Dataset, wanted: frozenset[str], only: str) -> bool:
    """By the full hash that we noted; a pull request's copy of a track's data is `<track>.pr<number>`."""
    noted: Mapping[str, str] = dataset.custom_properties or {}
    return noted.get(HASH_PROPERTY) in wanted and only in ("", noted.get("track", "").partition(".")[0])


def _holding(what: str, entity: Dataset | Evaluation | object, fate: str = "to remove", why: str = "") -> Holding:
    remote = Remote.of(entity)  # type: ignore[arg-type]
    return Holding.model_validate(
        {"place": "service", "what": f"{what} '{remote.name}'", "key": remote.path, "fate": fate, "why": why}
    )


async def remove_from_service(client: SpeechClient, holdings: Sequence[Holding]) -> list[Holding]:
    """Remove what is to go, evaluations first; what the service keeps is told, and the rest goes on."""
    return [await _removed(client, one) if one.fate == "to remove" else one for one in holdings]


async def _removed(client: SpeechClient, held: Holding) -> Holding:
    collection = client.evaluations if held.key.startswith("evaluations/") else client.datasets
    try:
        await collection.delete(held.key)
    except SpeechError as error:
        return held.model_copy(update={"fate": "failed", "why": str(error)})
    return held.model_copy(update={"fate": "removed"})
