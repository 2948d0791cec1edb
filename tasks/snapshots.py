"""What a run works on: the track's settings and data as they are now, checked, packed and kept by content."""

import asyncio
import hashlib
import json
import subprocess
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from prefect import task
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from domain.comparison import Phrase
from domain.leakage import LeakReport
from domain.mistakes import Mistake
from domain.problems import DataRejected, Problem
from domain.ruling import ModelRef, Subject, TrainedOn
from domain.track import Track
from domain.wav import Audio, check_wav, plain_wav
from tasks.blocks import load_store
from tasks.data_source import Opened
from tasks.leaks import leaks_in_folder
from tasks.orchestrator import displayed
from tasks.packing import PackedDataset, PackedTesting, pack_testing, pack_training
from tasks.repository import SAFE, git_environment
from tasks.retrying import REMOTE
from tasks.scratch import scratch_folder
from tasks.sources import load_source
from tasks.store import Store
from tasks.track_files import read_track

Found = TypeVar("Found")


class Packed(BaseModel):
    """One dataset, ready to upload: `content_hash` is its identity, `key` where the store keeps its bytes."""

    model_config = ConfigDict(frozen=True)

    kind: str
    content_hash: str
    key: str
    items: int
    seconds: float


class Snapshot(BaseModel):
    """A track at one revision. `sheet` is the store's key of the testing data's references and labels."""

    model_config = ConfigDict(frozen=True)

    track: Track
    revision: str
    training: tuple[Packed, ...] = ()
    testing: Packed
    sheet: str
    leaks: LeakReport | None = None
    """What training and testing data share; None when no training data were read."""
    authors: tuple[str, ...] = ()
    """Who changed the data, as the commit says; empty when nobody can tell."""
    source: str = ""
    """Name of the data source's block; empty for a folder."""


class Sheet(BaseModel):
    """What was said in each testing recording, its labels and seconds, and the phrases that matter."""

    model_config = ConfigDict(frozen=True)

    references: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    seconds: Mapping[str, float] = {}
    phrases: tuple[Phrase, ...] = ()


def subject_of(
    snapshot: Snapshot, base: ModelRef, benchmark: ModelRef, candidate: ModelRef, recipe: str = ""
) -> Subject:
    """What a measurement or a ruling on this snapshot is about."""
    return Subject(
        track=snapshot.track,
        revision=snapshot.revision,
        base=base,
        benchmark=benchmark,
        candidate=candidate,
        recipe=recipe,
        testing_hash=snapshot.testing.content_hash,
        testing=snapshot.testing.key,
        sheet=snapshot.sheet,
        training=tuple(TrainedOn(**packed.model_dump()) for packed in snapshot.training) if recipe else (),
        source=snapshot.source,
    )


@task(
    name="take-snapshot",
    description="Read the track's settings and data, check every row, pack what Azure wants.",
    **REMOTE,
)
async def take_snapshot(
    track: str, data: str, revision: str, store: str, *, training: bool, source: str = ""
) -> Snapshot:
    """Read a track's settings and data, check them, and keep the packed datasets in the store.

    Args:
        track: the track's name.
        data: the folder of all tracks.
        revision: what to call this state of the data, empty asks git; of a source: which state, empty is the newest.
        store: name of the store's block.
        training: whether training data are needed as well.
        source: name of a data source's block; then `data` is not read.

    Raises:
        Mistake: the track or its data have problems; each is told with file, line, reason and remedy.
    """
    async with _opened(source, track, data, revision, store) as opened:
        snapshot = (await _snapshot_of(opened, track, store, training)).model_copy(update={"source": source})
    await _name_run(snapshot)
    get_run_logger().info(
        "Snapshot of '%s' at %s: %d recordings to test with (%.0f s), %d training datasets",
        track, snapshot.revision, snapshot.testing.items, snapshot.testing.seconds, len(snapshot.training),
    )  # fmt: skip
    return snapshot


async def read_settings(track: str, data: str, store: str, source: str = "") -> tuple[Track, tuple[str, ...]]:
    """A track's settings as they are now, and the names of the tracks that are beside it in the data.

    Args:
        track: the track's name.
        data: the folder of all tracks.
        store: name of the store's block.
        source: name of a data source's block; then `data` is not read, and only this track may be known.

    Raises:
        Mistake: there is no such track, or its settings are wrong.
    """
    async with _opened(source, track, data, "", store) as opened:
        settings = read_track(opened.data, track)[1]
        return settings, tuple(sorted(path.parent.name for path in opened.data.glob("*/track.toml")))


@asynccontextmanager
async def _opened(source: str, track: str, data: str, revision: str, store: str) -> AsyncIterator[Opened]:
    if not source:
        yield Opened(Path(data), revision)
        return
    place = await load_source(source, store)
    async with place.opened(revision or await place.newest(), track) as opened:
        yield opened


async def _snapshot_of(opened: Opened, track: str, store: str, training: bool) -> Snapshot:
    folder, settings = read_track(opened.data, track)
    keep = await load_store(store)
    with scratch_folder() as scratch:
        testing, packed = await asyncio.to_thread(_pack, folder, scratch, settings.locale if training else None)
        leaks = await asyncio.to_thread(leaks_in_folder, folder, settings.locale) if training else None
        kept = [await _keep(keep, dataset) for dataset in (testing.dataset, *packed)]
    sheet = Sheet(
        references=testing.references, labels=testing.labels, seconds=testing.seconds, phrases=testing.phrases
    )
    return Snapshot(
        track=settings,
        revision=opened.revision or await asyncio.to_thread(git_revision, folder),
        training=tuple(kept[1:]),
        testing=kept[0],
        sheet=await _keep_sheet(keep, kept[0].content_hash, sheet),
        leaks=leaks,
        authors=opened.authors or await asyncio.to_thread(git_authors, folder),
    )


