"""Zip archives from strangers, read entry by entry: nothing is ever extracted by its own name."""

import hashlib
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 4 * 1024**3
"""Unpacked: an archive of 2 GB holds more than that."""
MAX_ENTRY_BYTES = 256 * 1024**2
"""Two hours of sound have 230 MB."""
PIECE_BYTES = 1024**2
MAX_RATIO = 100
"""Of all entries together: digital silence alone may compress better."""

_S_IFMT, _S_IFLNK = 0o170000, 0o120000


class HostileArchive(ValueError):
    """An archive that is refused as a whole."""


class UnreadableEntry(ValueError):
    """One entry that cannot be read; the others can."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The files of an archive: names with forward slashes, without folders and without what macOS adds."""

    zip: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]

    def read(self, name: str, limit: int = MAX_ENTRY_BYTES) -> bytes:
        """The bytes of one entry, never more than the limit whatever its header says."""
        return b"".join(self._pieces(name, limit))

    def copy(self, name: str, target: Path, limit: int = MAX_ENTRY_BYTES) -> str:
        """Write one entry to a file, never more than the limit; the result is its SHA-256."""
        digest = hashlib.sha256()
        with target.open("wb") as file:
            for piece in self._pieces(name, limit):
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()

    def _pieces(self, name: str, limit: int) -> Iterator[bytes]:
        left = limit
        try:
            with self.zip.open(self.entries[name]) as stream:
                while piece := stream.read(PIECE_BYTES):
                    left -= len(piece)
                    if left < 0:
                        raise UnreadableEntry(f"larger than {limit // 1024**2} MB")
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise UnreadableEntry("the archive is damaged or encrypted here") from error

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Names that end so, whatever their case."""
        return [name for name in self.entries if name.lower().endswith(suffixes)]


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive, checked.

    Raises:
        HostileArchive: not a zip file, or one that no honest tool makes (path traversal, links, a bomb).
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise HostileArchive("The data are not a readable zip archive.") from error
    with archive:
        infos = archive.infolist()
        _refuse_bombs(infos)
        yield Archive(archive, _checked_names(infos))


def _refuse_bombs(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_ENTRIES:
        raise HostileArchive(f"The archive has more than {MAX_ENTRIES} entries.")
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL_BYTES:
        raise HostileArchive(f"The archive holds more than {MAX_TOTAL_BYTES // 1024**3} GB.")
    if total > MAX_RATIO * max(1024, sum(info.compress_size for info in infos)):
        raise HostileArchive(f"The archive grows more than {MAX_RATIO} times when unpacked.")


def _checked_names(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    names: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        name = unicodedata.normalize("NFC", info.filename)
        if not _is_honest(info, name):
            raise HostileArchive("The archive has an entry that points outside of it.")
        if name.casefold() in seen:
            raise HostileArchive("The archive has two entries of one name.")
        seen.add(name.casefold())
        if not info.is_dir() and not _is_clutter(name):
            names[name] = info
    return names


def _is_honest(info: zipfile.ZipInfo, name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_link = info.external_attr >> 16 & _S_IFMT == _S_IFLNK
    return not (is_link or "\\" in name or "\0" in name or ":" in name or name.startswith("/") or ".." in parts)


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")
