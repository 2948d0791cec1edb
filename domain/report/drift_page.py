"""The page of a comparison of two periods of production."""

from domain.production import MEASURES, Change, DriftReport, Measure
from domain.report.rendering import rendered

_TONES = {"drift": "FAIL", "steady": "PASS", "too few": "INCONCLUSIVE"}
_SIGNS = {"drift": "✘ DRIFT", "steady": "✔ STEADY", "too few": "? TOO FEW"}
_SENTENCES = {
    "drift": "Production is not what it was",
    "steady": "No change of production beyond chance",
    "too few": "Too little evidence to tell",
}


def drift_page(found: DriftReport, compared: str) -> str:
    """One HTML file without scripts and addresses; `compared` says what was compared with what."""
    return rendered(
        "drift.html",
        title=f"{_SIGNS[found.outcome]}: {compared}",
        tone=_TONES[found.outcome],
        sign=_SIGNS[found.outcome],
        sentence=_SENTENCES[found.outcome],
        compared=compared,
        figures=[("recordings now", found.recordings_now), ("recordings before", found.recordings_before)],
        rows=[(MEASURES[one.measure].title, cells(one), one.told) for one in found.changes],
        advice=(*advice(found), *found.notes),
        wanted=found.to_label,
    )


def advice(found: DriftReport) -> list[str]:
    """What an alarming change may mean."""
    told = []
    for change in found.changes:
        measure = MEASURES[change.measure]
        meaning = measure.rises if (change.change or 0) > 0 else measure.falls
        if change.is_alarming and meaning:
            told.append(f"{change.measure} {'rose' if (change.change or 0) > 0 else 'fell'}: {meaning}")
    return told


def cells(change: Change) -> tuple[str, str, str, str]:
    """Before, now, interval of the change and probability, for people.

    >>> cells(Change(measure="confidence", before=0.9, now=0.88, interval=(-0.03, -0.01), probability=0.001))
    ('90.0%', '88.0%', '-3.0 to -1.0 points', '0.001')
    """
    measure = MEASURES[change.measure]
    chance = "–" if change.probability is None else f"{change.probability:.3f}"
    return _figure(change.before, measure), _figure(change.now, measure), _moved(change.interval, measure), chance


def _figure(value: float | None, measure: Measure) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if measure.is_rate else f"{value:.2f}"


def _moved(interval: tuple[float, float] | None, measure: Measure) -> str:
    if interval is None:
        return "–"
    low, high = interval
    return f"{low * 100:+.1f} to {high * 100:+.1f} points" if measure.is_rate else f"{low:+.2f} to {high:+.2f}"
