"""Rules for display text (datasets of kind OutputFormatting): their file, and what recognition does with `#rewrite`.

Source: azure-ai-docs, how-to-custom-speech-display-text-format. Rules of the sections `#itn` and `#profanity` are
checked and counted, but change nothing here; `#test` cases are not run.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from emulator.recogniser import Recogniser, Recognition
from emulator.text import Row

LIMITS: dict[str, int | None] = {"itn": 200, "rewrite": 1000, "profanity": 1000, "test": None}
"""Sections, and how many lines each may have."""

PUNCTUATION = ".,?、!:;？。，¿¡।؟،"
_AT_WORD_ENDS = re.compile(rf"(?:^|(?<=\s))[{PUNCTUATION}]+|[{PUNCTUATION}]+(?=\s|$)")
_PAIRS = {")": "(", "]": "[", "}": "{"}


class Reader:
    """Reads line by line; each line is taken, passed over, or refused with a reason."""

    def __init__(self) -> None:
        self.rules: dict[str, list[str]] = {name: [] for name in LIMITS}
        self._section: str | None = None

    def read(self, line: str) -> str | None:
        """Take one line; the result is why it is refused, or None."""
        line = line.strip(" ")
        if not line.strip() or line.startswith("//"):
            return None
        if line.startswith("#"):
            name = line[1:].strip().lower()
            self._section = name if name in LIMITS else None
            return None if self._section else f"a section is one of {', '.join('#' + name for name in LIMITS)}"
        return self._take(line)

    def _take(self, line: str) -> str | None:
        if self._section is None:
            return "it belongs to no section"
        rules, limit = self.rules[self._section], LIMITS[self._section]
        if limit is not None and len(rules) >= limit:
            return f"#{self._section} has at most {limit} lines"
        reason = _fault(self._section, line)
        if not reason:
            rules.append(line)
        return reason


def _fault(section: str, line: str) -> str | None:
    if section == "itn":
        return None if _is_balanced(line) else "a bracket of the pattern is not closed"
    if section == "profanity":
        return "punctuation is not supported in a profanity phrase" if set(PUNCTUATION) & set(line) else None
    parts = [part.strip() for part in line.split("\t")]
    return None if len(parts) == 2 and all(parts) else "expected: two phrases with a TAB between them"


def _is_balanced(pattern: str) -> bool:
    opened: list[str] = []
    for character in re.sub(r"\\.", "", pattern):
        if character in _PAIRS.values():
            opened.append(character)
        elif character in _PAIRS and (not opened or opened.pop() != _PAIRS[character]):
            return False
    return not opened


def rewrites(lines: Iterable[str]) -> tuple[Row, ...]:
    """Old and new phrases of lines that were accepted before."""
    reader = Reader()
    for line in lines:
        reader.read(line)
    parts = (line.partition("\t") for line in reader.rules["rewrite"])
    return tuple((old.strip(), new.strip()) for old, _, new in parts)


class Rewriter:
    """A recogniser whose display text is rewritten: the old phrase in any case, the longest one first."""

    def __init__(self, recogniser: Recogniser, rewrites: Sequence[Row]) -> None:
        self._recogniser = recogniser
        self._new = {_plain(old): new for old, new in rewrites if _plain(old)}
        longest_first = sorted(self._new, key=len, reverse=True)
        spelled = "|".join(re.escape(old).replace(r"\ ", r"\s+") for old in longest_first)
        self._old = re.compile(rf"(?<!\w)(?:{spelled})(?!\w)", re.IGNORECASE) if spelled else None

    def recognise(self, wav: bytes) -> Recognition:
        """What the recogniser hears, its display text rewritten."""
        recognition = self._recogniser.recognise(wav)
        return replace(recognition, display=self.rewritten(recognition.display))

    def rewritten(self, display: str) -> str:
        """A sentence with its phrases replaced; it begins with a capital as before."""
        if self._old is None:
            return display
        text = self._old.sub(lambda match: self._new.get(_plain(match[0]), match[0]), display)
        return text[:1].upper() + text[1:]


def _plain(phrase: str) -> str:
    """In lower case, without punctuation at the ends of words."""
    return " ".join(_AT_WORD_ENDS.sub("", phrase).lower().split())
