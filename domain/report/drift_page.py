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
    """Before, now, interval of the change and probability, for people."""
    measure = MEASURES[change.measure]
    low_high = "–" if change.interval is None else " to ".join(_figure(end, measure, "+") for end in change.interval)
    chance = "–" if change.probability is None else f"{change.probability:.3f}"
    return _figure(change.before, measure), _figure(change.now, measure), low_high, chance


def _figure(value: float | None, measure: Measure, sign: str = "") -> str:
    """A rate in per cent, or a plain figure.

    >>> _figure(0.9173, MEASURES["confidence"]), _figure(-0.2, MEASURES["speed"], "+"), _figure(None, MEASURES["speed"])
    ('91.7%', '-0.20', '–')
    """
    if value is None:
        return "–"
    return f"{value * 100:{sign}.1f}%" if measure.is_rate else f"{value:{sign}.2f}"
