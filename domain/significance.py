"""Is a difference in WER more than chance? Paired tests whose unit is the speaker, as measured in docs/significance.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.comparison import Comparison, Measured
from domain.corpus import Labels

Method = Literal["block bootstrap", "sign flips", "too few blocks"]


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the candidate is: fractions of WER, positive is better.

    `interval` is two-sided at `confidence`; with too few blocks there is none. `worse_or_equal` is the one-sided
    probability of a gain this large if there is none.
    """

    value: float
    interval: tuple[float, float] | None
    worse_or_equal: float | None
    method: Method
    blocks: int
    words: int


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """NIST's matched-pairs sentence-segment word error test (MAPSSWE)."""

    segments: int
    mean: float
    deviation: float
    z: float | None
    """Positive: the candidate makes fewer errors. None when no segment differs."""
    p: float
    """Two-sided."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What would show the gain with 80 % power, beyond what is there."""

    speakers: int
    minutes: float | None


def blocks_of(measured: Measured, labels: Labels) -> Mapping[str, str]:
    """Utterance id to its block: the speaker, else the session, else the recording itself."""
    raise NotImplementedError


def gain_of(
    comparison: Comparison,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 1,
    only: frozenset[str] | None = None,
) -> Gain:
    """The gain of the candidate over the benchmark, on all utterances or `only` some."""
    raise NotImplementedError


def wer_interval(
    measured: Measured,
    labels: Labels,
    *,
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 1,
    only: frozenset[str] | None = None,
) -> tuple[float, float] | None:
    """The confidence interval of one model's WER, by block bootstrap; None below five blocks."""
    raise NotImplementedError


def matched_pairs(comparison: Comparison) -> MatchedPairs:
    """MAPSSWE of benchmark and candidate."""
    raise NotImplementedError


def smallest_gain(comparison: Comparison, *, power: float = 0.8, confidence: float = 0.95) -> float | None:
    """The smallest gain (fraction of WER) that these testing data can detect."""
    raise NotImplementedError


def needed(comparison: Comparison, *, power: float = 0.8, confidence: float = 0.95) -> Needed | None:
    """How many more speakers, or minutes, would show the observed gain; None when there is no gain to show."""
    raise NotImplementedError


def holm(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment of probabilities that are judged together."""
    raise NotImplementedError
