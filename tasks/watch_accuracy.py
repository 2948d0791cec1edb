"""The watch's evaluations: is the live model worse than it was, than a newer base model, than the release before?"""

import asyncio
from collections.abc import Iterator

from prefect import task
from prefect.logging import get_run_logger

from domain.comparison import Comparison, Measured
from domain.ruling import Subject
from domain.significance import Gain, gain_of
from domain.watch.accuracy import accuracy_finding, told
from domain.watch.base_news import base_finding
from domain.watch.commands import Commands
from domain.watch.drift import Drift, only, other_recordings, same_recordings
from domain.watch.findings import Finding, Part
from speech_client import SpeechError
from tasks.blocks import load_speech, load_store
from tasks.entities import HASH_PROPERTY
from tasks.retrying import FRESH
from tasks.store import Store
from tasks.watch_records import Record, measured_now, measured_then, tested_last


@task(name="judge-accuracy", description="Has the live model become worse, by more than chance?", **FRESH)
async def judge_accuracy(store: str, record: Record, subject: Subject, digest: str, commands: Commands) -> Part:
    """Hold a fresh evaluation of base and live model against what is on record.

    Args:
        store: name of the store's block.
        record: of the live model.
        subject: what was evaluated: the base model as the benchmark, the live model as the candidate.
        digest: the evaluation's evidence.
        commands: what findings propose.
    """
    keep = await load_store(store)
    now = await measured_now(keep, subject, digest)
    drifts = await asyncio.to_thread(
        lambda then: tuple(_drifts(then, now, subject)), await _records(keep, record, subject)
    )
    customised = await _gain(now, subject)
    points, live = subject.track.watch.drift_points, subject.candidate.name
    found = [accuracy_finding(one, customised, live, subject.testing_hash, points, commands) for one in drifts]
    worst = next((one for one in found if one and one.kind == "accuracy"), next(filter(None, found), None))
    return Part(
        name="accuracy",
        told="; ".join(map(told, drifts)) or f"WER {now.candidate.wer:.1%}; nothing on record can be compared with it",
        findings=(worst,) if worst else (),
        drifts=drifts,
        evidence=digest,
    )


@task(name="judge-newer-base", description="How good is the newer base model beside the live model?", **FRESH)
async def judge_newer_base(store: str, subject: Subject, digest: str, commands: Commands) -> Finding:
    """What an evaluation of a newer base model (benchmark) and the live model (candidate) shows."""
    compared = await measured_now(await load_store(store), subject, digest)
    rates = compared.benchmark.wer or 0.0, compared.candidate.wer or 0.0
    gain = await _gain(compared, subject)
    return base_finding(subject.benchmark.name, subject.candidate.name, gain, rates, commands)


@task(name="judge-previous", description="Is the release before better than the live one?", **FRESH)
async def judge_previous(store: str, subject: Subject, digest: str) -> Gain:
    """The gain of an earlier model (candidate) over the live one (benchmark), in one evaluation."""
    return await _gain(await measured_now(await load_store(store), subject, digest), subject)


@task(name="remove-evaluation", description="Remove the watch's evaluation; its evidence stays.", **FRESH)
async def remove_evaluations(speech: str, identities: list[str]) -> None:
    """Delete evaluations by the full hash of their identity: one a day would pile up. What cannot go, stays."""
    try:
        async with (await load_speech(speech)).client() as client:
            everything = [one async for one in client.evaluations.list()]
            for one in everything:
                if (one.custom_properties or {}).get(HASH_PROPERTY) in identities:
                    await client.evaluations.delete(one)
    except SpeechError as error:
        get_run_logger().info("An evaluation of the watch stays on the Speech service: %s", error)


_Then = tuple[str, Measured, Measured | None, bool]
"""What the record is, the live model's and the base model's result then, and whether the recordings are the same."""


async def _records(store: Store, record: Record, subject: Subject) -> tuple[list[_Then], Comparison]:
    """What is on record: of the release, and of the last test on the current data when that was another one."""
    comparison, base = await measured_then(store, record)
    without = frozenset(record.ruling.verdict.excluded)
    same = record.ruling.subject.testing_hash == subject.testing_hash
    name = f"release {record.release.version or record.release.number}"
    found: list[_Then] = [(name, only(comparison.candidate, without), only(base, without), same)]
    benchmark = record.state.benchmark
    if benchmark and benchmark.model == record.release.model and benchmark.testing_hash == subject.testing_hash:
        tested = None if benchmark.evidence == record.ruling.measurement else await tested_last(
            store, benchmark, record.release.model
        )  # fmt: skip
        found += [("the last test", tested, None, True)] if tested else []
    return found, comparison


def _drifts(known: tuple[list[_Then], Comparison], now: Comparison, subject: Subject) -> Iterator[Drift]:
    confidence = subject.track.gate.confidence_percent / 100
    records, comparison = known
    for name, live, base, same in records:
        if live.scorecard.normaliser != now.candidate.scorecard.normaliser or live.wer is None:
            continue  # another normaliser makes other words of the same answer
        if same:
            drift = same_recordings(name, live, now.candidate, now.labels, confidence)
        else:
            drift = other_recordings(name, (live, comparison.labels), (now.candidate, now.labels), confidence)
        yield drift.model_copy(update={"base_now": now.benchmark.wer, "base_then": base.wer if base else None})


async def _gain(comparison: Comparison, subject: Subject) -> Gain:
    confidence = subject.track.gate.confidence_percent / 100
    return await asyncio.to_thread(gain_of, comparison, confidence=confidence)
