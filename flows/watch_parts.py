"""What a watch looks at. Each look fails on its own: what could not be looked at is a finding, and the others go on."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from prefect.logging import get_run_logger

from domain.mistakes import Mistake
from domain.naming import evaluation_identity
from domain.ruling import ModelRef, Subject
from domain.watch.commands import Commands
from domain.watch.endpoint import interrupted
from domain.watch.findings import Part, unchecked
from domain.watch_policy import WatchSettings
from flows.finishing import finish_interrupted
from speech_client import SpeechError
from tasks.datasets import await_datasets, start_datasets
from tasks.entities import Remote
from tasks.evaluations import measure
from tasks.lines import snapshot_of_line
from tasks.orchestrator import crash_if_cut_off
from tasks.retention import retire
from tasks.snapshots import Snapshot, subject_of, take_snapshot
from tasks.watch_accuracy import judge_accuracy, judge_newer_base, remove_evaluations
from tasks.watch_endpoint import check_endpoint
from tasks.watch_models import find_newer_base, read_calendar
from tasks.watch_production import look_at_production
from tasks.watch_records import Record


@dataclass(frozen=True, slots=True)
class Testing:
    """The current testing data, on the Speech service."""

    snapshot: Snapshot
    dataset: Remote


@dataclass(frozen=True, slots=True)
class Watch:
    """What all looks of one watch share."""

    record: Record
    commands: Commands
    occasion: str
    """Each watch has an evaluation of its own, for the service may answer otherwise than yesterday."""
    testing: Testing | Exception
    """The current testing data, or why there are none that could be used."""
    transcripts: str = ""
    """Folder of the store with production transcripts; empty when nobody puts any there."""
    made: list[str] = field(default_factory=list)
    """Full hashes of the identities of evaluations that are nobody's but this watch's."""

    @property
    def speech(self) -> str:
        """Name of the Speech Resource block."""
        return self.commands.speech

    @property
    def store(self) -> str:
        """Name of the store's block."""
        return self.commands.store

    @property
    def ready(self) -> Testing:
        """The testing data.

        Raises:
            Exception: why there are none that could be used.
        """
        if isinstance(self.testing, Exception):
            raise self.testing
        return self.testing

    @property
    def settings(self) -> WatchSettings:
        """Section `[watch]` of the track as it is now; when its data cannot be read, as it was at the release."""
        known = isinstance(self.testing, Testing)
        return self.ready.snapshot.track.watch if known else self.record.ruling.subject.track.watch

    def subject(self, first: ModelRef, second: ModelRef) -> Subject:
        """Two models to measure on the current testing data."""
        return subject_of(self.ready.snapshot, self.record.base, first, second)

    async def measured(self, subject: Subject) -> str:
        """A fresh evaluation of two models; the digest of its evidence."""
        pair = subject.benchmark.path, subject.candidate.path
        made = evaluation_identity(subject.track.name, *pair, subject.testing_hash, self.occasion)
        self.made.append(made.content_hash)
        return (await measure(self.speech, self.store, subject, self.ready.dataset, self.occasion))[0]


async def settled(commands: Commands) -> Part:
    """Nobody is at the endpoint: a release under way is waited for, one that a crash interrupted is finished or taken back."""
    name = "interrupted releases"
    try:
        await finish_interrupted(commands.track, commands.speech, commands.store)
        await retire(commands.speech, commands.store, commands.track)
    except Exception as error:
        crash_if_cut_off(error)
        get_run_logger().error("What was interrupted stays so (%s): %s", type(error).__name__, said(error))
        return Part(name=name, told=said(error), findings=(interrupted(said(error), commands),))
    return Part(name=name, told="none")


async def prepared(told: Commands, revision: str, record: Record) -> Testing | Exception:
    """The current testing data, checked and uploaded; or why they cannot be used, which is told by those who need them."""
    try:
        snapshot = await testing_snapshot(told, revision, record)
        testing = await start_datasets(told.speech, told.store, snapshot.track, snapshot.revision, [snapshot.testing])
        await await_datasets(told.speech, snapshot.track, testing, testing[0])
    except Exception as error:
        crash_if_cut_off(error)
        return error
    return Testing(snapshot, testing[0])


async def testing_snapshot(told: Commands, revision: str, record: Record) -> Snapshot:
    """The track's testing data as they are now; a promoted track has none of its own, but those that it was promoted with."""
    if record.state.speech:
        return snapshot_of_line(record.ruling.subject)
    return await take_snapshot(told.track, told.data, revision, told.store, training=False, source=told.source)


async def looks(watch: Watch) -> list[Part]:
    """All looks, side by side."""
    commands, days = watch.commands, watch.settings.expiry_days
    parts: list[tuple[str, Awaitable[Part]]] = [
        ("accuracy", accuracy(watch)),
        ("live endpoint", check_endpoint(watch.speech, watch.store, watch.record, commands)),
        ("expiry", read_calendar(watch.speech, watch.record, days, commands)),
    ]
    if not watch.record.state.speech:  # a promoted track is trained at home
        parts.append(("newer base model", newer_base(watch)))
    if watch.transcripts:
        parts.append(("production", look_at_production(watch.store, watch.record, watch.transcripts)))
    return list(await asyncio.gather(*(looked(name, part, commands) for name, part in parts)))


async def looked(name: str, look: Awaitable[Part], commands: Commands) -> Part:
    """One look; what it stumbled over becomes a finding."""
    try:
        return await look
    except Exception as error:
        crash_if_cut_off(error)
        return _unchecked(name, error, commands)


async def accuracy(watch: Watch) -> Part:
    """The live model on the current testing data, with its base model beside it."""
    subject = watch.subject(watch.record.base, watch.record.release.ref)
    digest = await watch.measured(subject)
    return await judge_accuracy(watch.store, watch.record, subject, digest, watch.commands)


async def newer_base(watch: Watch) -> Part:
    """A newer base model, and how it does beside the live model; measured once for the same data."""
    name, newer = "newer base model", await find_newer_base(watch.speech, watch.record)
    if newer is None:
        return Part(name=name, told="there is none")
    subject = watch.subject(newer, watch.record.release.ref)
    digest, _ = await measure(watch.speech, watch.store, subject, watch.ready.dataset)
    finding = await judge_newer_base(watch.store, subject, digest, watch.commands)
    return Part(name=name, told=finding.detail, findings=(finding,))


async def sweep(watch: Watch) -> None:
    """Remove the evaluations of this watch from the service; the evidence stays in the store."""
    if watch.made:
        await looked("sweep", _swept(watch), watch.commands)


async def _swept(watch: Watch) -> Part:
    await remove_evaluations(watch.speech, watch.made)
    return Part(name="sweep", told="")


def said(error: Exception) -> str:
    """An error's message, if it is one that is meant for people; of others the kind alone, for they may quote anything."""
    return str(error) if isinstance(error, Mistake | SpeechError | ConnectionError) else type(error).__name__


def _unchecked(name: str, error: Exception, commands: Commands) -> Part:
    get_run_logger().error("%s could not be checked (%s): %s", name, type(error).__name__, said(error))
    found = unchecked(commands.track, name, said(error), commands.watch())
    return Part(name=name, told=f"could not be checked: {said(error)}", findings=(found,))
