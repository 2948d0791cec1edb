"""Import of a dataset: each line or recording is accepted, or rejected with a reason that goes into `report.json`.

The content of Azure's report is not published; this one has line numbers and reasons, and no transcripts.
Runs in a worker process.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from emulator.archive import Archive, HostileArchive, UnreadableEntry, opened
from emulator.artifacts import Shelf
from emulator.audio import UnsupportedAudio, read_wav
from emulator.entities import DatasetKind, FileKind, Recording, StoredFile, audio_content
from emulator.errors import JobFailure

MAX_LINE_BYTES = 65_536
MAX_PRONUNCIATION_BYTES = 1024**2
MAX_TEXT_BYTES = 200 * 1024**2
MAX_AUDIO_SECONDS = 2 * 3600
MAX_REPORTED_LINES = 1000
CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ADDRESS = re.compile(r"\b(?:https?|ftp)://", re.IGNORECASE)

Check = Callable[[str], str | None]
"""A line to the reason why it is rejected, or None."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import."""

    data: Path
    dataset: str
    kind: DatasetKind
    source: Path
    created: datetime


@dataclass(slots=True)
class Imported:
    """What came out: counts of lines, seconds of audio, files for the entity, recordings for training and testing."""

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    files: list[StoredFile] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        """Note a line that is left out."""
        self.rejected.append((line, reason))


def import_dataset(order: ImportOrder) -> Imported:
    """Read the uploaded data.

    Raises:
        JobFailure: nothing in it is usable.
    """
    imported = Imported()
    try:
        IMPORTERS[order.kind](order, imported)
    except HostileArchive as error:
        raise JobFailure("DataImportFailed", str(error)) from error
    if not imported.accepted:
        raise JobFailure("DataImportFailed", _nothing_left(imported))
    shelf = Shelf(order.data, order.dataset, order.created)
    imported.files.append(shelf.put_json("report.json", FileKind.DATASET_REPORT, _report(order.kind, imported)))
    return imported


def _nothing_left(imported: Imported) -> str:
    if not imported.rejected:
        return "The dataset is empty: no line of it could be used."
    line, reason = imported.rejected[0]
    return f"All {len(imported.rejected)} lines were rejected; the first, line {line}: {reason}."


def _report(kind: DatasetKind, imported: Imported) -> dict[str, object]:
    return {
        "kind": kind,
        "acceptedLineCount": imported.accepted,
        "rejectedLineCount": len(imported.rejected),
        "rejectedLines": [{"line": line, "reason": why} for line, why in imported.rejected[:MAX_REPORTED_LINES]],
        "unusedFiles": imported.unused[:MAX_REPORTED_LINES],
    }


# Text


def _import_language(order: ImportOrder, imported: Imported) -> None:
    _import_lines(order, imported, _check_sentence, "language_data.txt", FileKind.LANGUAGE_DATA, MAX_TEXT_BYTES)


def _import_pronunciation(order: ImportOrder, imported: Imported) -> None:
    name, kind = "pronunciation_data.txt", FileKind.PRONUNCIATION_DATA
    _import_lines(order, imported, _check_pronunciation, name, kind, MAX_PRONUNCIATION_BYTES)


def _import_lines(order: ImportOrder, imported: Imported, check: Check, name: str, kind: FileKind, limit: int) -> None:
    if order.source.stat().st_size > limit:
        raise JobFailure("DataImportFailed", f"The data are larger than {limit // 1024**2} MB.")
    kept = bytearray()
    with order.source.open("rb") as stream:
        for number, line in _lines(stream, imported):
            reason = check(line)
            if reason:
                imported.reject(number, reason)
            else:
                imported.accepted += 1
                kept += line.encode() + b"\n"
    imported.files.append(Shelf(order.data, order.dataset, order.created).put(name, kind, bytes(kept)))


