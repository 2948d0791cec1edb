"""Lines of a user's text file: strict UTF-8, and a clear word for each line that is not usable."""

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from domain.problems import MOST_PROBLEMS, Problem, git_lfs_pointer

LONGEST_LINE = 500_000
"""Bytes. Two hours of speech, Azure's longest recording, are about 120,000."""

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_INVISIBLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class Line(NamedTuple):
    """A usable line, counted from 1, without its line end."""

    number: int
    text: str


def read_lines(data: bytes, file: str, problems: list[Problem], *, ansi: bool = False) -> Iterator[Line]:
    """Yield the lines that are not blank; append a problem for each that cannot be used.

    Accepts a byte-order mark, LF and CRLF. Only these end a line: U+2028 and its like do not, and are refused, because
    programs disagree about them. Stops when there are `MOST_PROBLEMS`.

    Args:
        data: the bytes of the file.
        file: what to call it in problems.
        problems: what is wrong is appended.
        ansi: whether a file that is not UTF-8 may be "ANSI", as Windows calls its code page 1252.
    """
    ansi = ansi and not data.startswith(_BOM)
    if unusable := _unusable_file(data, file) or (_mixture(data, file) if ansi else None):
        problems.append(unusable)
        return
    if ansi:
        data = _as_utf_8(data)
    for number, raw in enumerate(io.BytesIO(data.removeprefix(_BOM)), start=1):
        if len(problems) >= MOST_PROBLEMS:
            return
        line = _decode(raw, file, number)
        if isinstance(line, Problem):
            problems.append(line)
        elif line.text.strip():
            yield line


def _unusable_file(data: bytes, file: str) -> Problem | None:
    if data.startswith(_UTF_16):
        return Problem(file, 1, "the file is UTF-16", "Save it as UTF-8, or use `iconv -f UTF-16 -t UTF-8`.")
    return git_lfs_pointer(data, file)


def _mixture(data: bytes, file: str) -> Problem | None:
    """The problem of a file that is in no one encoding: nobody can tell what its other letters are."""
    if _is_utf_8(data):
        return None
    for number, raw in enumerate(io.BytesIO(data), start=1):
        if not raw.isascii() and _is_utf_8(raw):
            reason = "this line is UTF-8, and others are not"
            return Problem(file, number, reason, "Save the whole file as UTF-8, and look at its accents.")
    return None


def _as_utf_8(data: bytes) -> bytes:
    """A text in Windows-1252 as UTF-8; what is neither stays as it is.

    Latin-1 is the same for every letter. Where the two differ, at 0x80 to 0x9F, it has control characters, which no text
    holds, and Windows-1252 has the apostrophe and the dashes that Word writes.
    """
    try:
        return data if _is_utf_8(data) else data.decode("windows-1252").encode()
    except UnicodeDecodeError:
        return data


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _decode(raw: bytes, file: str, number: int) -> Line | Problem:
    if len(raw) > LONGEST_LINE:
        return Problem(file, number, f"the line is longer than {LONGEST_LINE:,} bytes", "Break it into lines.")
    try:
        text = raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {raw[error.start]:#04x} at position {error.start + 1} is not UTF-8"
        return Problem(
            file, number, reason, "Save the file as UTF-8; from Windows-1252 use `iconv -f WINDOWS-1252 -t UTF-8`."
        )
    if found := _INVISIBLE.search(text):
        return Problem(file, number, f"the line holds the invisible character U+{ord(found[0]):04X}", "Remove it.")
    return Line(number, text)
