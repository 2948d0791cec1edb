"""What can be measured without labels: each is a ratio of two sums, so that long recordings count for what they hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from domain.production.recording import Heard, Vocabulary
from domain.wer import score

Worse = Literal["lower", "higher", "either"]
Counted = tuple[int, int]
"""What is above the line and what below it, as whole numbers."""

_MILLIONTHS = 1_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a period."""

    title: str
    worse: Worse
    """In which direction it gets worse."""
    count: Callable[[Heard, Vocabulary | None], Counted]
    is_rate: bool = True
    """Whether people read it in per cent."""
    rises: str = ""
    """What it may mean when it rises."""
    falls: str = ""
    """What it may mean when it falls."""


def _confidence(one: Heard, _: Vocabulary | None) -> Counted:
    return sum(round(sure * _MILLIONTHS) for sure in one.confidences), _MILLIONTHS * len(one.confidences)


def _unknown(one: Heard, vocabulary: Vocabulary | None) -> Counted:
    return (sum(word not in vocabulary for word in one.words), len(one.words)) if vocabulary is not None else (0, 0)


def _speed(one: Heard, _: Vocabulary | None) -> Counted:
    return 1000 * len(one.words), round(1000 * one.seconds)


def _empty(one: Heard, _: Vocabulary | None) -> Counted:
    return int(not one.words), 1


def _disagreement(one: Heard, _: Vocabulary | None) -> Counted:
    if one.base is None:
        return 0, 0
    counts = score(" ".join(one.base), " ".join(one.words))
    return counts.errors, counts.reference_words


MEASURES: Final[Mapping[str, Measure]] = {
    "confidence": Measure(
        "mean word confidence", "lower", _confidence,
        falls="other topics, other speakers, noise, or another microphone",
    ),
    "unknown words": Measure(
        "words that are in no training or testing text", "higher", _unknown,
        rises="new names or topics: add them to the training text",
    ),
    "speed": Measure(
        "words per second of audio", "either", _speed, is_rate=False,
        rises="other callers, or recordings that are cut differently",
        falls="silence, music or noise in the recordings, or words that are left out",
    ),
    "empty": Measure(
        "recordings in which nothing was heard", "higher", _empty,
        rises="silent channels, a broken recorder, or another language",
    ),
    "disagreement": Measure(
        "words that the base model heard differently (WER between the two)", "higher", _disagreement,
        rises="the models part: listen to the recordings in which they differ most",
    ),
}  # fmt: skip
"""By key, in the order of reports."""
