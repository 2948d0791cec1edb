"""The answer to "is it better?", with every reason: what the gate's rules found and what follows from it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from domain.mistakes import Mistake
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


Exactly = Annotated[float, AfterValidator(lambda value: round(value, 9))]
"""A fraction without the last digits, in which two machines may differ."""


class Finding(BaseModel):
    """What one rule found: the value that it looked at, what it asks for, and a sentence for people.

    Rates and gains are fractions (0.105 is 10.5 % WER); `interval` is the value's confidence interval, for rules that
    have one; `words` and `speakers` tell how much evidence the value rests on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="strings")

    rule: str
    outcome: Outcome
    reason: str
    value: Exactly | None = None
    interval: tuple[Exactly, Exactly] | None = None
    threshold: Exactly | None = None
    words: int | None = None
    speakers: int | None = None


class Override(BaseModel):
    """A person lets a candidate go live that the gate would not, and says who they are and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


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
    base: str | None = None
    """The newest base model, when it was measured beside the two."""
    base_counts: ErrorCounts | None = None
    excluded: tuple[str, ...] = ()
    """Recordings that leaked into training and are in no count."""
    override: Override | None = None
    """A person's word, when it lets the candidate go live against the outcome."""

    @model_validator(mode="after")
    def _only_what_may_be_overridden(self) -> Self:
        if self.override is not None and not may_override(self, self.override.reason):
            raise ValueError(f"nobody may override {self.outcome.value}{_UNLESS.get(self.outcome, '')}")
        return self

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
        """Whether the candidate may go live: it passed, or a person took the responsibility."""
        return self.outcome is Outcome.PASS or self.override is not None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the outcome is what it is: the reasons of the findings that decided it."""
        return tuple(finding.reason for finding in self.findings if finding.outcome is self.outcome)

    @property
    def telling_reasons(self) -> tuple[str, ...]:
        """The reasons; when nothing is wrong, only those that tell how much better the candidate is."""
        told = tuple(finding.reason for finding in self.findings if finding.rule in _TELLING)
        return told if self.outcome is Outcome.PASS and told else self.reasons

    @property
    def summary(self) -> str:
        """The telling reasons in one line."""
        return "; ".join(self.telling_reasons)


_TELLING = ("minimum gain", "significance", "non-inferiority")
_UNLESS = {Outcome.FAIL: " without a reason"}


def may_override(verdict: Verdict, reason: str) -> bool:
    """Whether a person may let the candidate go live all the same: INCONCLUSIVE, and with a reason FAIL; never INVALID."""
    return verdict.outcome is Outcome.INCONCLUSIVE or (verdict.outcome is Outcome.FAIL and bool(reason.strip()))


def overridden(verdict: Verdict, override: Override) -> Verdict:
    """The verdict with a person's word; its outcome and findings stay as they are.

    Raises:
        Mistake: this outcome may not be overridden, or not without a reason.
    """
    if not may_override(verdict, override.reason):
        why = "give a reason" if verdict.outcome is Outcome.FAIL else "there is nothing that a person could overrule"
        raise Mistake(f"{verdict.candidate}: {verdict.outcome.value} cannot be overridden like this: {why}.")
    return Verdict.model_validate({**dict(verdict), "override": override})


def worst(findings: Iterable[Finding]) -> Outcome:
    """The worst outcome among findings; no finding at all is INVALID, for nothing was shown.

    >>> worst([])
    <Outcome.INVALID: 'INVALID'>
    """
    return max((finding.outcome for finding in findings), key=lambda outcome: outcome.severity, default=Outcome.INVALID)
