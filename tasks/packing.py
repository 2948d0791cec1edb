"""A track's data, checked and packed as Azure wants them, before anything is uploaded.

```
training/plain_text.txt          one utterance per line                       -> Language
training/pronunciation.txt       display form, tab, spoken form               -> Pronunciation
training/audio/*.wav, trans.txt  recordings with transcripts                  -> Acoustic
training/*.zip                   the same, ready as Azure's samples are       -> Acoustic, one each
testing/*.wav, trans.txt         recordings with transcripts                  -> Acoustic
testing.zip or testing/*.zip     the same, ready
testing/utterances.tsv           labels: file, speaker, any slices (optional)
testing/phrases.tsv              phrases that matter, `<tab>must` for the indispensable (optional)
```
A ready zip gives the same bytes and the same hash as the folder that it was made from.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domain.comparison import Phrase
from domain.corpus import Labels, content_hash, parse_labels
from domain.phrases import PHRASES, parse_phrases
from domain.problems import DataRejected, Problem, collected_in
from domain.training_text import parse_plain_text, parse_pronunciations
from tasks.acoustic import BOM, LABELS, MOST_TRANSCRIPT_BYTES, Acoustic, check_acoustic, training_fails, write_acoustic
from tasks.filesets import FileSet, is_there
from tasks.track_files import TrackFiles

Kind = Literal["Language", "Pronunciation", "Acoustic"]

PLAIN_TEXT = "plain_text.txt"
PRONUNCIATIONS = "pronunciation.txt"
MOST_PLAIN_TEXT = 200_000_000
_MOST_PRONUNCIATIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class PackedDataset:
    """One dataset as it goes to Azure: `path` holds its bytes, `content_hash` (64 hex digits) is its identity."""

    kind: Kind
    path: Path
    content_hash: str
    size: int
    """Bytes."""
    items: int
    """Lines of text, or recordings."""
    seconds: float = 0.0
    """Audio."""


@dataclass(frozen=True, slots=True)
class PackedTesting:
    """The testing dataset with what scoring needs: by recording, what is said, its labels, and its seconds."""

    dataset: PackedDataset
    references: Mapping[str, str]
    labels: Labels
    seconds: Mapping[str, float]
    phrases: tuple[Phrase, ...] = ()


def pack_training(track_folder: Path, out: Path, locale: str = "") -> tuple[PackedDataset, ...]:
    """Check all training data of a track, then write one file per dataset into the folder `out`.

    Args:
        track_folder: where the track's data lie.
        out: where to write.
        locale: the track's; pronunciations in English need not be UTF-8.

    Raises:
        DataRejected: with every problem that was found.
    """
    with ExitStack() as stack:
        track = TrackFiles(track_folder, stack)
        training = track.folder("training")
        writers = [*_text_writers(track, training, locale)]
        for number, files in enumerate(track.recordings("training/audio", track.zips("training")), start=1):
            acoustic = check_acoustic(files, track.problems)
            track.problems.extend(training_fails(acoustic))
            writers.append(_acoustic_writer(acoustic, f"audio-{number}.zip"))
        if not writers and not track.problems:
            track.reject("training", "there are no training data", f"Put {PLAIN_TEXT} there, for instance.")
        track.raise_problems()
        packed = _written(writers, out)
    _refuse_copies(packed, training.label)
    return packed


def pack_testing(track_folder: Path, out: Path) -> PackedTesting:
    """Check the testing data of a track, then write the dataset into the folder `out`.

    Raises:
        DataRejected: with every problem that was found.
    """
    with ExitStack() as stack:
        track = TrackFiles(track_folder, stack)
        ready = ["testing.zip"] if is_there(track_folder / "testing.zip", track_folder) else []
        candidates = track.recordings("testing", [*ready, *track.zips("testing")])
        if len(candidates) != 1:
            _refuse_candidates(track, candidates)
        acoustics = [check_acoustic(files, track.problems) for files in candidates]
        labels = [read_labels(track, acoustic) for acoustic in acoustics]
        phrases = _read_phrases(track)
        track.raise_problems()
        (dataset,) = _written([_acoustic_writer(acoustic, "testing.zip") for acoustic in acoustics], out)
    references = {row.name: row.text for row in acoustics[0].transcripts}
    return PackedTesting(dataset, references, labels[0], dict(acoustics[0].seconds), phrases)


Writer = Callable[[Path], PackedDataset]


def _written(writers: Sequence[Writer], out: Path) -> tuple[PackedDataset, ...]:
    out.mkdir(parents=True, exist_ok=True)
    return tuple(write(out) for write in writers)


def _text_writers(track: TrackFiles, training: FileSet, locale: str) -> Iterator[Writer]:
    if PLAIN_TEXT in training.sizes:
        with collected_in(track.problems):
            data = training.read_text(PLAIN_TEXT, MOST_PLAIN_TEXT)
            lines, found = parse_plain_text(data, training.place(PLAIN_TEXT))
            track.problems.extend(found)
            yield _text_writer("Language", PLAIN_TEXT, lines)
    if PRONUNCIATIONS in training.sizes:
        with collected_in(track.problems):
            data = training.read_text(PRONUNCIATIONS, _MOST_PRONUNCIATIONS)
            rows, found = parse_pronunciations(data, training.place(PRONUNCIATIONS), locale)
            track.problems.extend(found)
            yield _text_writer("Pronunciation", PRONUNCIATIONS, ["\t".join(row) for row in rows])


def _text_writer(kind: Kind, name: str, lines: Sequence[str]) -> Writer:
    def write(out: Path) -> PackedDataset:
        contents = BOM + "".join(f"{line}\n" for line in lines).encode()
        path = out / name
        path.write_bytes(contents)
        identity = content_hash([(name, hashlib.sha256(contents).hexdigest())])
        return PackedDataset(kind, path, identity, len(contents), len(lines))

    return write


def _acoustic_writer(acoustic: Acoustic, name: str) -> Writer:
    def write(out: Path) -> PackedDataset:
        path = out / name
        identity = write_acoustic(acoustic, path)
        seconds = math.fsum(acoustic.seconds.values())
        return PackedDataset("Acoustic", path, identity, path.stat().st_size, len(acoustic.seconds), seconds)

    return write


def read_labels(track: TrackFiles, acoustic: Acoustic) -> Labels:
    """The labels of recordings, that lie beside them, or in `testing` beside a zip; none when there are none."""
    files = acoustic.files if LABELS in acoustic.files.sizes else track.folder("testing")
    labels: Labels = {}
    if LABELS in files.sizes:
        with collected_in(track.problems):
            data = files.read_text(LABELS, MOST_TRANSCRIPT_BYTES)
            labels, found = parse_labels(data, files.place(LABELS), acoustic.recordings)
            track.problems.extend(found)
    return labels


def _read_phrases(track: TrackFiles) -> tuple[Phrase, ...]:
    files, phrases = track.folder("testing"), tuple[Phrase, ...]()
    if PHRASES in files.sizes:
        with collected_in(track.problems):
            phrases, found = parse_phrases(files.read_text(PHRASES, MOST_TRANSCRIPT_BYTES), files.place(PHRASES))
            track.problems.extend(found)
    return phrases


def _refuse_candidates(track: TrackFiles, candidates: Sequence[FileSet]) -> None:
    if candidates:
        found = ", ".join(files.label for files in candidates)
        track.reject("testing", f"Azure tests from one dataset, but here are {found}", "Keep one of them.")
    elif not track.problems:
        track.reject("testing", "there are no testing data", "Put WAV files and trans.txt there, or a zip of them.")


def _refuse_copies(packed: Sequence[PackedDataset], label: str) -> None:
    if len({dataset.content_hash for dataset in packed}) < len(packed):
        reason = "two training datasets hold the very same recordings and transcripts"
        raise DataRejected([Problem(label, None, reason, "Keep one of them.")])
