"""Recordings with transcripts, checked and packed as Azure wants them: a flat zip with one `trans.txt`.

Equal content gives equal bytes, wherever and whenever it is packed: members are stored without compression (what zlib
makes of the same bytes depends on its version), in the order of their names, with one fixed date and mode.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from domain.corpus import Transcript, content_hash, parse_transcripts
from domain.phrases import PHRASES
from domain.problems import MOST_PROBLEMS, Problem, collected_in
from domain.wav import LONGEST_TRAINING_SECONDS, Audio, check_wav, conversion
from tasks.filesets import FileSet
from tasks.zip_safety import MOST_BYTES

TRANSCRIPTS = "trans.txt"
LABELS = "utterances.tsv"
MOST_RECORDINGS = 10_000
"""Azure's limit for an archive."""

BOM = b"\xef\xbb\xbf"
_NOT_WAV = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".aiff")
_CHUNK = 1024 * 1024
MOST_TRANSCRIPT_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Acoustic:
    """Checked recordings with their transcripts, not packed yet; `seconds` of audio by file name."""

    files: FileSet
    recordings: tuple[str, ...]
    transcripts: tuple[Transcript, ...]
    seconds: Mapping[str, float]


def check_acoustic(files: FileSet, problems: list[Problem]) -> Acoustic:
    """Check recordings and transcripts against each other; whatever is wrong is appended to `problems`.

    Args:
        files: the recordings (`*.wav`) and their transcripts: `trans.txt`, or the one text file that there is.
        problems: what is wrong is appended.
    """
    names = sorted(name for name in files.sizes if PurePosixPath(name).suffix.lower() == ".wav")
    problems.extend(_set_problems(files, names))
    seconds = _check_recordings(files, names, problems)
    rows = _read_transcripts(files, names, problems)
    return Acoustic(files, tuple(names), rows, seconds)


def training_fails(acoustic: Acoustic) -> Iterator[Problem]:
    """The problem of a training set in which every recording is longer than Azure trains with."""
    if acoustic.seconds and min(acoustic.seconds.values()) > LONGEST_TRAINING_SECONDS:
        reason = f"every recording is longer than {LONGEST_TRAINING_SECONDS} seconds, so Azure's training would fail"
        yield Problem(acoustic.files.label, None, reason, "Cut them into shorter ones.")


def write_acoustic(acoustic: Acoustic, path: Path) -> str:
    """Write the zip to `path` and return the content hash; one megabyte is in memory at a time.

    Raises:
        DataRejected: a recording turned out to be damaged.
    """
    contents = _transcript_bytes(acoustic.transcripts)
    digests = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted((*acoustic.seconds, TRANSCRIPTS)):
            if name == TRANSCRIPTS:
                archive.writestr(_member(name, len(contents)), contents)
                digests.append((name, hashlib.sha256(contents).hexdigest()))
                continue
            member = _member(name, acoustic.files.sizes[name])
            with acoustic.files.open(name) as source, archive.open(member, "w") as target:
                digests.append((name, _copy(source, target)))
    return content_hash(digests)


def _set_problems(files: FileSet, names: Sequence[str]) -> list[Problem]:
    problems = [
        Problem(files.place(name), None, "this is not a WAV file", conversion(name))
        for name in files.sizes
        if PurePosixPath(name).suffix.lower() in _NOT_WAV
    ]
    total = sum(files.sizes[name] for name in names)
    if not names:
        problems.append(Problem(files.label, None, "there are no recordings", "Put WAV files and trans.txt there."))
    if len(names) > MOST_RECORDINGS:
        reason = f"there are {len(names):,} recordings, but Azure takes at most {MOST_RECORDINGS:,}"
        problems.append(Problem(files.label, None, reason, "Leave some out, or divide them."))
    if total > MOST_BYTES:
        reason = f"the recordings are {total:,} bytes, but Azure takes at most {MOST_BYTES:,}"
        problems.append(Problem(files.label, None, reason, "Leave some out, or divide them."))
    return problems


def _check_recordings(files: FileSet, names: Sequence[str], problems: list[Problem]) -> dict[str, float]:
    seconds = {}
    for name in names:
        if len(problems) >= MOST_PROBLEMS:
            break
        with collected_in(problems), files.open(name) as stream:
            found = check_wav(stream, files.sizes[name], files.place(name))
            if isinstance(found, Audio):
                seconds[name] = found.seconds
            else:
                problems.append(found)
    return seconds


def _read_transcripts(files: FileSet, recordings: Sequence[str], problems: list[Problem]) -> tuple[Transcript, ...]:
    name = transcript_file(files)
    if name is None:
        remedy = f"Write {TRANSCRIPTS}: per line the file's name, a tab, and what is said."
        problems.append(Problem(files.label, None, "there is no transcript file, or more than one", remedy))
        return ()
    rows: tuple[Transcript, ...] = ()
    with collected_in(problems):
        data = files.read_text(name, MOST_TRANSCRIPT_BYTES)
        rows, found = parse_transcripts(data, files.place(name), recordings)
        problems.extend(found)
    return rows


def transcript_file(files: FileSet) -> str | None:
    """The name of the file that holds the transcripts; None when there is none, or more than one."""
    texts = [name for name in files.sizes if name.lower().endswith((".txt", ".tsv")) and name not in (LABELS, PHRASES)]
    return TRANSCRIPTS if TRANSCRIPTS in texts else texts[0] if len(texts) == 1 else None


def _transcript_bytes(transcripts: Sequence[Transcript]) -> bytes:
    rows = sorted((row.name, row.text) for row in transcripts)
    return BOM + "".join(f"{name}\t{text}\n" for name, text in rows).encode()


def _member(name: str, size: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.create_system = 3  # Unix, on every system
    member.external_attr = 0o100644 << 16
    member.file_size = size
    return member


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
