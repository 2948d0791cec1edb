"""One self-contained HTML file per verdict, measurement or leak: no network, no script, everything escaped."""

from collections.abc import Collection, Sequence

from domain.comparison import Comparison
from domain.gate import without
from domain.latency import Latency
from domain.leakage import REMEDIES, LeakReport
from domain.report.facts import Given, page_facts
from domain.report.given import HistoryPoint, ModelCard
from domain.report.rates import rates, sides_of
from domain.report.redaction import without_names
from domain.report.rendering import rendered
from domain.report.sections import leaks_of
from domain.report.wording import MEANINGS, SIGNS, percent
from domain.ruling import Decision
from domain.verdict import Outcome, Verdict

MOST_REASONS = 5
_FIRST = ("significance", "non-inferiority", "minimum gain", "matched pairs", "leaks", "base model", "target WER")
"""What a manager wants to know of a candidate that passed; the other rules follow."""


def html_report(
    decision: Decision,
    comparison: Comparison,
    *,
    history: Sequence[HistoryPoint] = (),
    card: ModelCard | None = None,
    latency: Latency | None = None,
    vocabulary: Collection[str] | None = None,
    transcripts: bool = True,
) -> str:
    """The report of a verdict as one HTML file, equal for equal input.

    Args:
        decision: what was decided.
        comparison: what it was decided on.
        history: the track's measurements so far, in any order.
        card: what is known of the candidate beside the decision.
        latency: how long recognition took; left out, the page has no such section.
        vocabulary: the normalised words of the training text, when it is at hand.
        transcripts: whether the page may show what people said; otherwise it holds counts only, and may go to people who
            must not see the testing data.
    """
    decision = decision if transcripts else without_names(decision, comparison)
    verdict = decision.ruling.verdict
    hero = {
        "tone": verdict.outcome.value,
        "sign": SIGNS[verdict.outcome],
        "outcome": verdict.outcome.value,
        "sentence": f"The candidate {MEANINGS[verdict.outcome]}",
        "reasons": _leading(verdict),
        "most_reasons": MOST_REASONS,
        "measures": False,
    }
    given = Given(history, card, latency, vocabulary, transcripts)
    return rendered("verdict.html", **hero, **page_facts(decision, comparison, ("benchmark", "candidate"), given))


def _leading(verdict: Verdict) -> list[str]:
    """The reasons of the outcome, the telling ones first when there are many because nothing is wrong."""
    decisive = [finding for finding in verdict.findings if finding.outcome is verdict.outcome]
    if verdict.outcome is Outcome.PASS:
        places = {rule: place for place, rule in enumerate(_FIRST)}
        decisive.sort(key=lambda finding: places.get(finding.rule, len(places)))
    return [finding.reason for finding in decisive]


def measurement_report(
    decision: Decision,
    comparison: Comparison,
    *,
    history: Sequence[HistoryPoint] = (),
    card: ModelCard | None = None,
    latency: Latency | None = None,
    vocabulary: Collection[str] | None = None,
    transcripts: bool = True,
) -> str:
    """The report of a testing update: how good the benchmark model is on new testing data. See `html_report`."""
    decision = decision if transcripts else without_names(decision, comparison)
    verdict = decision.ruling.verdict
    valid = verdict.outcome is not Outcome.INVALID
    hero = {
        "tone": "MEASURED" if valid else verdict.outcome.value,
        "sign": "WER" if valid else SIGNS[verdict.outcome],
        "outcome": percent(verdict.candidate_wer) if valid else verdict.outcome.value,
        "sentence": "The benchmark on the new testing data" if valid else "Nothing was recorded",
        "reasons": verdict.reasons,
        "most_reasons": MOST_REASONS,
        "measures": True,
    }
    given = Given(history, card, latency, vocabulary, transcripts)
    return rendered("verdict.html", **hero, **page_facts(decision, comparison, ("base model", "benchmark"), given))


def leak_page(report: LeakReport, track: str, revision: str) -> str:
    """The page of data that were refused, or looked at, because testing and training data share something."""
    blocks = report.outcome == "leaked"
    kinds = dict.fromkeys(leak.kind for leak in sorted(report.leaks, key=lambda leak: (not leak.blocks, leak.kind)))
    return rendered(
        "leak.html",
        title=f"{track}: {report.outcome}",
        tone=_LEAK_TONES[report.outcome],
        sign="✘ BLOCKED" if blocks else "✔ CLEAN" if report.outcome == "clean" else "? TO LOOK AT",
        sentence="Testing data leaked into training data" if blocks else "No testing data in the training data",
        meaning=_LEAK_MEANINGS[report.outcome],
        track=track,
        revision=revision,
        figures=[
            ("findings that block", sum(leak.blocks for leak in report.leaks)),
            ("notes", sum(not leak.blocks for leak in report.leaks)),
            ("testing recordings concerned", len(report.utterances)),
        ],
        leaks=leaks_of(report),
        remedies=list(dict.fromkeys(REMEDIES[kind] for kind in kinds if kind in REMEDIES)) or ["Nothing."],
    )  # fmt: skip


_LEAK_TONES = {"clean": "PASS", "suspicious": "INCONCLUSIVE", "leaked": "FAIL"}
_LEAK_MEANINGS = {
    "clean": "Nothing is in the way.",
    "suspicious": "Nothing is in the way, but somebody should look at what was found.",
    "leaked": "A model that has read the answers looks better than it is: what is measured on these data shows nothing.",
}


def charts_png(
    decision: Decision, comparison: Comparison, *, history: Sequence[HistoryPoint] = (), scale: int = 2
) -> bytes:
    """The charts as a PNG of 400 by `scale` pixels width, for the Prefect UI and pull requests. It holds no transcript."""
    from domain.report import charts

    judged = without(comparison, decision.ruling.verdict.excluded)
    drawn = [charts.forest(rates(judged, sides_of(judged)))]
    return charts.png([*drawn, *([charts.history(history)] if history else [])], scale)
