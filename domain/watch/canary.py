"""Which model answers? Recordings that the live model gets right and the base model gets wrong will tell."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from domain.golden import golden_utterances
from domain.watch.commands import Commands
from domain.watch.findings import Finding
from domain.wer import ErrorCounts, Scorecard, score

_HALF = 0.5
"""From so many words that differ on, clients cannot use the answers."""

Texts = Mapping[str, str]
"""Normalised text by recording."""


class Canary(BaseModel):
    """How far the endpoint's answers are from what the two models say: word errors over `words`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recordings: int
    words: int
    from_live: int
    from_base: int

    @property
    def is_base(self) -> bool:
        """Whether the answers are nearer to the base model's."""
        return self.from_base < self.from_live

    @property
    def apart(self) -> float:
        """The share of words that differ from what the live model said."""
        return self.from_live / self.words if self.words else 0.0


def telling_recordings(base: Scorecard, live: Scorecard) -> tuple[str, ...]:
    """Recordings on which the live model does better than the base model, the most telling first."""
    errors = {one.id: one.counts.errors for one in base.utterances}
    better = {one.id for one in live.utterances if one.counts.errors < errors.get(one.id, 0)}
    return tuple(name for name in golden_utterances(base, live) if name in better)


def judged(live: Texts, base: Texts, heard: Texts) -> Canary | None:
    """Hold the endpoint's answers against both models' texts, where these differ; None where they never do.

    >>> judged({"1.wav": "to xanadu"}, {"1.wav": "to uh"}, {"1.wav": "to uh"}).is_base
    True
    """
    names = [name for name in live if name in base and name in heard and live[name] != base[name]]
    if not names:
        return None
    to_live, to_base = (
        sum((score(texts[name], heard[name]) for name in names), ErrorCounts()) for texts in (live, base)
    )
    return Canary(
        recordings=len(names), words=to_live.reference_words, from_live=to_live.errors, from_base=to_base.errors
    )


def canary_finding(canary: Canary, model: str, tolerance_percent: float, commands: Commands) -> Finding | None:
    """The endpoint answers with the base model, or otherwise than its model did; None when it answers as it should."""
    facts = canary.model_dump() | {"model": model}
    if canary.is_base:
        return Finding(
            kind="silent-fallback",
            key=f"silent-fallback:{model}",
            severity="critical",
            title=f"{commands.track}: clients get the base model, not '{model}'",
            detail=f"The live endpoint answers {canary.recordings} recordings that only the custom model gets right as the "
            f"base model does: {canary.from_base} words differ from its text, {canary.from_live} from the custom model's. "
            "Azure does so silently when a custom model has expired.",
            what_to_do=f"Train anew from the newest base model: {commands.retrain('newest')}. An earlier release that "
            f"has not expired is quicker: {commands.rollback()}",
            facts=facts,
        )
    if canary.apart * 100 > tolerance_percent:
        return Finding(
            kind="other-answers",
            key=f"other-answers:{model}",
            severity="critical" if canary.apart >= _HALF else "warning",
            title=f"{commands.track}: the live endpoint answers otherwise than '{model}' did",
            detail=f"{canary.apart:.1%} of the words of {canary.recordings} recordings differ from what the model said when "
            f"it was released; {tolerance_percent:g}% is allowed.",
            what_to_do=f"Compare with the evaluation on the current testing data: {commands.retest()}",
            facts=facts,
        )
    return None
