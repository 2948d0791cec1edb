"""How a recognition is written down: punctuation, profanity, and the times of the words as people write them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any

Recognition = Mapping[str, Any]
"""`emulator.recogniser.Recognition` as JSON: lexical, display, confidence, duration_seconds, words."""


class PunctuationMode(StrEnum):
    """Which punctuation the display form has."""

    NONE = "None"
    DICTATED = "Dictated"
    AUTOMATIC = "Automatic"
    DICTATED_AND_AUTOMATIC = "DictatedAndAutomatic"


class ProfanityFilterMode(StrEnum):
    """What becomes of profanity in the display and in the masked form."""

    NONE = "None"
    REMOVED = "Removed"
    TAGS = "Tags"
    MASKED = "Masked"


PROFANITY = frozenset(
    ("arsehole", "asshole", "bastard", "bitch", "bullshit", "cunt", "damn", "fuck", "fucked", "fucking", "shit")
)
"""Azure's list is not published; this one is just long enough to show what each mode does."""

UNPUNCTUATED = (PunctuationMode.NONE, PunctuationMode.DICTATED)
"""The recogniser hears no dictated punctuation, so without the automatic one there is none."""

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
_GAP = re.compile(r"\s+(?=[.,?!;:])")
_MARKS = re.compile(r"(?<![^\s])[^\w\s']+|[.,?!;:]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a request asked for."""

    words: bool = True
    """Whether the lexical words come with their times."""
    display_words: bool = False
    """Whether the words of the display form do."""
    punctuation: PunctuationMode = PunctuationMode.DICTATED_AND_AUTOMATIC
    profanity: ProfanityFilterMode = ProfanityFilterMode.NONE
    locale: str | None = None
    """Of each phrase, when the language was to be identified."""
    speaker: int | None = None
    """Of each phrase, when speakers were to be told apart."""

    def display(self, recognition: Recognition) -> str:
        """The display form."""
        text = recognition["display"]
        if self.punctuation in UNPUNCTUATED:
            text = " ".join(_MARKS.sub("", text).split())
        return filtered(text, self.profanity)

    def forms(self, recognition: Recognition) -> dict[str, str]:
        """The four forms of the text."""
        lexical = recognition["lexical"]
        masked = filtered(lexical, self.profanity)
        return {"lexical": lexical, "itn": lexical, "maskedITN": masked, "display": self.display(recognition)}


def filtered(text: str, mode: ProfanityFilterMode) -> str:
    """The text with profanity treated as asked.

    >>> filtered("Oh shit, damn.", ProfanityFilterMode.MASKED)
    'Oh s***, d***.'
    >>> filtered("Oh damn it rains shit.", ProfanityFilterMode.REMOVED)
    'Oh it rains.'
    """
    if mode is ProfanityFilterMode.NONE:
        return text
    changed = _WORD.sub(lambda found: _treated(found[0], mode), text)
    return " ".join(_GAP.sub("", changed).split()) if mode is ProfanityFilterMode.REMOVED else changed


def _treated(word: str, mode: ProfanityFilterMode) -> str:
    if word.lower() not in PROFANITY:
        return word
    if mode is ProfanityFilterMode.TAGS:
        return f"<profanity>{word}</profanity>"
    return word[0] + "*" * (len(word) - 1) if mode is ProfanityFilterMode.MASKED else ""


def timed_display_words(display: str, words: list[Mapping[str, Any]]) -> list[tuple[str, float, float]]:
    """The words of the display form with offset and duration in seconds.

    One by one when both forms have as many words; otherwise the phrase's time is shared among them by their lengths.
    """
    shown = display.split()
    if not shown or not words:
        return []
    if len(shown) == len(words):
        times = [(word["offset_seconds"], word["duration_seconds"]) for word in words]
    else:
        times = _shares(shown, *span_of(words))
    return [(text, *time) for text, time in zip(shown, times, strict=True)]


def span_of(words: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Where the first word begins, and how long it takes to the end of the last, in seconds."""
    start = words[0]["offset_seconds"]
    return start, words[-1]["offset_seconds"] + words[-1]["duration_seconds"] - start


def _shares(shown: list[str], start: float, duration: float) -> list[tuple[float, float]]:
    ends = list(accumulate(len(text) for text in shown))
    begins = [0, *ends[:-1]]
    each = duration / ends[-1]
    return [(start + begin * each, (end - begin) * each) for begin, end in zip(begins, ends, strict=True)]
