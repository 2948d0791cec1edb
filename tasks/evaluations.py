"""Evaluations: both models on the same recordings, and the service's transcripts scored by us."""

import asyncio
import json
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from prefect import task
from prefect.logging import get_run_logger

from domain.corpus import canonical_name
from domain.naming import evaluation_identity, fingerprint
from domain.normalise import normaliser_for
from domain.ruling import Subject
from domain.track import Track
from domain.wer import score_utterances
from speech_client import EntityReference, File, NewEvaluation, SpeechClient, TranscriptionResult
from tasks import evidence
from tasks.blocks import load_speech, load_store
from tasks.entities import Remote, find_or_create, provenance
from tasks.progress import watching
from tasks.retrying import FRESH, REMOTE
from tasks.snapshots import read_sheet
from tasks.waking import wait_until_final

_AT_ONCE = 8


@task(name="find-measurement", description="Has this very comparison been measured already?", **FRESH)
async def find_measurement(store: str, subject: Subject, occasion: str = "") -> str | None:
    """The digest of the evidence, when the same two models were scored on the same data with the same normaliser."""
    return await evidence.find(await load_store(store), _identity(subject, occasion))


@task(name="start-evaluation", description="Find or create the evaluation of both models.", **REMOTE)
async def start_evaluation(speech: str, subject: Subject, dataset: Remote, occasion: str = "") -> Remote:
    """Start ONE evaluation: model 1 is the benchmark, model 2 the candidate. See `measure` for the occasion."""
    track, pair = subject.track, (subject.benchmark.path, subject.candidate.path)
    identity = evaluation_identity(track.name, *pair, subject.testing_hash, occasion)
    async with (await load_speech(speech)).client() as client:

        def draft(name: str) -> NewEvaluation:
            return NewEvaluation(
                display_name=name,
                locale=track.locale,
                description=f"'{subject.benchmark.name}' and '{subject.candidate.name}' on data at {subject.revision}",
                model1=client.reference(pair[0]),
                model2=client.reference(pair[1]),
                dataset=client.reference(dataset.path),
                custom_properties=provenance(identity, track.name, subject.revision) | {"testingKind": "Evaluation"},
            )

        evaluation, created = await find_or_create(client.evaluations, identity, draft)
    return Remote.of(evaluation, created=created)


@task(name="await-evaluation", description="Wait until both models have transcribed every recording.", **REMOTE)
async def await_evaluation(speech: str, track: Track, evaluation: Remote) -> None:
    """Wait for the evaluation.

    Raises:
        JobFailed, JobTimedOut: there is no result.
    """
    resource = await load_speech(speech)
    async with (
        resource.client() as client,
        watching(f"{track.name}-evaluation", f"Evaluating '{evaluation.name}'", 1) as watch,
    ):
        entity = await client.evaluations.get(evaluation.path)
        await wait_until_final(client, entity, patience=track.patience.of("evaluation"), on_poll=watch)


@task(name="score-evaluation", description="Score the transcripts and keep everything as evidence.", **REMOTE)
async def score_evaluation(speech: str, store: str, subject: Subject, evaluation: Remote, occasion: str = "") -> str:
    """Download every transcript of both models, score them against the references, and keep the evidence.

    Returns:
        The digest of the bundle: `evaluation.json`, `benchmark.json`, `candidate.json`, `confidences.json`, `sheet.json`.
    """
    keep = await load_store(store)
    async with (await load_speech(speech)).client() as client:
        entity = await client.evaluations.get(evaluation.path)
        heard = await asyncio.gather(
            *(_transcripts(client, side) for side in (entity.transcription1, entity.transcription2))
        )
    sheet = await read_sheet(keep, subject.sheet)
    normaliser = normaliser_for(subject.track.locale)
    benchmark, candidate = [
        await asyncio.to_thread(score_utterances, sheet.references, [(one.name, one.text) for one in side], normaliser)
        for side in heard
    ]
    digest = await evidence.keep(
        keep,
        {
            "evaluation.json": json.dumps(entity.to_record(), indent=2).encode(),
            "benchmark.json": benchmark.to_json(),
            "candidate.json": candidate.to_json(),
            "confidences.json": json.dumps([{one.name: one.words for one in side} for side in heard]).encode(),
            "sheet.json": sheet.model_dump_json().encode(),
        },
    )
    if benchmark.is_complete and candidate.is_complete:
        await evidence.index(keep, _identity(subject, occasion), digest)
    get_run_logger().info("Scored %d recordings; evidence %s", len(sheet.references), digest[:12])
    return digest


async def measure(speech: str, store: str, subject: Subject, dataset: Remote, occasion: str = "") -> tuple[str, bool]:
    """Bring the evidence about: found, or by one evaluation. Returns its digest and whether an evaluation was started.

    Args:
        speech: name of the Speech Resource block.
        store: name of the store's block.
        subject: which two models, on which testing data.
        dataset: the testing dataset on the service.
        occasion: why the same models are measured anew on the same data, such as the run of a watch; each has an
            evaluation and evidence of its own. Left empty, what was measured once stands.
    """
    known = await find_measurement(store, subject, occasion)
    if known:
        return known, False
    evaluation = await start_evaluation(speech, subject, dataset, occasion)
    await await_evaluation(speech, subject.track, evaluation)
    return await score_evaluation(speech, store, subject, evaluation, occasion), evaluation.created


class _Heard(NamedTuple):
    """What a model heard in the recording `name`: its words as spoken, and how sure the service is of each."""

    name: str
    text: str
    words: tuple[tuple[str, float], ...]


async def _transcripts(client: SpeechClient, transcription: EntityReference | None) -> list[_Heard]:
    """What a model heard in each recording."""
    if transcription is None:
        return []
    files = [file async for file in client.transcriptions.files(transcription) if file.kind == "Transcription"]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def read(file: File) -> _Heard:
        async with turn:
            result = TranscriptionResult.from_json(await client.download(file))
        return _Heard(_recording(file, result), result.lexical, result.confidences)

    return await asyncio.gather(*map(read, files))


def _recording(file: File, result: TranscriptionResult) -> str:
    name = PurePosixPath(unquote(urlsplit(result.source).path)).name
    return canonical_name(name or file.name.removesuffix(".json"))


def _identity(subject: Subject, occasion: str) -> str:
    identity = subject.measurement_identity(normaliser_for(subject.track.locale).fingerprint)
    return fingerprint(identity, occasion) if occasion else identity
