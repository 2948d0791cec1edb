"""All that the template of a verdict or a measurement shows."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from domain.comparison import Comparison
from domain.gate import without
from domain.latency import Latency
from domain.normalise import normaliser_with
from domain.report.alignments import alignments
from domain.report.calibration import Calibration, calibration
from domain.report.card import card_of
from domain.report.errors import word_errors
from domain.report.given import HistoryPoint, ModelCard
from domain.report.rates import Rates, Row, Sides, rates, sides_of
from domain.report.sections import (
    audit_of,
    findings_of,
    history_of,
    leaks_of,
    models_of,
    recordings_of,
)
from domain.report.word_lists import confusions_of, word_lists
from domain.report.wording import percent, percents, points, signed
from domain.ruling import Decision
from domain.significance import smallest_gain
from domain.verdict import Finding, Verdict

_GAIN_RULES = ("significance", "non-inferiority")
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller adds to the comparison, and whether the page may show what people said."""

    history: Sequence[HistoryPoint]
    card: ModelCard | None
    latency: Latency | None
    vocabulary: Collection[str] | None
    transcripts: bool


def page_facts(decision: Decision, comparison: Comparison, roles: tuple[str, str], given: Given) -> Facts:
    """Every variable of the template but those of its first lines. `roles` tells what the two models are called."""
    judged = without(comparison, decision.ruling.verdict.excluded)
    sides = sides_of(judged, roles)
    table = rates(judged, sides)
    curves = _curves(judged, sides)
    facts = {
        **_head(decision, table),
        **_errors(judged, sides, given),
        "rates": table,
        "certainty": _certainty(decision.ruling.verdict, judged),
        "calibrations": curves,
        "no_confidence": _NO_CONFIDENCE if any(side.confidences for side in sides.values()) else _NO_CONFIDENCES,
        "latency": given.latency,
        "history": history_of(given.history),
        "charts": _charts(table, curves, given.history),
        "leaks": leaks_of(comparison.leaks, listed=given.transcripts),
        "card": card_of(decision, judged, given.card),
    }
    return {**facts, "contents": _contents(facts)}


def _head(decision: Decision, table: Rates) -> Facts:
    subject, verdict = decision.ruling.subject, decision.ruling.verdict
    return {
        "title": f"{subject.track.name}: {verdict.outcome.value} at {subject.revision}",
        "track": subject.track,
        "revision": subject.revision,
        "candidate": verdict.candidate,
        "benchmark": verdict.benchmark,
        "override": verdict.override,
        "figures": list(_figures(verdict, table.rows[0])),
        "findings": findings_of(verdict.findings),
        "evidence": _evidence(decision),
    }


def _errors(judged: Comparison, sides: Sides, given: Given) -> Facts:
    errors = word_errors(judged)
    return {
        "models": models_of(sides),
        "unit": judged.candidate.scorecard.unit,
        "words": word_lists(judged, errors, given.vocabulary, given.transcripts),
        "confusions": confusions_of(errors, given.transcripts),
        "alignments": alignments(judged, sides) if given.transcripts else None,
        "wrong": None if given.transcripts else recordings_of(judged),
        "audit": audit_of(judged, given.transcripts),
        "transcripts": given.transcripts,
        "normaliser": judged.candidate.scorecard.normaliser_name or judged.candidate.scorecard.normaliser,
    }


@dataclass(frozen=True, slots=True)
class Figure:
    """One large figure at the top: what it is, the figure, and what it rests on."""

    name: str
    value: str
    unit: str
    note: str
    tone: str


_NO_INTERVAL = "no interval"


def _figures(verdict: Verdict, everything: Row) -> Iterator[Figure]:
    for rate in everything.rates:
        note = f"95%: {percents(rate.interval)}" if rate.interval else _NO_INTERVAL
        yield Figure(f"WER, {rate.role}", percent(rate.wer), "", note, rate.role.split()[0])
    if (gain := _gain(verdict)) is not None and gain.value is not None:
        span = f"{signed(gain.interval[0])} to {signed(gain.interval[1])}" if gain.interval else _NO_INTERVAL
        yield Figure("Gain", signed(gain.value), "points", span, "gain")
    people = f"{everything.speakers:,} speakers" if everything.speakers else "speakers unknown"
    yield Figure("Evidence", f"{everything.words:,}", "words", people, "")


def _gain(verdict: Verdict) -> Finding | None:
    return next((finding for finding in verdict.findings if finding.rule in _GAIN_RULES), None)


def _certainty(verdict: Verdict, judged: Comparison) -> list[tuple[str, str]]:
    """What the verdict says of chance, and what these testing data can show at all."""
    rules = {finding.rule: finding.reason for finding in verdict.findings}
    found = [("Over speakers", rules[rule]) for rule in _GAIN_RULES if rule in rules]
    found += [("Second opinion", rules["matched pairs"])] if "matched pairs" in rules else []
    if not found:
        return []
    smallest = smallest_gain(judged)
    told = (
        "unknown: too few speakers"
        if smallest is None
        else f"{points(smallest)}: a smaller one is found in fewer than 8 of 10 cases"
    )
    return [*found, ("Smallest gain that these testing data can show", told)]


def _curves(judged: Comparison, sides: Sides) -> list[tuple[str, Calibration]]:
    normaliser = normaliser_with(judged.candidate.scorecard.normaliser)
    if normaliser is None:
        return []
    found = ((role, calibration(side, normaliser)) for role, side in sides.items() if side.confidences)
    return [(role, curve) for role, curve in found if curve is not None]


_NO_CONFIDENCES = "The service told no confidences with these transcripts."
_NO_CONFIDENCE = "The words' confidences could not be matched with the scored words, so nothing can be said of them."


def _charts(
    table: Rates, curves: Sequence[tuple[str, Calibration]], history: Sequence[HistoryPoint]
) -> dict[str, Markup]:
    from domain.report import charts  # matplotlib takes a second to import

    drawn = [charts.forest(table)]
    drawn += [charts.reliability(curves)] if curves else []
    drawn += [charts.history(history)] if history else []
    return {chart.name: Markup(charts.svg(chart)) for chart in drawn}  # noqa: S704 - charts.svg escapes what it draws


_SECTIONS = (
    ("rules", "Rules"), ("rates", "Word error rates"), ("certainty", "Chance"), ("words", "Words"),
    ("confusions", "Confusions"), ("recordings", "Recordings"), ("labels", "References"), ("confidence", "Confidence"),
    ("latency", "Latency"), ("history", "History"), ("leaks", "Leaks"), ("card", "Model card"), ("evidence", "Evidence"),
)  # fmt: skip
_SOMETIMES = {"certainty": "certainty", "labels": "audit", "latency": "latency", "history": "history"}


def _contents(facts: Facts) -> list[tuple[str, str]]:
    return [(anchor, name) for anchor, name in _SECTIONS if anchor not in _SOMETIMES or facts[_SOMETIMES[anchor]]]


def _evidence(decision: Decision) -> list[tuple[str, str]]:
    ruling, subject = decision.ruling, decision.ruling.subject
    trail = [
        ("Ruling", decision.digest),
        ("Evaluation and scores", ruling.measurement),
        ("Whole input of the verdict", ruling.comparison),
        ("Testing data", subject.testing_hash),
        ("Recipe", subject.recipe),
        ("Gate policy", ruling.verdict.policy),
        ("Normaliser", ruling.verdict.normaliser),
        ("Revision", subject.revision),
    ]
    return [(name, digest) for name, digest in trail if digest]
