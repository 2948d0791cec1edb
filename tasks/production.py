"""Production transcripts, as Azure's batch transcription writes them: read from a folder or from the store."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from domain.mistakes import Mistake
from domain.normalise import Normaliser
from domain.production import Heard, heard
from speech_client import TranscriptionResult, UnexpectedAnswer
from tasks.store import Store

_REPORT: Final = "report.json"
"""Azure's own list of what became of each recording; it holds no transcript."""

_MOST_BYTES: Final = 200_000_000
_MOST_FILES: Final = 200_000
_SHOWN: Final = 10
_TICKS: Final = 10_000_000
"""Of 100 nanoseconds, in a second."""


def read_folder(folder: Path, normaliser: Normaliser) -> tuple[Heard, ...]:
    """The transcripts (`*.json`) in a folder and the folders in it.

    Raises:
        Mistake: there is no such folder, nothing in it, or a file that is no transcript.
    """
    if not folder.is_dir():
        raise Mistake(f"{folder}: there is no such folder. Name one with the JSON files of a batch transcription.")
    found = sorted(path for path in folder.rglob("*.json") if path.name != _REPORT and path.is_file())
    _check_count(len(found), str(folder))
    return _parsed(((path.relative_to(folder), _read(path)) for path in found), str(folder), normaliser)


async def read_prefix(store: Store, prefix: str, normaliser: Normaliser) -> tuple[Heard, ...]:
    """The transcripts under a folder of the store.

    Raises:
        Mistake: there are none, or a file is no transcript.
    """
    place = f"{prefix.strip('/')}/"
    keys = [key for key in await store.keys(place) if key.endswith(".json") and not key.endswith(f"/{_REPORT}")]
    _check_count(len(keys), f"{place} in the store {store}")
    contents = [(PurePosixPath(key.removeprefix(place)), await store.read(key)) for key in keys]
    files = ((name, stored.data) for name, stored in contents if stored)
    return _parsed(files, place, normaliser)


def parsed(name: str, content: bytes, normaliser: Normaliser) -> Heard:
    """One transcript.

    Raises:
        UnexpectedAnswer: it is none.
    """
    result = TranscriptionResult.from_json(content)
    sure = tuple(confidence for _, confidence in result.confidences)
    return heard(name, result.lexical, sure, float(result.duration_in_ticks) / _TICKS, normaliser)


def _check_count(count: int, place: str) -> None:
    if not count:
        raise Mistake(f"{place}: there is no transcript (*.json). Put the files of a batch transcription there.")
    if count > _MOST_FILES:
        raise Mistake(f"{place}: there are more than {_MOST_FILES:,} transcripts. Take a shorter period.")


def _parsed(
    files: Iterable[tuple[PurePosixPath | Path, bytes]], place: str, normaliser: Normaliser
) -> tuple[Heard, ...]:
    found, wrong = [], []
    for path, content in files:
        try:
            found.append(parsed(PurePosixPath(path).with_suffix("").as_posix(), content, normaliser))
        except UnexpectedAnswer as error:
            wrong.append(f"{path}: {error}")
    if wrong:
        more = f"\nand {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        told = "\n".join(wrong[:_SHOWN])
        raise Mistake(f"{place}: not every file is a transcript. Remove the others from the folder.\n{told}{more}")
    return tuple(found)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Mistake(f"{path}: the file is larger than {_MOST_BYTES:,} bytes, so it is no transcript. Remove it.")
        return path.read_bytes()
    except OSError as error:
        raise Mistake(f"{path}: the file cannot be read ({error.strerror}). Correct its rights.") from None