async def _name_run(snapshot: Snapshot) -> None:
    """Let the run's name tell the revision, which is known only now."""
    async with get_client() as client:
        await displayed(client.update_flow_run, flow_run.id, name=f"{snapshot.track.name} @ {snapshot.revision}")


def git_revision(folder: Path) -> str:
    """The commit that `folder` is at, `+changes` when it differs from it, `local` outside a repository."""
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return "local"
    return f"{commit}+changes" if changed else commit


def git_authors(folder: Path) -> tuple[str, ...]:
    """Who made the last commit that changed `folder`, such as `Ada <ada@example.org>`; empty when that cannot be told."""
    try:
        if _git(folder, "status", "--porcelain", "--", "."):
            return ()
        author = _git(folder, "log", "-1", "--no-show-signature", "--format=%an <%ae>", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return ()
    return (author,) if author else ()


async def read_sheet(store: Store, key: str) -> Sheet:
    """The references and labels that a snapshot points to."""
    stored = await store.read(key)
    if stored is None:
        raise Mistake(f"the store has lost {key}. Run the flow again.")
    return Sheet.model_validate_json(stored.data)


async def read_recordings(store: Store, key: str, names: Iterable[str]) -> dict[str, bytes]:
    """The named recordings of a packed dataset: the same samples, behind a plain header.

    Raises:
        Mistake: the store has lost the dataset, or it is damaged.
    """
    return await _from_packed(store, key, partial(_plain, names=frozenset(names)))


async def short_recordings(store: Store, key: str, seconds: float) -> frozenset[str]:
    """The names of the recordings of a packed dataset that last no longer than this; of none whose length nobody can tell.

    Raises:
        Mistake: as for `read_recordings`.
    """
    return await _from_packed(store, key, partial(_shorter, seconds=seconds))


async def _from_packed(store: Store, key: str, read: Callable[[zipfile.ZipFile], Found]) -> Found:
    try:
        async with store.local_copy(key) as path:
            return await asyncio.to_thread(_read_zip, path, read)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError):
        raise Mistake(
            f"the store {store} has lost {key}, or it is damaged there. Remove it if it is still there, and run the flow "
            "again: the recordings are packed anew."
        ) from None


def _read_zip(path: Path, read: Callable[[zipfile.ZipFile], Found]) -> Found:
    with zipfile.ZipFile(path) as archive:
        return read(archive)


def _shorter(archive: zipfile.ZipFile, seconds: float) -> frozenset[str]:
    return frozenset(name for name, found in _checked(archive) if isinstance(found, Audio) and found.seconds <= seconds)


def _checked(archive: zipfile.ZipFile) -> Iterator[tuple[str, Audio | Problem]]:
    for member in archive.infolist():
        if member.filename.lower().endswith(".wav"):
            with archive.open(member) as stream:
                name = PurePosixPath(member.filename).name
                yield name, check_wav(stream, member.file_size, name)


def _plain(archive: zipfile.ZipFile, names: frozenset[str]) -> dict[str, bytes]:
    members = {PurePosixPath(member.filename).name: member for member in archive.infolist()}
    return {name: _plain_member(archive, members[name]) for name in names if name in members}


def _plain_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One recording; one that was packed before files like it were refused goes as it is, and the service judges it."""
    with archive.open(member) as stream:
        found = check_wav(stream, member.file_size, member.filename)
        return plain_wav(stream, found) if isinstance(found, Audio) else archive.read(member)


def _pack(folder: Path, scratch: Path, locale: str | None) -> tuple[PackedTesting, tuple[PackedDataset, ...]]:
    """Pack all data, or tell the problems of all data at once; without a locale no training data."""
    problems: list[Problem] = []
    packed: tuple[PackedDataset, ...] = ()
    try:
        testing = pack_testing(folder, scratch / "testing")
    except DataRejected as error:
        problems += error.problems
    try:
        packed = pack_training(folder, scratch / "training", locale) if locale else ()
    except DataRejected as error:
        problems += error.problems
    if problems:
        raise DataRejected(problems)
    return testing, packed


async def _keep(store: Store, dataset: PackedDataset) -> Packed:
    key = f"snapshots/{dataset.content_hash}{dataset.path.suffix}"
    if not await store.exists(key):
        await store.upload(key, dataset.path)
    return Packed(
        kind=dataset.kind, content_hash=dataset.content_hash, key=key, items=dataset.items, seconds=dataset.seconds
    )


async def _keep_sheet(store: Store, content_hash: str, sheet: Sheet) -> str:
    document = json.dumps(sheet.model_dump(mode="json"), ensure_ascii=False, sort_keys=True).encode()
    key = f"snapshots/{content_hash}.{hashlib.sha256(document).hexdigest()[:12]}.sheet.json"
    await store.write(key, document)
    return key


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *SAFE, "-c", "safe.bareRepository=explicit", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=git_environment())
    return done.stdout.strip()
