"""What people read of a watch, as Markdown; no transcripts."""

from collections.abc import Iterator

from domain.report.markdown import escaped, table
from domain.watch.drift import Drift, Sample
from domain.watch.expiry import Ending
from domain.watch.findings import Finding, Severity, WatchReport

SIGNS: dict[Severity, str] = {"critical": "✘ critical", "warning": "? warning", "info": "· for information"}


def headline(report: WatchReport) -> str:
    """The watch in one line.

    >>> from datetime import datetime
    >>> headline(WatchReport(track="taxi", at=datetime(2026, 11, 21), model="taxi-model"))
    'nothing to report about the live model taxi-model'
    """
    if not report.model:
        return "no model of this track is live"
    if not report.findings:
        return f"nothing to report about the live model {report.model}"
    new = sum(finding.new for finding in report.findings)
    return f"{len(report.findings)} finding(s), {new} of them new; the worst: {report.findings[0].title}"


def watch_page(report: WatchReport) -> str:
    """Findings first, then all that was looked at."""
    return "\n\n".join(_blocks(report))


def _blocks(report: WatchReport) -> Iterator[str]:
    yield f"# Watch of track {escaped(report.track)}"
    yield f"{report.at:%Y-%m-%d %H:%M} UTC: {escaped(headline(report))}"
    for finding in report.findings:
        yield from _finding(finding)
    if report.looks:
        yield "## What was looked at"
        yield table(["what", "seen"], ((one.name, one.told) for one in report.looks))
    if report.drifts:
        yield "## Word error rate of the live model"
        yield table(_DRIFT_HEAD, map(_drift, report.drifts))
    if report.expiry:
        yield "## When models end"
        yield table(["model", "what ends", "when", "days left"], map(_ending, report.expiry))


def _finding(finding: Finding) -> Iterator[str]:
    known = "new" if finding.new or finding.since is None else f"known since {finding.since:%Y-%m-%d %H:%M} UTC"
    yield f"## {SIGNS[finding.severity]}: {escaped(finding.title)}"
    yield f"{escaped(finding.detail)} ({known})"
    yield f"**What to do:** {escaped(finding.what_to_do)}"


_DRIFT_HEAD = ("against", "recordings", "WER now", "WER then", "rise", "base model now", "base model then")


def _drift(drift: Drift) -> tuple[str, ...]:
    span = f" ({_points(drift.interval[0])} to {_points(drift.interval[1])})" if drift.interval else ""
    base = (_percent(rate) for rate in (drift.base_now, drift.base_then))
    which = "the same" if drift.method == "same recordings" else "others"
    return (
        drift.against, which, _sample(drift.now), _sample(drift.then), f"{_points(drift.rise)} points{span}", *base
    )  # fmt: skip


def _sample(sample: Sample) -> str:
    span = f" ({_percent(sample.interval[0])} to {_percent(sample.interval[1])})" if sample.interval else ""
    return f"{_percent(sample.wer)}{span}, {sample.words:,} words"


def _ending(row: Ending) -> tuple[str, ...]:
    when = "the model is gone" if row.gone else f"{row.at:%Y-%m-%d}" if row.at else "unknown"
    return row.model, row.what, when, "–" if row.days is None else str(row.days)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"


def _points(fraction: float) -> str:
    return f"{round(fraction * 100, 1) + 0.0:+.1f}"
