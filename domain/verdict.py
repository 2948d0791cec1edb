"""The answer to "is it better?", with every reason: what the gate's rules found and what follows from it."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.wer import ErrorCounts


class Outcome(StrEnum):
    """What a rule, and a verdict, can come to; from good to bad. The worst finding decides."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    INVALID = "INVALID"

    @property
    def severity(self) -> int:
        """0 for PASS to 3 for INVALID."""
        return list(Outcome).index(self)


class Finding(BaseModel):
    """What one rule found: the value that it looked at, what it asks for, and a sentence for people.

    Rates and gains are fractions (0.105 is 10.5 % WER); `interval` is the value's confidence interval, for rules that
    have one; `words` and `speakers` tell how much evidence the value rests on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="strings")

    rule: str
    outcome: Outcome
    reason: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    threshold: float | None = None
    words: int | None = None
    speakers: int | None = None


class Verdict(BaseModel):
    """The gate's decision about one comparison. It rests on its findings alone and can be read back years later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Outcome
    findings: tuple[Finding, ...]
    benchmark: str
    candidate: str
    benchmark_counts: ErrorCounts
    candidate_counts: ErrorCounts
    policy: str
    """Fingerprint of the gate policy that was applied."""
    normaliser: str
    """Fingerprint of the normaliser that made the words."""

    @property
    def benchmark_wer(self) -> float | None:
        """The benchmark's WER as a fraction; None without reference words."""
        return self.benchmark_counts.wer

    @property
    def candidate_wer(self) -> float | None:
        """The candidate's WER as a fraction; None without reference words."""
        return self.candidate_counts.wer

    @property
    def words(self) -> int:
        """Reference words that the verdict rests on."""
        return self.candidate_counts.reference_words

    @property
    def releases(self) -> bool:
        """Whether the candidate may go live without a person's word."""
        return self.outcome is Outcome.PASS

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the outcome is what it is: the reasons of the findings that decided it."""
        return tuple(finding.reason for finding in self.findings if finding.outcome is self.outcome)


def worst(findings: Iterable[Finding]) -> Outcome:
    """The worst outcome among findings; no finding at all is INVALID, for nothing was shown.

    >>> worst([])
    <Outcome.INVALID: 'INVALID'>
    """
    return max((finding.outcome for finding in findings), key=lambda outcome: outcome.severity, default=Outcome.INVALID)
