"""The card of a release: what people and programs must know of a model that is live."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.comparison import Comparison
from domain.gate import without
from domain.golden import Hearing
from domain.ledger import Kind, Release
from domain.report.card import card_of
from domain.report.given import ModelCard, TrainingData
from domain.report.markdown import escaped, table
from domain.report.redaction import without_names
from domain.report.wording import percent, points
from domain.ruling import Decision, ModelRef
from domain.verdict import Finding, Outcome, Verdict

_GAIN_RULES = ("significance", "non-inferiority")


class ReleaseCard(BaseModel):
    """JSON for programs. Rates are fractions; models and endpoints are paths such as `models/<id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="strings")

    track: str
    locale: str
    purpose: str
    version: str
    number: int
    kind: Kind
    released_at: datetime
    revision: str
    model: ModelRef
    base: ModelRef
    recipe: str
    training: tuple[TrainingData, ...]
    testing_hash: str
    testing_words: int
    testing_recordings: int
    benchmark: ModelRef
    """What it was compared with."""
    wer_before: float | None
    wer_after: float | None
    gain: float | None
    gain_interval: tuple[float, float] | None
    outcome: Outcome
    verdict: str
    """Digest of the ruling."""
    reasons: tuple[str, ...]
    overridden_by: str
    approval: str
    endpoint: str
    endpoint_name: str
    staging: Hearing | None
    live: Hearing | None
    limits: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


def release_card(
    release: Release,
    decision: Decision,
    comparison: Comparison,
    told: ModelCard,
    endpoint_name: str,
    hearings: tuple[Hearing | None, Hearing | None],
) -> ReleaseCard:
    """The card from the evidence. A track that keeps its transcripts from reports keeps names of recordings from it, too.

    Args:
        release: what is live.
        decision: the ruling that let it go live.
        comparison: what the ruling rests on.
        told: what else is known of the model.
        endpoint_name: what people call the endpoint.
        hearings: what the staging endpoint and the live one made of the golden utterances.
    """
    ruling, subject = decision.ruling, decision.ruling.subject
    judged = without(comparison, ruling.verdict.excluded)
    shown = decision if subject.track.report.transcripts else without_names(decision, comparison)
    gain = _gain(ruling.verdict)
    return ReleaseCard(
        track=subject.track.name, locale=subject.track.locale, purpose=told.purpose,
        version=release.version, number=release.number, kind=release.kind, released_at=release.released_at,
        revision=release.revision, model=release.ref, base=subject.base, recipe=subject.recipe, training=told.training,
        testing_hash=subject.testing_hash, testing_words=ruling.verdict.words,
        testing_recordings=len(judged.candidate.scorecard.utterances), benchmark=subject.benchmark,
        wer_before=ruling.verdict.benchmark_wer, wer_after=ruling.verdict.candidate_wer,
        gain=gain.value if gain else None, gain_interval=gain.interval if gain else None,
        outcome=ruling.verdict.outcome, verdict=decision.digest, reasons=shown.ruling.verdict.telling_reasons,
        overridden_by=ruling.verdict.override.by if ruling.verdict.override else "",
        approval=release.approval, endpoint=release.endpoint, endpoint_name=endpoint_name,
        staging=hearings[0], live=hearings[1], limits=card_of(decision, judged, told).limits, versions=told.versions,
    )  # fmt: skip


def release_page(card: ReleaseCard) -> str:
    """The card as Markdown."""
    parts = [
        f"# {escaped(card.track)} {escaped(card.version or card.number)}",
        table(["", ""], _rows(card)),
        "## Why it may be live\n\n" + _list(card.reasons),
        "## Limits\n\n" + _list(card.limits),
        "## Made with\n\n" + (", ".join(escaped(f"{name} {version}") for name, version in card.versions) or "unknown"),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(card: ReleaseCard) -> Iterator[tuple[str, object]]:
    yield "Model", card.model.name
    yield "Purpose", card.purpose or "nobody told"
    yield "Language", card.locale
    yield "Released", f"{card.released_at:%Y-%m-%d %H:%M} UTC, {card.kind} {card.number}"
    yield "Base model", card.base.name
    for one in card.training:
        yield "Learnt from", f"{one.kind}: {one.amount} ({one.digest[:12]})"
    yield "Data", f"revision {card.revision}"
    amount = f"{card.testing_recordings:,} recordings, {card.testing_words:,} words"
    yield "Tested on", f"{amount} ({card.testing_hash[:12]})"
    yield "WER", f"{percent(card.wer_before)} → {percent(card.wer_after)}, {points(card.gain, card.gain_interval)}"
    yield "Verdict", f"{card.outcome.value} ({card.verdict[:12]})"
    if card.overridden_by:
        yield "Overridden by", card.overridden_by
    yield "Approval", card.approval or "none was asked for"
    yield "Endpoint", f"{card.endpoint_name} ({card.endpoint})"
    yield from _heard("staging", card.staging)
    yield from _heard("live", card.live)


def _heard(where: str, hearing: Hearing | None) -> Iterator[tuple[str, object]]:
    if hearing and hearing.latency:
        latency = hearing.latency
        told = (
            f"WER {percent(hearing.wer)}, median {latency.median:.3f} s, 95 of 100 within {latency.percentile_95:.3f} s"
        )
        yield f"Golden utterances, {where}", f"{hearing.recordings}: {told}"


def _list(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines) or "- nothing told"


def _gain(verdict: Verdict) -> Finding | None:
    return next((finding for finding in verdict.findings if finding.rule in _GAIN_RULES), None)
