"""How pages say things: signs, sentences, rates."""

from domain.verdict import Finding, Outcome

SIGNS = {Outcome.PASS: "✔", Outcome.FAIL: "✘", Outcome.INCONCLUSIVE: "?", Outcome.INVALID: "⊘"}
"""Text signs, not emoji: a Linux desktop without an emoji font shows boxes."""

MEANINGS = {
    Outcome.PASS: "is better than the benchmark and may go live",
    Outcome.FAIL: "does not go live",
    Outcome.INCONCLUSIVE: "does not go live: the evidence does not suffice",
    Outcome.INVALID: "does not go live: the evidence cannot be trusted",
}


def percent(rate: float | None) -> str:
    """A rate for people.

    >>> percent(0.0648), percent(None)
    ('6.5%', '–')
    """
    return "–" if rate is None else f"{rate * 100:.1f}%"


def percents(interval: tuple[float, float] | None) -> str:
    """A confidence interval of a rate for people.

    >>> percents((0.0512, 0.0787)), percents(None)
    ('5.1–7.9%', '–')
    """
    return "–" if interval is None else f"{interval[0] * 100:.1f}–{interval[1] * 100:.1f}%"


def points(difference: float | None, interval: tuple[float, float] | None = None) -> str:
    """A difference of rates in points, with its sign, and its confidence interval where there is one.

    >>> points(0.024), points(-0.024, (-0.03, 0.004)), points(None)
    ('+2.4 points', '−2.4 points (−3.0 to +0.4)', '–')
    """
    if difference is None:
        return "–"
    span = f" ({signed(interval[0])} to {signed(interval[1])})" if interval else ""
    return f"{signed(difference)} points{span}"


def signed(fraction: float) -> str:
    """A difference of rates in points, with its sign but without the word.

    >>> signed(0.0241), signed(-0.00001)
    ('+2.4', '+0.0')
    """
    return f"{round(fraction * 100, 1) + 0.0:+.1f}".replace("-", "−")  # adding 0.0 turns -0.0 into 0.0


def finding_figures(finding: Finding) -> tuple[str, str, str]:
    """Value, interval and threshold of a finding for people; empty where it has none. Most are rates, some are counts.

    >>> finding_figures(Finding(rule="x", outcome=Outcome.PASS, reason="", value=0.024, interval=(0.01, 0.03)))
    ('2.4%', '1.0 to 3.0%', '')
    """
    show = _SHOWN.get(finding.rule, _rate)
    interval = (
        "" if finding.interval is None else f"{show(finding.interval[0]).rstrip('%')} to {show(finding.interval[1])}"
    )
    value = "" if finding.value is None else show(finding.value)
    return value, interval, "" if finding.threshold is None else show(finding.threshold)


def _rate(value: float) -> str:
    return f"{round(value * 100, 2) + 0.0:.1f}%".replace("-", "−")


def _count(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _probability(value: float) -> str:
    return f"p {value:.3f}" if value >= 0.001 else "p < 0.001"


_SHOWN = {"reuse": _count, "matched pairs": _probability}
"""Rules whose value is no rate."""
