"""What every import has: the order, what comes out, and how text is taken apart into lines."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from emulator.artifacts import Shelf
from emulator.entities import DatasetKind, Recording, StoredFile
from emulator.errors import JobFailure

BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 65_536
CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LAST_PLAIN_CHARACTER = "\u00a1"
"""Microsoft: no "UTF-8 characters above U+00A1". Taken at its word that bars most languages: a warning here."""

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

    @property
    def shelf(self) -> Shelf:
        """Where the dataset's files go."""
        return Shelf(self.data, self.dataset, self.created)


@dataclass(slots=True)
class Imported:
    """What came out: counts of lines, seconds of audio, files for the entity, recordings for training and testing."""

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    files: list[StoredFile] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        """Note a line that is left out."""
        self.rejected.append((line, reason))


@dataclass(slots=True)
class Lines:
    """Numbered lines of a text that are not empty; those that cannot be read are rejected here.

    `ansi` also takes lines in Windows-1252, as Azure does for English pronunciations; `needs_bom` takes nothing without
    a byte order mark.
    """

    imported: Imported
    ansi: bool = False
    needs_bom: bool = False
    has_bom: bool = False
    unusual: int = 0

    def read(self, raw_lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
        """The lines, one by one; warnings about the whole text come at its end.

        Raises:
            JobFailure: NoUtf8WithBom or DataImportFailed, when it is no text of this kind.
        """
        for number, raw in enumerate(raw_lines, start=1):
            if number == 1:
                raw = self._start(raw)
            line = self._decoded(number, raw) if raw.strip() else None
            if line is not None:
                yield number, line
        self._warn()

    def _start(self, raw: bytes) -> bytes:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise JobFailure("NoUtf8WithBom", "The data are UTF-16; text must be UTF-8 with byte order mark (BOM).")
        if raw.startswith(b"PK\x03\x04"):
            raise JobFailure("DataImportFailed", "The data are a zip archive; text is uploaded as it is.")
        self.has_bom = raw.startswith(BOM)
        if self.needs_bom and not self.has_bom:
            raise JobFailure("NoUtf8WithBom", "The data must be UTF-8 text with byte order mark (BOM).")
        return raw.removeprefix(BOM)

    def _decoded(self, number: int, raw: bytes) -> str | None:
        line = self._text(raw)
        if line is None:
            self.imported.reject(number, "not UTF-8")
        elif len(raw) > MAX_LINE_BYTES or CONTROL_CHARACTERS.search(line):
            self.imported.reject(number, "longer than 64 KB, or with control characters")
        else:
            self.unusual += max(line) > LAST_PLAIN_CHARACTER
            return line
        return None

    def _text(self, raw: bytes) -> str | None:
        try:
            return raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            if not self.ansi or self.has_bom:
                return None
        try:
            return raw.decode("windows-1252").rstrip("\r\n")
        except UnicodeDecodeError:
            return None

    def _warn(self) -> None:
        if not self.has_bom:
            self.imported.warnings.append("The text has no byte order mark; Azure asks for UTF-8 with BOM.")
        if self.unusual:
            self.imported.warnings.append(f"{self.unusual} lines have characters above U+00A1; Azure advises against.")
