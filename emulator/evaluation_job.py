"""Evaluation: both models decode every recording (each only once, ever), then a worker scores them."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from emulator import work
from emulator.base_models import recipe_key_of
from emulator.entities import Evaluation, Noun, Recording, Status, StoredFile, Transcription, id_in, path_of
from emulator.service import Service

CHUNK = 4
"""Recordings per call of a worker: small, so that the work spreads and little is lost by a kill."""
HOURS_KEPT = 48

Scored = tuple[dict[str, Any], dict[str, list[StoredFile]]]


async def run(service: Service, evaluation: Evaluation) -> Callable[[Evaluation], Evaluation]:
    """Evaluate; the entity gets its numbers, its score files and two transcriptions."""
    recordings = service.store.recordings(id_in(evaluation.dataset))
    keys = [recipe_key_of(service.store, model) for model in (evaluation.model1, evaluation.model2)]
    different = list(dict.fromkeys(keys))
    decoded = await asyncio.gather(*(_decode_all(service, key, recordings) for key in different))
    heard = dict(zip(different, decoded, strict=True))
    now = service.clock()
    models_heard = (heard[keys[0]], heard[keys[1]])
    order = work.ScoringOrder(evaluation.id, transcriptions_of(evaluation.id), recordings, models_heard, now)
    scored = await service.pool.run(work.score, service.place, order)
    return partial(_finished, service, recordings, scored, now)


async def _decode_all(service: Service, recipe_key: str, recordings: list[Recording]) -> dict[str, Mapping[str, Any]]:
    """What a model hears in each recording, by audio hash; kept chunk by chunk."""
    audio = list(dict.fromkeys(recording.sha256 for recording in recordings))
    known = service.store.decoded(recipe_key, audio)
    service.store.count("decode_cache_hits", len(known))
    missing = [sha256 for sha256 in audio if sha256 not in known]
    chunks = [missing[start : start + CHUNK] for start in range(0, len(missing), CHUNK)]
    decoded = await asyncio.gather(*(_decode(service, recipe_key, chunk) for chunk in chunks))
    return {**known, **{sha256: one for chunk in decoded for sha256, one in chunk.items()}}


async def _decode(service: Service, recipe_key: str, chunk: list[str]) -> dict[str, dict[str, Any]]:
    recognitions = await service.pool.run(work.decode, service.place, recipe_key, chunk)
    service.store.add_decodes(recipe_key, recognitions)
    return recognitions


def _finished(
    service: Service, recordings: list[Recording], scored: Scored, now: datetime, evaluation: Evaluation
) -> Evaluation:
    properties, files = scored
    seconds = sum(recording.seconds for recording in recordings)
    for number, model in ((1, evaluation.model1), (2, evaluation.model2)):
        service.store.save(_transcription(evaluation, number, model, seconds, now))
    for owner, owned in files.items():
        service.store.set_files(owner, owned)
    service.store.count("evaluations")
    first, second = (path_of(Noun.TRANSCRIPTIONS, made) for made in transcriptions_of(evaluation.id))
    made = {"transcription1": first, "transcription2": second}
    return evaluation.model_copy(update=made).with_properties(**properties, error=None)


def transcriptions_of(evaluation_id: str) -> tuple[str, str]:
    """Ids of the transcriptions of an evaluation: the same when the job runs again."""
    first, second = (str(uuid5(NAMESPACE_URL, f"{evaluation_id}/transcription{number}")) for number in (1, 2))
    return first, second


def _transcription(evaluation: Evaluation, number: int, model: str, seconds: float, now: datetime) -> Transcription:
    return Transcription(
        id=transcriptions_of(evaluation.id)[number - 1],
        display_name=f"{evaluation.display_name} (model {number})",
        locale=evaluation.locale,
        status=Status.SUCCEEDED,
        created_date_time=now,
        last_action_date_time=now,
        model=model,
        dataset=evaluation.dataset,
        properties={
            "wordLevelTimestampsEnabled": True,
            "displayFormWordLevelTimestampsEnabled": False,
            "channels": [0],
            "punctuationMode": "DictatedAndAutomatic",
            "profanityFilterMode": "None",
            "timeToLiveHours": HOURS_KEPT,
            "durationMilliseconds": round(1000 * seconds),
        },
    )
