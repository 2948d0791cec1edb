"""Kinds of errors that may not grow, even when the WER falls."""

from collections.abc import Iterator
from dataclasses import asdict

from domain.comparison import Comparison, Measured, TokenErrors
from domain.gate.rule import ROUNDING, percent, points, words_of
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome


def insertions(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """A model that makes up words may not be the price of a better WER."""
    before, after = (_per_word(side, "insertions") for side in (comparison.benchmark, comparison.candidate))
    limit = policy.maximum_insertion_rise_points
    yield _rise("insertion rate", "words that nobody said", before, after, limit, words_of(comparison))


def deletions(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """A model that leaves words out may not be the price of a better WER."""
    before, after = (_per_word(side, "deletions") for side in (comparison.benchmark, comparison.candidate))
    limit = policy.maximum_deletion_rise_points
    yield _rise("deletion rate", "words that were left out", before, after, limit, words_of(comparison))


def empty_outputs(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """A model may not fall silent: recordings with words and an empty transcript."""
    before, after = (_silent(side) for side in (comparison.benchmark, comparison.candidate))
    limit = policy.maximum_empty_output_rise_points
    yield _rise("empty outputs", "recordings with words and no transcript", before, after, limit, words_of(comparison))


def token_errors(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Punctuation, capitals, numbers and words as displayed, by the service's own count.

    A class may grow by as many errors more as there are fewer lexical ones: a name that is heard now, but shown without
    its capital, was a lexical error before.
    """
    before, after = _tokens(comparison.benchmark), _tokens(comparison.candidate)
    if before is None or after is None:
        reason = "the service gave no token errors, so punctuation, capitals and numbers are not judged"
        yield Finding(rule="token errors", outcome=Outcome.PASS, reason=reason)
        return
    corrected = max(0.0, before.lexical / before.tokens - after.lexical / after.tokens)
    limit = round(policy.token_error_rise_points + 100 * corrected, 2)
    for name in _CLASSES:
        old, new = getattr(before, name) / before.tokens, getattr(after, name) / after.tokens
        shown = "other" if name == "others" else name.replace("_", " ")
        yield _rise(f"token errors: {shown}", f"{shown} errors per token", old, new, limit, after.tokens)


_CLASSES = tuple(name for name in asdict(TokenErrors(0, 0, 0, 0, 0, 0)) if name != "tokens")


def _tokens(measured: Measured) -> TokenErrors | None:
    tokens = measured.service and measured.service.tokens
    return tokens if tokens and tokens.tokens > 0 else None


def _per_word(measured: Measured, kind: str) -> float:
    counts = measured.scorecard.total
    return float(getattr(counts, kind) / counts.reference_words)


def _silent(measured: Measured) -> float:
    spoken = [one for one in measured.scorecard.utterances if one.reference]
    return sum(not one.hypothesis for one in spoken) / len(spoken)


def _rise(rule: str, what: str, before: float, after: float, limit: float, words: int) -> Finding:
    rise = after - before
    fine = rise <= limit / 100 + ROUNDING
    moved = "stayed at" if rise == 0 else f"{'rose' if rise > 0 else 'fell'} from {percent(before)} to"
    asks = "" if fine else f" by {points(rise, 2)} points; at most {limit:g} more are allowed"
    return Finding(
        rule=rule,
        outcome=Outcome.PASS if fine else Outcome.FAIL,
        reason=f"{what} {moved} {percent(after)}{asks}",
        value=rise,
        threshold=limit / 100,
        words=words,
    )