def _lines(raw_lines: Iterator[bytes] | list[bytes], imported: Imported) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not empty; lines that are not UTF-8 are rejected here."""
    for number, raw in enumerate(raw_lines, start=1):
        if number == 1:
            _refuse_other_formats(raw)
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if not raw.strip():
            continue
        try:
            line = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            imported.reject(number, "not UTF-8")
            continue
        if len(raw) > MAX_LINE_BYTES or CONTROL_CHARACTERS.search(line):
            imported.reject(number, "longer than 64 KB, or with control characters")
        else:
            yield number, line


def _refuse_other_formats(start: bytes) -> None:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise JobFailure("DataImportFailed", "The data are UTF-16; text must be UTF-8 (with or without BOM).")
    if start.startswith(b"PK\x03\x04"):
        raise JobFailure("DataImportFailed", "The data are a zip archive; text is uploaded as it is.")


def _check_sentence(line: str) -> str | None:
    return "a URI is not text" if ADDRESS.search(line) else None


def _check_pronunciation(line: str) -> str | None:
    parts = [part.strip() for part in line.split("\t")]
    return None if len(parts) == 2 and all(parts) else "expected: display form, TAB, spoken form"


# Audio


def _import_acoustic(order: ImportOrder, imported: Imported) -> None:
    shelf = Shelf(order.data, order.dataset, order.created)
    with opened(order.source) as archive:
        raw_lines = archive.read(_transcript_of(archive)).split(b"\n")
        audio = _AudioShelf(order.data, archive)
        for number, line in _lines(raw_lines, imported):
            _import_row(audio, imported, number, line)
    imported.unused = sorted(audio.names - audio.taken)
    rows = "".join(f"{recording.name}\t{recording.transcript}\n" for recording in imported.recordings)
    imported.files.append(shelf.put("trans.txt", FileKind.ACOUSTIC_DATA_TRANSCRIPTION, rows.encode()))
    imported.files.append(shelf.put("data.zip", FileKind.ACOUSTIC_DATA_ARCHIVE, order.source))


def _transcript_of(archive: Archive) -> str:
    names = archive.with_suffix(".txt", ".tsv")
    if len(names) != 1:
        message = f"An audio + transcript archive has exactly one .txt or .tsv file; this one has {len(names)}."
        raise HostileArchive(message)
    return names[0]


def _import_row(audio: "_AudioShelf", imported: Imported, number: int, line: str) -> None:
    name, tab, transcript = (part.strip(" ") for part in line.partition("\t"))
    if not tab or not name or not transcript.strip():
        imported.reject(number, "expected: file name, TAB, transcript")
        return
    try:
        recording = audio.take(name, transcript.strip())
    except (UnreadableEntry, UnsupportedAudio) as error:
        imported.reject(number, getattr(error, "reason", str(error)))
        return
    _accept(imported, recording)


def _accept(imported: Imported, recording: Recording) -> None:
    imported.accepted += 1
    imported.seconds += recording.seconds
    imported.recordings.append(recording)


def _import_audio_files(order: ImportOrder, imported: Imported) -> None:
    shelf = Shelf(order.data, order.dataset, order.created)
    with opened(order.source) as archive:
        audio = _AudioShelf(order.data, archive)
        for number, name in enumerate(sorted(audio.names), start=1):
            try:
                _accept(imported, audio.take(name, ""))
            except (UnreadableEntry, UnsupportedAudio) as error:
                imported.reject(number, getattr(error, "reason", str(error)))
    for recording in imported.recordings:
        source = order.data / recording.content
        imported.files.append(shelf.put(recording.name, FileKind.AUDIO, source, seconds=recording.seconds))


class _AudioShelf:
    """The WAV files of an archive: found by path or by bare name, each taken once, kept by content hash."""

    def __init__(self, data: Path, archive: Archive) -> None:
        self._data, self._archive = data, archive
        self.names = set(archive.with_suffix(".wav"))
        self.taken: set[str] = set()
        self._by_bare_name: dict[str, list[str]] = {}
        for name in self.names:
            self._by_bare_name.setdefault(PurePosixPath(name).name, []).append(name)

    def take(self, name: str, transcript: str) -> Recording:
        entry = self._entry(name)
        content = self._archive.read(entry)
        seconds = read_wav(content).seconds
        if seconds > MAX_AUDIO_SECONDS:
            raise UnreadableEntry("audio longer than two hours")
        self.taken.add(entry)
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._data / audio_content(sha256)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{id(self):x}")
            partial.write_bytes(content)
            partial.replace(path)
        return Recording(name=name, sha256=sha256, seconds=seconds, transcript=transcript)

    def _entry(self, name: str) -> str:
        found = [name] if name in self.names else self._by_bare_name.get(name, [])
        if len(found) != 1:
            reason = "no such file" if not found else "more than one file has this name"
            raise UnreadableEntry(f"{reason} in the archive")
        if found[0] in self.taken:
            raise UnreadableEntry("the file was named in an earlier line")
        return found[0]


IMPORTERS: dict[DatasetKind, Callable[[ImportOrder, Imported], None]] = {
    DatasetKind.LANGUAGE: _import_language,
    DatasetKind.PRONUNCIATION: _import_pronunciation,
    DatasetKind.ACOUSTIC: _import_acoustic,
    DatasetKind.AUDIO_FILES: _import_audio_files,
}
