"""What plain text and pronunciations for training must look like.

Source: Microsoft, "Training and testing datasets", sections "Plain-text data" and "Pronunciation data".
"""

import re
import unicodedata
from typing import NamedTuple

from domain.problems import Problem
from domain.text_lines import Line, read_lines

_ADDRESS = re.compile(r"\b(?:https?|ftp)://|\bwww\.", re.IGNORECASE)
_JOINERS = " '’-."


class Pronunciation(NamedTuple):
    """How a word that is shown as `display` is said, in letters, syllables or words."""

    display: str
    spoken: str


def parse_plain_text(data: bytes, file: str) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Read one utterance per line. White space around it goes, a tab in it becomes a space.

    Azure may also drop lines that repeat something more than three times; that is left to Azure.
    """
    problems: list[Problem] = []
    lines: list[str] = []
    for line in read_lines(data, file, problems):
        if _ADDRESS.search(line.text):
            reason = "the line holds a web address, which Azure rejects"
            problems.append(Problem(file, line.number, reason, "Write it as it is said, or remove it."))
        else:
            lines.append(line.text.replace("\t", " ").strip())
    if not lines and not problems:
        problems.append(Problem(file, None, "the file holds no text", "Write one sentence per line, or remove it."))
    return tuple(lines), tuple(problems)


def parse_pronunciations(
    data: bytes, file: str, locale: str = ""
) -> tuple[tuple[Pronunciation, ...], tuple[Problem, ...]]:
    """Read `<display form><tab><spoken form>` lines; a word may have several.

    The spoken form is spelt out in letters: "three c p o", not "3 c p o".

    Args:
        data: the bytes of the file: UTF-8, and for English also "ANSI", as Azure takes it.
        file: what to call it in problems.
        locale: the track's.
    """
    problems: list[Problem] = []
    rows: list[Pronunciation] = []
    for line in read_lines(data, file, problems, ansi=locale.startswith("en-")):
        row = _pronunciation(line, file)
        if isinstance(row, Problem):
            problems.append(row)
        else:
            rows.append(row)
    if not rows and not problems:
        problems.append(Problem(file, None, "the file holds no pronunciations", "Add some, or remove the file."))
    return tuple(rows), tuple(problems)


def _pronunciation(line: Line, file: str) -> Pronunciation | Problem:
    cells = [cell.strip() for cell in line.text.split("\t")]
    if len(cells) != 2 or not all(cells):
        reason = "the line is not a word, one tab and its spoken form"
        return Problem(file, line.number, reason, "Write for instance `3CPO<tab>three c p o`.")
    spoken = cells[1]
    for character in spoken:
        if unicodedata.category(character)[0] not in "LM" and character not in _JOINERS:
            reason = f"the spoken form holds {character!r}"
            return Problem(file, line.number, reason, "Spell it in letters, as in `three c p o`.")
    return Pronunciation(cells[0], spoken)
