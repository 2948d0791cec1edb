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


def read_lines(data: bytes, file: str, problems: list[Problem]) -> Iterator[Line]:
    """Yield the lines that are not blank; append a problem for each that cannot be used.

    Accepts a byte-order mark, LF and CRLF. Only these end a line: U+2028 and its like do not, and are refused, because
    programs disagree about them. Stops when there are `MOST_PROBLEMS`.
    """
    if unusable := _unusable_file(data, file):
        problems.append(unusable)
        return
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
