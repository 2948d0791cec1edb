"""Why a model is live: what it learnt from, what it was tested on, what was decided, and who agreed."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.approval import Request
from domain.ledger import Benchmark, Entry, Pending, Release, State, Withdrawn
from domain.lineage.history import LIVE_KINDS
from domain.ruling import Ruling, TrainedOn
from domain.verdict import Finding
from domain.watch.expiry import Ending
from domain.watch.findings import WatchReport


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Decided(_Record):
    """The verdict that let a model go live."""

    digest: str
    outcome: str
    benchmark: str
    """Display name of the model that it had to beat."""
    benchmark_wer: float | None
    candidate_wer: float | None
    words: int
    gain: float | None = None
    """As a fraction; positive is better."""
    interval: tuple[float, float] | None = None
    """Of the gain, 95 %."""
    reasons: tuple[str, ...] = ()
    overridden_by: str = ""


class Agreed(_Record):
    """Who let it go live."""

    id: str
    by: str = ""
    at: datetime | None = None
    reason: str = ""


class Why(_Record):
    """The answer of `speechops why`. Rates are fractions."""

    track: str
    live: Release | None = None
    flow_run: str = ""
    """The run that put it live."""
    base_model: str = ""
    """Display name."""
    authors: tuple[str, ...] = ()
    """Of the data; empty when nobody noted it."""
    training: tuple[TrainedOn, ...] = ()
    testing_hash: str = ""
    verdict: Decided | None = None
    approval: Agreed | None = None
    replaced: Release | None = None
    benchmark: Benchmark | None = None
    """The model to beat, on the testing data of now."""
    pending: Pending | None = None
    withdrawn: tuple[Withdrawn, ...] = ()
    waiting: tuple[Request, ...] = ()
    """Open requests for approval."""
    watched_at: datetime | None = None
    findings: tuple[str, ...] = ()
    """Of the last watch: how bad, what, and what to do."""
    expiry: tuple[Ending, ...] = ()
    missing: tuple[str, ...] = ()
    """What could not be read, and what to do."""


_GAIN_RULES = ("significance", "non-inferiority")


def why_of(
    state: State,
    entries: Sequence[Entry],
    ruling: Ruling | None,
    requests: Sequence[Request] = (),
    watched: WatchReport | None = None,
    missing: Sequence[str] = (),
) -> Why:
    """Put together what the track's documents say.

    Args:
        state: the head.
        entries: of the ledger, oldest first.
        ruling: that let the live model go live; None when nothing is live, or it cannot be read.
        requests: for approval, all of them.
        watched: what the watch found last.
        missing: what could not be read.
    """
    release = state.release
    asked = _request(release, requests)
    subject = ruling.subject if ruling else None
    return Why(
        track=state.track,
        live=release,
        flow_run=next((one.flow_run for one in reversed(entries) if one.kind in LIVE_KINDS), ""),
        base_model=subject.base.name if subject else "",
        authors=asked.authors if asked else (),
        training=subject.training if subject else (),
        testing_hash=subject.testing_hash if subject else "",
        verdict=_decided(release.evidence, ruling) if release and ruling else None,
        approval=_agreed(release, asked, entries),
        replaced=state.previous_releases[0] if state.previous_releases else None,
        benchmark=state.benchmark,
        pending=state.pending,
        withdrawn=state.withdrawn,
        waiting=tuple(one for one in requests if not one.is_over),
        watched_at=watched.at if watched else None,
        findings=tuple(f"{one.severity}: {one.title}. {one.what_to_do}" for one in watched.findings) if watched else (),
        expiry=watched.expiry if watched else (),
        missing=tuple(missing),
    )


def _request(release: Release | None, requests: Sequence[Request]) -> Request | None:
    """What was asked for the release, or for its verdict, by whatever run."""
    if release is None:
        return None
    return next((one for one in requests if one.id == release.approval or one.verdict == release.evidence), None)


def _agreed(release: Release | None, asked: Request | None, entries: Sequence[Entry]) -> Agreed | None:
    """The approval, by its document or, when that is gone, by the history."""
    if release is None or not release.approval:
        return None
    if asked and asked.id == release.approval:
        return Agreed(id=asked.id, by=asked.by, at=asked.decided_at, reason=asked.reason)
    told = [one for one in entries if one.kind == "approval" and one.facts.get("id") == release.approval]
    facts = told[-1].facts if told else {}
    by, reason = str(facts.get("by", "")), str(facts.get("reason", ""))
    return Agreed(id=release.approval, by=by, at=told[-1].at if told else None, reason=reason)


def _decided(digest: str, ruling: Ruling) -> Decided:
    verdict = ruling.verdict
    gain: Finding | None = next((one for one in verdict.findings if one.rule in _GAIN_RULES), None)
    return Decided(
        digest=digest,
        outcome=verdict.outcome.value,
        benchmark=verdict.benchmark,
        benchmark_wer=verdict.benchmark_wer,
        candidate_wer=verdict.candidate_wer,
        words=verdict.words,
        gain=gain.value if gain else None,
        interval=gain.interval if gain else None,
        reasons=verdict.telling_reasons,
        overridden_by=verdict.override.by if verdict.override else "",
    )
