"""Named files that lie side by side, in a folder or in a zip: what datasets are packed from."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from domain.corpus import canonical_name
from domain.problems import DataRejected, Problem, git_lfs_pointer
from tasks.zip_safety import BAD_NAME, clashes, has_bad_name, refusals

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError)
_UNREADABLE = (*_DAMAGED, OSError, ValueError, NotImplementedError, struct.error)


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files by `canonical_name`: how large they are, and how to read them. `label` is what people call the place."""

    label: str
    sizes: Mapping[str, int]
    opener: Callable[[str], IO[bytes]]

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Read a file.

        Raises:
            DataRejected: it cannot be read, for instance because the zip is damaged.
        """
        try:
            stream = self.opener(name)
        except _UNREADABLE as error:
            raise self._rejected(name, error) from None
        with stream:
            try:
                yield stream
            except _DAMAGED as error:
                raise self._rejected(name, error) from None

    def read(self, name: str, most: int = -1) -> bytes:
        """The first `most` bytes of a file, or all of them.

        Raises:
            DataRejected: it cannot be read.
        """
        with self.open(name) as stream:
            return stream.read(most)

    def read_text(self, name: str, most: int) -> bytes:
        """A text file of at most `most` bytes.

        Raises:
            DataRejected: it is larger, or cannot be read.
        """
        if self.sizes[name] > most:
            reason = f"the file is over {most:,} bytes, the most that Azure takes"
            raise DataRejected([Problem(self.place(name), None, reason, "Shorten it, or divide it.")])
        return self.read(name)

    def _rejected(self, name: str, error: Exception) -> DataRejected:
        reason = f"it cannot be read ({type(error).__name__})"
        return DataRejected([Problem(self.place(name), None, reason, "It is damaged or locked: make it again.")])

    def place(self, name: str) -> str:
        """What to call a file in problems."""
        return f"{self.label}/{name}"


def folder_files(folder: Path, label: str, inside: Path, problems: list[Problem]) -> FileSet:
    """The files directly in a folder; hidden ones and Windows' `:Zone.Identifier` do not count.

    Args:
        folder: where they are; it may not exist.
        label: what to call it in problems.
        inside: the track's folder: a link that leads out of it is a problem, for it could bring in anyone's files. Nothing
            of what it leads to is told, not even whether it exists.
        problems: what is wrong is appended.
    """
    if leads_out(folder, inside):
        problems.append(_link(label))
        return FileSet(label, {}, lambda name: (folder / name).open("rb"))
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    counted = [path for path in found if _counts(path.name) and (leads_out(path, inside) or path.is_file())]
    refused = {path: _refusal(path, label, inside) for path in counted}
    problems.extend(problem for problem in refused.values() if problem)
    usable = [path for path, problem in refused.items() if not problem]
    problems.extend(clashes((path.name for path in usable), label))
    paths = {canonical_name(path.name): path for path in usable}
    sizes = {name: path.stat().st_size for name, path in paths.items()}
    return FileSet(label, sizes, lambda name: paths[name].open("rb"))


def zip_files(path: Path, label: str, inside: Path, stack: ExitStack, problems: list[Problem]) -> FileSet | None:
    """The files of a flat zip; None, and problems are appended, when it must not be opened.

    Hidden files and macOS's `__MACOSX` do not count.

    Args:
        path: the zip.
        label: what to call it in problems.
        inside: the track's folder: a link that leads out of it is a problem.
        stack: keeps the zip open for as long as its files are read.
        problems: what is wrong is appended.
    """
    if leads_out(path, inside):
        problems.append(_link(label))
        return None
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except _UNREADABLE:
        problems.append(_not_a_zip(path, label))
        return None
    refused = list(refusals(archive, label))
    members = {canonical_name(member.filename): member for member in archive.infolist() if _counts(member.filename)}
    if any("/" in name for name in members):
        remedy = "Zip the files, not their folder: `zip -j testing.zip folder/*`."
        refused.append(Problem(label, None, "its files lie in a folder inside the zip", remedy))
    problems.extend(refused)
    sizes = {name: member.file_size for name, member in members.items()}
    return None if refused else FileSet(label, sizes, lambda name: archive.open(members[name]))


def leads_out(path: Path, inside: Path) -> bool:
    """Whether a file is a link, or lies behind one, that leads out of the folder `inside`."""
    try:
        return not path.resolve().is_relative_to(inside.resolve())
    except (OSError, RuntimeError):  # links that lead to each other
        return True


def is_there(path: Path, inside: Path) -> bool:
    """Whether a file stands there, or a link that leads out of the folder `inside`, whatever it leads to."""
    return leads_out(path, inside) or path.is_file()


def _refusal(path: Path, label: str, inside: Path) -> Problem | None:
    """Why a file of a folder must not be used; None when it may."""
    if has_bad_name(path.name):
        remedy = "Rename it and its line in the transcripts, or remove it."
        return Problem(f"{label}/{ascii(path.name)[1:-1]}", None, f"it has {BAD_NAME}", remedy)
    return _link(f"{label}/{path.name}") if leads_out(path, inside) else None


def _link(place: str) -> Problem:
    reason = "it is a link that leads out of the track's folder"
    return Problem(place, None, reason, "Put the file itself there.")


def _counts(name: str) -> bool:
    hidden = name.rpartition("/")[2].startswith(".") or name.endswith(":Zone.Identifier")
    return not (hidden or name.endswith("/") or name.startswith("__MACOSX/"))


def _not_a_zip(path: Path, label: str) -> Problem:
    with path.open("rb") as stream:
        head = stream.read(64)
    remedy = "Make it again, or copy it again from where it came from."
    return git_lfs_pointer(head, label) or Problem(label, None, "this is not a zip, or it is cut off", remedy)
