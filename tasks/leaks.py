"""Leaks between training and testing data: in a track's folder before anything is uploaded, and in the store later.

`leaks_in_folder` tells the lines that people can open. `check_leaks` searches what earlier models learnt.
"""

import asyncio
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from pydantic import TypeAdapter

from domain.corpus import Labels
from domain.leakage import Leak, LeakReport, Recording, Testing, Training, TrainingText, find_leaks
from domain.problems import collected_in
from domain.text_lines import read_lines
from tasks.acoustic import LABELS, TRANSCRIPTS, Acoustic, check_acoustic, transcript_file
from tasks.filesets import FileSet
from tasks.packing import MOST_PLAIN_TEXT, PLAIN_TEXT, read_labels
from tasks.prints import prints_of
from tasks.store import Store
from tasks.track_files import TrackFiles

_PRINTS = TypeAdapter(tuple[Recording, ...])
_PRINTS_KEY = "{key}.prints-1.json"
"""Whoever changes what a print is raises the number."""


def leaks_in_folder(track_folder: Path, locale: str) -> LeakReport:
    """Search a track's training data, as they lie in its folder, for its testing data.

    Raises:
        DataRejected: the data have problems; packing tells the same, but for labels of training recordings.
    """
    with ExitStack() as stack:
        track = TrackFiles(track_folder, stack)
        training, testing = _training(track), _testing(track, track_folder)
        track.raise_problems()
        return find_leaks(training, testing, locale)


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
    ready = ["testing.zip"] if (track_folder / "testing.zip").is_file() else []
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
        paths = {key: await stack.enter_async_context(store.local_copy(key)) for key in kept}
        texts = [_stored_text(path, key) for key, path in paths.items()]
        recordings = [one for key in kept if key.endswith(".zip") for one in await _stored_prints(store, key)]
        tested = Testing(references, await _stored_prints(store, testing), labels, testing)
        report = await asyncio.to_thread(find_leaks, Training(texts, recordings), tested, locale)
    return report.model_copy(update={"leaks": (*lost, *report.leaks)})


def _lost(key: str) -> Leak:
    reason = "training data of an earlier model are no longer in the store, so nobody can search them"
    return Leak(kind="not searched", file=key, reason=reason, blocks=False)


def _stored_text(path: Path, key: str) -> TrainingText:
    if key.endswith(".zip"):
        return TrainingText(f"{key}/{TRANSCRIPTS}", _stored_transcripts(path), written=False)
    return TrainingText(key, _stored_lines(path), written=False)


def _stored_transcripts(path: Path) -> Iterator[tuple[int, str]]:
    with zipfile.ZipFile(path) as archive:
        data = archive.read(TRANSCRIPTS)
    for line in read_lines(data, TRANSCRIPTS, []):
        yield line.number, line.text.partition("\t")[2]


def _stored_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of plain text. Pronunciations, which alone hold tabs, say single words."""
    with path.open(encoding="utf-8-sig", newline="\n") as lines:
        yield from ((number, line) for number, line in enumerate(lines, start=1) if "\t" not in line)


async def _stored_prints(store: Store, key: str) -> tuple[Recording, ...]:
    """The prints of a packed dataset's recordings: taken once, then kept beside it."""
    kept = await store.read(_PRINTS_KEY.format(key=key))
    if kept:
        return _PRINTS.validate_json(kept.data)
    async with store.local_copy(key) as path:
        prints = await asyncio.to_thread(_take_prints, path, key)
    await store.write(_PRINTS_KEY.format(key=key), _PRINTS.dump_json(prints))
    return prints


def _take_prints(path: Path, key: str) -> tuple[Recording, ...]:
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist() if member.filename != TRANSCRIPTS}
        return tuple(prints_of(FileSet(key, sizes, archive.open), sorted(sizes)))
