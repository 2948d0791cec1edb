"""What a source lists before any file is fetched, and which of it must not be written on this machine.

Names come from whoever may push or upload, or opens a pull request. What is refused here is refused in every source.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from domain.changes import shown, words_below
from domain.problems import Problem

MOST_WORDS: Final = 16
"""Folders within each other, below the folder of all tracks. Flows read files four deep."""

_LONGEST_WORD: Final = 255
"""Bytes of a file's name, on the usual file systems."""

_LONGEST_PATH: Final = 1_000
"""Bytes of a path below the folder of all tracks."""

_SHOWN: Final = 200
Kind = Literal["file", "link", "submodule"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a source lists.

    Attributes:
        path: relative to the top of the source, with forward slashes.
        kind: what it is.
        content: what identifies its content, such as git's blob id.
    """

    path: str
    kind: Kind = "file"
    content: str = ""


def is_hidden(words: Sequence[str]) -> bool:
    """Whether a path is one of the hidden files that no flow reads, such as `.gitattributes` or macOS's `__MACOSX`."""
    return any(word.startswith((".", "__MACOSX")) for word in words) or words[-1].endswith(":Zone.Identifier")


def wanted(entries: Iterable[Entry], data: str) -> list[Entry]:
    """The entries that are written for flows to read: files of tracks, and none that are hidden (`.git` and `..` among them)."""
    words = ((entry, words_below(entry.path, data)) for entry in entries)
    return [entry for entry, below in words if entry.kind == "file" and len(below) > 1 and not is_hidden(below)]


def top(entry: Entry, data: str) -> str:
    """The track's folder that an entry is, or lies in; the whole path of one that is not below the folder of all tracks."""
    return (words_below(entry.path, data) or [entry.path])[0]


def concerns(entry: Entry, data: str, track: str) -> bool:
    """Whether an entry is a track's folder, lies in it, or stands where a folder above all tracks should be."""
    return top(entry, data) == track or not words_below(entry.path, data)


def refusals(entries: Sequence[Entry], data: str) -> Iterator[Problem]:
    """Why entries must not be written.

    Args:
        entries: what is listed at or below the folder of all tracks.
        data: that folder, relative to the top of the source.
    """
    for entry in entries:
        if entry.kind != "file":
            yield _no_file(entry, data)
    files = wanted(entries, data)
    for entry in files:
        if reason := _fault(words_below(entry.path, data)):
            remedy = "Rename it and its line in the transcripts, or remove it."
            yield Problem(_place(entry.path, data), None, reason, remedy)
    yield from _clashes(files, data)


def _no_file(entry: Entry, data: str) -> Problem:
    place = _place(entry.path, data)
    if entry.kind == "link":
        return Problem(place, None, "it is a symbolic link", "Put the file or the folder itself there.")
    return Problem(place, None, "it is a submodule, which is not fetched", "Put its files themselves there.")


def _place(path: str, data: str) -> str:
    below = "/".join(words_below(path, data)) or path
    return f"{shown(below[:_SHOWN])}…" if len(below) > _SHOWN else shown(below)


def _fault(words: Sequence[str]) -> str:
    """Why a path is no file that we write; empty when it is one."""
    if len(words) > MOST_WORDS:
        return f"it lies in more than {MOST_WORDS - 1} folders within each other"
    if len("/".join(words).encode(errors="replace")) > _LONGEST_PATH:
        return f"its path is longer than {_LONGEST_PATH:,} bytes"
    return next(filter(None, map(_fault_of_a_name, words)), "")


def _fault_of_a_name(word: str) -> str:
    if (
        not word or word.casefold().rstrip(" .") == "git~1"
    ):  # Windows' short name of `.git`; hidden names are not wanted
        return "a part of its path is no name, or is git's own"
    if len(word.encode(errors="replace")) > _LONGEST_WORD:
        return f"a name in its path is longer than {_LONGEST_WORD} bytes"
    if not word.isprintable() or ":" in word or "\\" in word:
        return "it has a name with ':', a backslash or a character that cannot be shown"
    return ""


def _clashes(files: Iterable[Entry], data: str) -> Iterator[Problem]:
    """Paths that differ in nothing but case or composition, and files where others need a folder."""
    alike = [_alike("/".join(words_below(entry.path, data))) for entry in files]
    for path, count in Counter(alike).items():
        if count > 1:
            reason = f"{count} files have this path, whatever their case"
            yield Problem(shown(path[:_SHOWN]), None, reason, "Rename them.")
    folders = {path[:at] for path in set(alike) for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(folders.intersection(alike)):
        yield Problem(shown(path[:_SHOWN]), None, "it is a file and a folder at once", "Rename one of them.")


def _alike(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
