"""What is too good to be true is looked at before it goes live."""

from collections.abc import Iterator

from domain.comparison import Comparison
from domain.gate.rule import percent, rates, words_of
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome


def suspicion(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """An unusual gain, or an unusually low WER, is held for review unless the leak report is clean."""
    benchmark, candidate = rates(comparison)
    relative = (benchmark - candidate) / benchmark if benchmark else 0.0
    odd = _too_good(relative, candidate, policy)
    looked = "" if not odd else _looked(comparison)
    held = bool(odd) and looked != _CLEAN
    told = f"{odd}: {'held for review, for ' if held else ''}{looked}" if odd else "the gain is of a usual size"
    yield Finding(
        rule="suspicious gain",
        outcome=Outcome.INCONCLUSIVE if held else Outcome.PASS,
        reason=told,
        value=relative,
        threshold=policy.suspicious_relative_gain_percent / 100,
        words=words_of(comparison),
    )


def _too_good(relative: float, candidate: float, policy: GatePolicy) -> str:
    if relative > policy.suspicious_relative_gain_percent / 100:
        return f"WER fell by {percent(relative)} of it, which is unusual"
    if candidate < policy.suspicious_wer_percent / 100:
        return f"WER {percent(candidate)} is unusually low"
    return ""


_CLEAN = "testing data were looked for in the training data, and none were found"


def _looked(comparison: Comparison) -> str:
    if comparison.leaks is None or not comparison.leaks.checked:
        return "nobody looked for leaks between training and testing data"
    return _CLEAN if comparison.leaks.outcome == "clean" else "the leak report is not clean"
