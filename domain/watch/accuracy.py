"""What to say about the live model's word error rate."""

from domain.significance import Gain
from domain.watch.commands import Commands
from domain.watch.drift import Drift
from domain.watch.findings import Finding, Severity

_MOST_OF_IT = 0.5
"""A share of the rise from which on the base model's own rise explains it."""
_ROUNDING = 1e-9


def accuracy_finding(
    drift: Drift, customised: Gain | None, model: str, testing_hash: str, points: float, commands: Commands
) -> Finding | None:
    """The live model is worse than its record, or it may be and nobody can tell; None when all is well.

    Args:
        drift: the rise since the record.
        customised: how much better the live model is than its base model on the current data.
        model: display name of the live model.
        testing_hash: of the current testing data.
        points: from how many points of WER on a rise is worth telling.
        commands: what to type.
    """
    facts = drift.model_dump(mode="json") | {"model": model, "testing": testing_hash}
    key = f"{model}:{drift.against}:{testing_hash}"
    if drift.matters(points):
        severity: Severity = "critical" if _is_pointless(customised) else "warning"
        return Finding(
            kind="accuracy",
            key=f"accuracy:{key}",
            severity=severity,
            title=f"{commands.track}: WER of the live model rose from {_percent(drift.then.wer)} to {_percent(drift.now.wer)}",
            detail=f"{told(drift)}. {_why(drift)}{_worth(customised)}",
            what_to_do="Add training data that are like the new testing data, and train: "
            f"{commands.retrain()}. Whether the release before is better is tested with `rollback = "
            '"worse-than-previous"` under [watch] in track.toml.',
            facts=facts,
        )
    if drift.interval is None and drift.rise >= points / 100:
        return Finding(
            kind="accuracy-unsure",
            key=f"accuracy-unsure:{key}",
            severity="info",
            title=f"{commands.track}: WER of the live model may have risen",
            detail=f"{told(drift)}. There are too few speakers to tell it from chance.",
            what_to_do="Add testing data of more speakers: five at the very least, ten are better.",
            facts=facts,
        )
    return None


def told(drift: Drift) -> str:
    """A drift in one sentence, with figures.

    >>> from domain.watch.drift import Sample
    >>> same = Sample(wer=0.1, interval=(0.08, 0.12), words=900)
    >>> print(told(Drift(against="release 1", method="same recordings", now=same, then=same, rise=0.0, interval=(0, 0))))
    WER 10.0% (8.0–12.0%) on 900 words now, 10.0% (8.0–12.0%) on 900 words at release 1, the same recordings: +0.0 points (+0.0 to +0.0)
    """
    which = "the same recordings" if drift.method == "same recordings" else "other recordings"
    now, then = (
        f"{_percent(one.wer)}{_spread(one.interval)} on {one.words:,} words" for one in (drift.now, drift.then)
    )
    span = f" ({_signed(drift.interval[0])} to {_signed(drift.interval[1])})" if drift.interval else ""
    return f"WER {now} now, {then} at {drift.against}, {which}: {_signed(drift.rise)} points{span}"


def _why(drift: Drift) -> str:
    """Harder data, or a worse model?"""
    base = drift.base_rise
    if base is None or drift.base_now is None:
        return "How the base model moved is not known."
    moved = f"The base model went from {_percent(drift.base_then)} to {_percent(drift.base_now)} on the same data"
    if base >= _MOST_OF_IT * drift.rise - _ROUNDING:
        return f"{moved}: the recordings are harder for it as well."
    if drift.method == "same recordings":
        return f"{moved}: the recordings are no harder, it is the model, or the service, that answers otherwise."
    return f"{moved}: the recordings are no harder for it; what people say has moved away from what the model learnt."


def _is_pointless(customised: Gain | None) -> bool:
    return customised is not None and customised.interval is not None and customised.interval[1] < 0


def _worth(customised: Gain | None) -> str:
    return " The base model alone is better now." if _is_pointless(customised) else ""


def _percent(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.1%}"


def _spread(interval: tuple[float, float] | None) -> str:
    return f" ({interval[0] * 100:.1f}–{interval[1] * 100:.1f}%)" if interval else ""


def _signed(fraction: float) -> str:
    return f"{round(fraction * 100, 1) + 0.0:+.1f}"
