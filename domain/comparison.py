"""What is compared: models, each measured on the same recordings, and all that is known of those recordings.

It is the gate's whole input. Equal comparisons and policies give equal verdicts, today and in ten years.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.corpus import Labels
from domain.leakage import LeakReport
from domain.wer import Scorecard

Confidences = Mapping[str, tuple[tuple[str, float], ...]]
"""Utterance id to the words that were heard, not normalised, each with the service's confidence (0 to 1)."""


@dataclass(frozen=True, slots=True)
class TokenErrors:
    """Errors of the displayed text as the service counts them, by class. `tokens` is the number of reference tokens."""

    tokens: int
    punctuation: int
    capitalization: int
    inverse_text_normalization: int
    lexical: int
    others: int


@dataclass(frozen=True, slots=True)
class ServiceScore:
    """What the service itself says of one model in an evaluation; -1 stands for "not yet", as Azure sends it."""

    status: str
    wer: float
    words: int
    correct: int
    substitutions: int
    deletions: int
    insertions: int
    tokens: TokenErrors | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One model's result: our scoring of its transcripts beside the service's figures."""

    model: str
    scorecard: Scorecard
    service: ServiceScore | None
    """None for transcripts that did not come from an evaluation."""
    confidences: Confidences = field(default_factory=dict)

    @property
    def wer(self) -> float | None:
        """Our WER as a fraction; None without reference words."""
        return self.scorecard.total.wer


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that matters, as people write it; one that `must` be heard is a unit test of the model."""

    text: str
    must: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Benchmark and candidate, measured by ONE evaluation on the same recordings, and what is known beside it."""

    benchmark: Measured
    candidate: Measured
    base: Measured | None = None
    """The newest base model on the same recordings; None when it was not measured. It may be the benchmark itself."""
    labels: Labels = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Utterance id to its length."""
    phrases: tuple[Phrase, ...] = ()
    leaks: LeakReport | None = None
    """None when nobody looked."""
    earlier_verdicts: int = 0
    """How many other candidates were judged on these testing data before."""
