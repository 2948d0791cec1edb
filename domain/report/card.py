"""The model card: what the candidate is, what it was measured on, and where its limits are."""

import math
from dataclasses import dataclass

from domain.comparison import Comparison
from domain.policy import NO_SLICES
from domain.report.given import ModelCard
from domain.report.wording import percent
from domain.ruling import Decision
from domain.verdict import Verdict

_FEW_SPEAKERS = 20
_FEW_HOURS = 5
Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardSection:
    """Facts by name, limits, and what was done for each function of NIST's AI Risk Management Framework (AI 100-1)."""

    facts: tuple[tuple[str, Lines], ...]
    limits: Lines
    nist: tuple[tuple[str, str], ...]


def card_of(decision: Decision, comparison: Comparison, card: ModelCard | None) -> CardSection:
    """The card from what is known; what nobody told is said to be unknown."""
    told = card or ModelCard()
    return CardSection(
        tuple(_facts(decision, comparison, told)), _limits(decision, comparison, told), _nist(decision, comparison)
    )


def _facts(decision: Decision, comparison: Comparison, told: ModelCard) -> list[tuple[str, Lines]]:
    subject = decision.ruling.subject
    track = subject.track
    training = tuple(f"{one.kind}: {one.amount}{_digest(one.digest)}" for one in told.training)
    versions = tuple(f"{name} {version}" for name, version in told.versions)
    normaliser = comparison.candidate.scorecard.normaliser_name
    return [
        ("Purpose", (told.purpose or track.description or "nobody told",)),
        ("Model", (f"{subject.candidate.name} ({subject.candidate.path})",)),
        ("Base model", (f"{subject.base.name} ({subject.base.path})",)),
        ("Language", (track.locale,)),
        ("Training data", training or ("nobody told",)),
        ("Testing data", (_testing(comparison), f"content {subject.testing_hash}")),
        ("Made with", (*versions, f"normaliser {normaliser or subject.track.locale}")),
    ]  # fmt: skip


def _digest(digest: str) -> str:
    return f" ({digest[:12]})" if digest else ""


def _testing(comparison: Comparison) -> str:
    counts, recordings = comparison.candidate.scorecard.total, comparison.candidate.scorecard.utterances
    people, hours = _speakers(comparison), _hours(comparison)
    parts = [f"{len(recordings):,} recordings", f"{counts.reference_words:,} words"]
    parts += [f"{people:,} speakers"] if people else []
    parts += [f"{hours:.1f} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"] if hours else []
    return ", ".join(parts)


def _speakers(comparison: Comparison) -> int:
    known = (comparison.labels.get(one.id, {}).get("speaker") for one in comparison.candidate.scorecard.utterances)
    return len({name for name in known if name})


def _hours(comparison: Comparison) -> float:
    return math.fsum(comparison.seconds.values()) / 3600


def _limits(decision: Decision, comparison: Comparison, told: ModelCard) -> Lines:
    people, hours = _speakers(comparison), _hours(comparison)
    labels = sorted({label for row in comparison.labels.values() for label in row} - NO_SLICES)
    limits = [
        f"Measured for {decision.ruling.subject.track.locale} only; says nothing about other languages or accents than those in the testing data."
    ]
    if not people:
        limits.append("Nobody told who speaks in the testing data, so intervals may be too narrow.")
    elif people < _FEW_SPEAKERS:
        limits.append(f"Only {people} speakers are in the testing data: other speakers may get other error rates.")
    if 0 < hours < _FEW_HOURS:
        limits.append(f"The testing data last {hours * 60:.0f} minutes: small gains cannot be told from chance.")
    if labels:
        limits.append(f"Groups are known by {', '.join(labels)}; of others nothing is known.")
    else:
        limits.append("No groups are labelled, so nobody can tell for whom the model is worse.")
    if comparison.leaks is None:
        limits.append("Nobody looked whether testing data leaked into training data.")
    return (*limits, *told.limits)


def _nist(decision: Decision, comparison: Comparison) -> tuple[tuple[str, str], ...]:
    verdict, subject = decision.ruling.verdict, decision.ruling.subject
    return (
        ("Govern", f"The gate's policy ({verdict.policy[:12]}) is part of the track and of this verdict. {_overridden(verdict)}"),
        ("Map", f"Track {subject.track.name}, {subject.track.locale}: {subject.track.description or 'no purpose told'}. Data: revision {subject.revision}."),
        ("Measure", f"WER {percent(verdict.candidate_wer)} on {verdict.words:,} words, {len(verdict.findings)} findings, by slice and with intervals. {_leaks(comparison)}"),
        ("Manage", f"{verdict.outcome.value}: {'the candidate may go live' if verdict.releases else 'nothing goes live by this verdict'}. Earlier releases are kept and can be put back with the rollback flow."),
    )  # fmt: skip


def _overridden(verdict: Verdict) -> str:
    return f"{verdict.override.by} overrode it." if verdict.override else "Nobody overrode it."


def _leaks(comparison: Comparison) -> str:
    return "Leaks: nobody looked." if comparison.leaks is None else f"Leaks: {comparison.leaks.outcome}."
