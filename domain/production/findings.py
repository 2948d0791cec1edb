"""What a change of production is to a watch: a finding for each measure that moved, without what anybody said."""

from collections.abc import Iterator

from domain.production.drift import Change, DriftReport
from domain.production.measures import MEASURES
from domain.watch.findings import Finding


def production_findings(report: DriftReport, track: str, where: str) -> tuple[Finding, ...]:
    """The findings of a comparison.

    Args:
        report: the comparison.
        track: the track's name.
        where: what lists the recordings to label.
    """
    return tuple(_findings(report, track, where))


def _findings(report: DriftReport, track: str, where: str) -> Iterator[Finding]:
    for change in report.changes:
        if change.is_alarming:
            yield Finding(
                kind="production-drift",
                key=f"production-drift:{change.measure}",
                severity="warning",
                title=f"{track}: production has changed: {change.measure}",
                detail=_detail(change, report),
                what_to_do=(
                    f"{_meaning(change)}Label the recordings that {where} lists, and add them to the testing and training data."
                ),
                facts={"measure": change.measure, "before": change.before, "now": change.now, "p": change.probability},
            )


def _detail(change: Change, report: DriftReport) -> str:
    measure = MEASURES[change.measure]
    before, now = (
        "–" if value is None else f"{value:.1%}" if measure.is_rate else f"{value:.2f}"
        for value in (change.before, change.now)
    )
    return (
        f"{measure.title}: {before} before, {now} now, more than chance (p = {change.probability:.3f}; "
        f"{report.blocks_before} and {report.blocks_now} {report.unit}s)"
    )


def _meaning(change: Change) -> str:
    measure = MEASURES[change.measure]
    meaning = measure.rises if (change.change or 0) > 0 else measure.falls
    return f"It may mean {meaning}. " if meaning else ""
