"""Leaks between training and testing data: in a track's folder before anything is uploaded, and in the store later.

`leaks_in_folder` tells the lines that people can open. `check_leaks` searches what earlier models learnt.
"""

import asyncio
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from domain.corpus import Labels
from domain.leakage import Leak, LeakReport, Recording, Testing, Training, TrainingText, find_leaks
from domain.problems import collected_in
from domain.text_lines import read_lines
from tasks.acoustic import LABELS, TRANSCRIPTS, Acoustic, check_acoustic, transcript_file
from tasks.filesets import FileSet, is_there
from tasks.packing import MOST_PLAIN_TEXT, PLAIN_TEXT, read_labels
from tasks.prints import prints_of
from tasks.store import Store
from tasks.track_files import TrackFiles

_PRINTS_KEY = "{key}.prints-1.json"
"""Whoever changes what a print is raises the number."""


class Prints(BaseModel):
    """What there is to know of a packed acoustic dataset: then its recordings are fetched but once."""

    model_config = ConfigDict(frozen=True)

    recordings: tuple[Recording, ...]
    transcripts: tuple[tuple[int, str], ...]


def leaks_in_folder(track_folder: Path, locale: str) -> LeakReport:
    """Search a track's training data, as they lie in its folder, for its testing data.

    Raises:
        DataRejected: the data have problems; packing tells the same, but for labels of training recordings.
    """
    with ExitStack() as stack:
        track = TrackFiles(track_folder, stack)
        training, testing = _training(track), _testing(track, track_folder)
        track.raise_problems()
        report = find_leaks(training, testing, locale)
        track.raise_problems()  # lines that cannot be read were met only now
        return report


def _training(track: TrackFiles) -> Training:
    sets = track.recordings("training/audio", track.zips("training"))
    acoustics = [check_acoustic(one, track.problems) for one in sets]
    labelled = [one for one in acoustics if LABELS in one.files.sizes]
    return Training(
        texts=[*_plain_text(track), *map(_transcripts, acoustics)],
        recordings=_prints(track, acoustics),
        labels={one.files.place(LABELS): read_labels(track, one) for one in labelled},
    )


def _testing(track: TrackFiles, track_folder: Path) -> Testing:
    ready = ["testing.zip"] if is_there(track_folder / "testing.zip", track_folder) else []
    sets = track.recordings("testing", [*ready, *track.zips("testing")])
    acoustics = [check_acoustic(one, track.problems) for one in sets]
    return Testing(
        references={row.name: row.text for one in acoustics for row in one.transcripts},
        recordings=_prints(track, acoustics),
        labels={name: row for one in acoustics for name, row in read_labels(track, one).items()},
        file=track.label("testing"),
    )


def _plain_text(track: TrackFiles) -> Iterator[TrainingText]:
    files = track.folder("training")
    if PLAIN_TEXT in files.sizes:
        with collected_in(track.problems):
            data, place = files.read_text(PLAIN_TEXT, MOST_PLAIN_TEXT), files.place(PLAIN_TEXT)
            yield TrainingText(place, read_lines(data, place, track.problems))


def _transcripts(acoustic: Acoustic) -> TrainingText:
    place = acoustic.files.place(transcript_file(acoustic.files) or TRANSCRIPTS)
    return TrainingText(place, [(row.line, row.text) for row in acoustic.transcripts], written=False)


def _prints(track: TrackFiles, acoustics: Sequence[Acoustic]) -> tuple[Recording, ...]:
    prints: list[Recording] = []
    with collected_in(track.problems):
        for one in acoustics:
            prints += prints_of(one.files, one.recordings)
    return tuple(prints)


async def check_leaks(
    store: Store,
    testing: str,
    references: Mapping[str, str],
    labels: Labels,
    training: Iterable[str],
    locale: str,
) -> LeakReport:
    """Search packed training data, such as those of earlier models, for testing data.

    Args:
        store: holds them.
        testing: the key of the packed testing data.
        references: what is said in the testing recordings.
        labels: the testing recordings' labels.
        training: keys of packed training data; those that the store has lost are told in the report.
        locale: whose normaliser makes texts comparable.
    """
    keys = list(dict.fromkeys(training))
    kept = [key for key in keys if await store.exists(key)]
    lost = [_lost(key) for key in keys if key not in kept]
    async with AsyncExitStack() as stack:
        learnt = await _learnt(store, kept, stack)
        tested = Testing(references, (await prints_in(store, testing)).recordings, labels, testing)
        report = await asyncio.to_thread(find_leaks, learnt, tested, locale)
    return report.model_copy(update={"leaks": (*lost, *report.leaks)})


async def _learnt(store: Store, keys: Sequence[str], stack: AsyncExitStack) -> Training:
    texts: list[TrainingText] = []
    recordings: list[Recording] = []
    for key in keys:
        if key.endswith(".zip"):
            prints = await prints_in(store, key)
            texts.append(TrainingText(f"{key}/{TRANSCRIPTS}", prints.transcripts, written=False))
            recordings += prints.recordings
        else:
            path = await stack.enter_async_context(store.local_copy(key))
            texts.append(TrainingText(key, _lines(path), written=False))
    return Training(texts, recordings)


def _lost(key: str) -> Leak:
    reason = "training data of an earlier model are no longer in the store, so nobody can search them"
    return Leak(kind="not searched", file=key, reason=reason, blocks=False)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", newline="\n") as lines:
        yield from enumerate(lines, start=1)


async def prints_in(store: Store, key: str, *, keep: bool = True) -> Prints:
    """The prints of a packed dataset: taken once, then kept beside it, if `keep` says so.

    Raises:
        KeyError: the store has lost the dataset.
    """
    kept = await store.read(_PRINTS_KEY.format(key=key))
    if kept:
        return Prints.model_validate_json(kept.data)
    async with store.local_copy(key) as path:
        prints = await asyncio.to_thread(_take_prints, path, key)
    if keep:
        await store.write(_PRINTS_KEY.format(key=key), prints.model_dump_json().encode())
    return prints


def _take_prints(path: Path, key: str) -> Prints:
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist() if member.filename != TRANSCRIPTS}
        lines = read_lines(archive.read(TRANSCRIPTS), TRANSCRIPTS, [])
        return Prints(
            recordings=tuple(prints_of(FileSet(key, sizes, archive.open), sorted(sizes))),
            transcripts=tuple((line.number, line.text.partition("\t")[2]) for line in lines),
        )
