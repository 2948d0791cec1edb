"""Import of recordings, with transcripts (Acoustic) and without (AudioFiles), from a zip archive.

Rules: azure-ai-docs, how-to-custom-speech-test-and-train.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from uuid import uuid4

from emulator.archive import Archive, HostileArchive, UnreadableEntry, opened
from emulator.audio import UnsupportedAudio, measure_wav
from emulator.entities import FileKind, Recording, audio_content
from emulator.import_order import Imported, ImportOrder, Lines

MAX_AUDIO_SECONDS = 2 * 3600
MAX_TRAINING_SECONDS = 40
"""Of longer recordings training uses the text only."""
MAX_ARCHIVE_BYTES = 2 * 1024**3
MAX_FILES = 10_000


def import_acoustic(order: ImportOrder, imported: Imported) -> None:
    """Recordings with transcripts: one row per recording."""
    shelf = order.shelf
    with _opened(order) as archive:
        raw_lines = archive.read(_transcript_of(archive)).split(b"\n")
        audio = _AudioShelf(order.data, archive)
        for number, line in Lines(imported).read(raw_lines):
            _import_row(audio, imported, number, line)
    imported.unused = sorted(audio.names - audio.taken)
    _warn_of_long_audio(imported)
    rows = "".join(f"{recording.name}\t{recording.transcript}\n" for recording in imported.recordings)
    imported.files.append(shelf.put("trans.txt", FileKind.ACOUSTIC_DATA_TRANSCRIPTION, rows.encode()))
    imported.files.append(shelf.put("data.zip", FileKind.ACOUSTIC_DATA_ARCHIVE, order.source))


@contextmanager
def _opened(order: ImportOrder) -> Iterator[Archive]:
    if order.source.stat().st_size > MAX_ARCHIVE_BYTES:
        raise HostileArchive("The archive is larger than 2 GB.")
    with opened(order.source) as archive:
        if len(archive.entries) > MAX_FILES:
            raise HostileArchive(f"The archive has more than {MAX_FILES} files.")
        yield archive


def _warn_of_long_audio(imported: Imported) -> None:
    long = sum(recording.seconds > MAX_TRAINING_SECONDS for recording in imported.recordings)
    if long:
        imported.warnings.append(f"{long} recordings are longer than 40 seconds: training uses only their text.")


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


def import_audio_files(order: ImportOrder, imported: Imported) -> None:
    """Recordings alone."""
    shelf = order.shelf
    with _opened(order) as archive:
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
        path = self._data / "audio" / f"{uuid4().hex}.partial"
        try:
            sha256 = self._archive.copy(entry, path)
            seconds = measure_wav(path)
            if seconds > MAX_AUDIO_SECONDS:
                raise UnreadableEntry("longer than two hours")
            self.taken.add(entry)
            kept = self._data / audio_content(sha256)
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.replace(kept)
        finally:
            path.unlink(missing_ok=True)
        return Recording(name=name, sha256=sha256, seconds=seconds, transcript=transcript)

    def _entry(self, name: str) -> str:
        found = [name] if name in self.names else self._by_bare_name.get(name, [])
        if len(found) != 1:
            reason = "no such file" if not found else "more than one file has this name"
            raise UnreadableEntry(f"{reason} in the archive")
        if found[0] in self.taken:
            raise UnreadableEntry("the file was named in an earlier line")
        return found[0]
