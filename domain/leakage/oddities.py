"""What is odd in text for training: repeated and injected lines, hidden characters, what Azure drops.

Sources: Microsoft, "Training and testing datasets", section "Plain-text data for training" (repeats, special characters)
and "How to create human-labeled transcriptions" (ASCII only for English).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.leakage.findings import Leak
from domain.leakage.heavy import HeavyHitters
from domain.leakage.scripts import is_right_to_left, main_script, mixes_scripts, scripts_of

MOST_REPEATS = 3
"""Azure may drop a line that repeats a character, a word or a group of words more often."""

REPEATED_LINES = 10
REPEATED_SHARE = 0.01
"""A line is told when it stands there more often than both, for then it weighs more than language does."""

TOLERATED_LATIN = 0.1
"""Languages of other scripts hold lines in Latin letters; when more of the text is, it may be the wrong file."""

_LONGEST_GROUP = 4
_LAST_PLAIN = "\u00a1"
_REPEATED_LETTER = re.compile(rf"([^\W\d_])\1{{{MOST_REPEATS}}}")
_HIDDEN = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufff9-\ufffb\ue000-\uf8ff\U000e0000-\U0010fffd]")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<!--|&(?:[a-z]{2,8}|#\d{2,6});|```|\]\(|^#{1,6} |\{\{|\}\}")
_INSTRUCTIONS = re.compile(
    r"\b(?:ignore|disregard|forget) (?:all |any )?(?:of )?(?:the |your |my )?(?:previous|prior|above|earlier) "
    r"(?:instructions?|prompts?|messages?)\b|\bsystem prompt\b|\bas an ai (?:language )?model\b|\byou are chatgpt\b"
)


def repeats_too_often(text: str) -> bool:
    """Whether a letter, a word or a group of up to four words follows itself more than three times.

    >>> repeats_too_often("that's it that's it that's it that's it"), repeats_too_often("bye bye bye")
    (True, False)
    """
    if _REPEATED_LETTER.search(text):
        return True
    words = text.split()
    if len(set(words)) + MOST_REPEATS > len(words):
        return False
    return any(_follows_itself(words, size) for size in range(1, _LONGEST_GROUP + 1))


def _follows_itself(words: list[str], size: int) -> bool:
    equal = 0
    for one, later in zip(words, words[size:], strict=False):
        equal = equal + 1 if one == later else 0
        if equal == size * MOST_REPEATS:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Oddity:
    kind: str
    told: str
    """What the lines are or do, after their number."""
    holds: Callable[[str, str], bool]
    """Of a line as it stands, and normalised."""
    suspicious: bool = False
    tolerated: float = 0.0
    """The share of lines that may be so."""


@dataclass(slots=True)
class _Seen:
    line: int
    count: int = 0


class OddityCheck:
    """Reads one file of training text, then tells what is odd: one note per kind, with its first line."""

    def __init__(self, file: str, locale: str) -> None:
        self._file = file
        self._oddities = tuple(_oddities(locale))
        self._seen: dict[str, _Seen] = {}
        self._lines = HeavyHitters(REPEATED_SHARE)

    def read(self, number: int, text: str, normalised: str) -> None:
        """Look at a line."""
        self._lines.add(normalised, number)
        for oddity in self._oddities:
            if oddity.holds(text, normalised):
                self._seen.setdefault(oddity.told, _Seen(number)).count += 1

    def leaks(self) -> Iterator[Leak]:
        """What was odd."""
        yield from self._repeated_lines()
        for oddity in self._oddities:
            seen = self._seen.get(oddity.told)
            if seen and seen.count > oddity.tolerated * self._lines.total:
                lines = "1 line" if seen.count == 1 else f"{seen.count:,} lines, of which this is the first,"
                told = f"{lines} {oddity.told}"
                yield self._note(oddity.kind, seen.line, told, suspicious=oddity.suspicious)

    def _repeated_lines(self) -> Iterator[Leak]:
        for line, count in self._lines.above(REPEATED_LINES):
            share = count / self._lines.total
            reason = f"the line stands there at least {count:,} times, {share:.1%} of all lines"
            yield self._note("repeated line", line, reason, suspicious=True)

    def _note(self, kind: str, line: int, reason: str, *, suspicious: bool) -> Leak:
        return Leak(kind=kind, file=self._file, line=line, reason=reason, blocks=False, suspicious=suspicious)


def _oddities(locale: str) -> Iterator[_Oddity]:
    yield _Oddity(
        "repeated words",
        f"may be dropped by Azure: something in it is repeated more than {MOST_REPEATS} times",
        lambda text, normalised: repeats_too_often(normalised),
    )
    if locale.startswith("en-"):
        yield _Oddity(
            "special characters",
            "may be dropped by Azure: a character in it is beyond U+00A1",
            lambda text, normalised: not text.isascii() and max(text) > _LAST_PLAIN,
        )
    yield _Oddity(
        "composition", "not in Unicode NFC", lambda text, normalised: not unicodedata.is_normalized("NFC", text)
    )
    yield from _hidden(locale)
    yield from _foreign(scripts_of(locale))
    yield _Oddity("markup", "markup in it", lambda text, normalised: bool(_MARKUP.search(text)))
    yield _Oddity(
        "instructions",
        "talks to a language model, not to people",
        lambda text, normalised: bool(_INSTRUCTIONS.search(normalised)),
        suspicious=True,
    )


def _hidden(locale: str) -> Iterator[_Oddity]:
    yield _Oddity(
        "hidden characters",
        "characters that nobody can see",
        lambda text, normalised: not text.isascii() and bool(_HIDDEN.search(text)),
        suspicious=True,
    )
    yield _Oddity(
        "hidden characters",
        "a word with letters of two scripts that look the same",
        lambda text, normalised: not text.isascii() and any(map(mixes_scripts, text.split())),
        suspicious=True,
    )
    if not is_right_to_left(locale):
        yield _Oddity(
            "hidden characters",
            "marks that turn the direction of writing",
            lambda text, normalised: not text.isascii() and bool(_DIRECTIONS.search(text)),
            suspicious=True,
        )


def _foreign(expected: frozenset[str]) -> Iterator[_Oddity]:
    def other(text: str, _: str) -> bool:
        return main_script(text) not in (None, "LATIN", *expected)

    yield _Oddity("other script", "not in the script of the locale", other)
    if "LATIN" not in expected:
        yield _Oddity(
            "other script",
            "in Latin letters",
            lambda text, _: main_script(text) == "LATIN",
            tolerated=TOLERATED_LATIN,
        )
