"""Models with so many errors, spread evenly over recordings of ten speakers, for tests of the gate."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.comparison import Comparison, Measured, ServiceScore, TokenErrors
from domain.gate import RULES, Rule, decide
from domain.leakage import Leak, LeakReport
from domain.normalise import normaliser_for
from domain.policy import GatePolicy
from domain.verdict import Finding, Verdict
from domain.wer import Scorecard, UtteranceScore, score_utterances

RECORDINGS = 20
SPEAKERS = 10
WORDS = 1000
NORMALISER = normaliser_for("en-US")
LOOKED = LeakReport(checked=("training text",))
TOKENS = TokenErrors(1000, 50, 50, 50, 50, 50)

LABELS = {
    f"{number:02}.wav": {"speaker": f"s{number % SPEAKERS}", "noise": "quiet" if number < SPEAKERS else "loud"}
    for number in range(RECORDINGS)
}


def shares(total: int, parts: int = RECORDINGS) -> list[int]:
    """A number in parts that are as equal as can be.

    >>> shares(7, 3)
    [2, 2, 3]
    """
    return [total * (part + 1) // parts - total * part // parts for part in range(parts)]


def utterance(name: str, words: int, wrong: int) -> UtteranceScore:
    """A recording of which so many words were heard as others."""
    said, heard = ["x"] * words, ["y"] * wrong + ["x"] * (words - wrong)
    return UtteranceScore(name, " ".join(said), " ".join(heard), "S" * wrong + "H" * (words - wrong))


def uneven(model: str, errors: Sequence[int], words: int = WORDS) -> Measured:
    """A model with so many errors in each recording, in all so many words, and no service beside it."""
    rows = zip(LABELS, shares(words), errors, strict=True)
    return Measured(model, Scorecard(tuple(utterance(*row) for row in rows), normaliser=NORMALISER.fingerprint), None)


def measured(model: str, errors: int, size: int = WORDS, **service: object) -> Measured:
    """A model with so many substitutions in so many words, and a service that agrees."""
    score = ServiceScore("Succeeded", errors / size if size else -1, size, size - errors, errors, 0, 0)
    return replace(uneven(model, shares(errors), size), service=replace(score, **service))


def compared(benchmark: Measured, candidate: Measured, **known: object) -> Comparison:
    """Two models on recordings with labels, after a search for leaks that found none."""
    return replace(Comparison(benchmark, candidate, labels=LABELS, leaks=LOOKED), **known)


def heard(model: str, texts: Iterable[str], references: Iterable[str]) -> Measured:
    """A model that heard these texts."""
    said, got = dict(zip(LABELS, references, strict=False)), dict(zip(LABELS, texts, strict=False))
    return Measured(model, score_utterances(said, got, NORMALISER), None)


def leaked(*utterances: str | None) -> LeakReport:
    """A report of blocking leaks."""
    leaks = tuple(Leak(kind="same text", file="plain.txt", line=3, utterance=one, reason="r") for one in utterances)
    return LeakReport(leaks=leaks, checked=LOOKED.checked)


def judged(comparison: Comparison, rules: tuple[Rule, ...] = RULES, **policy: object) -> Verdict:
    """The verdict under a policy with these settings."""
    return decide(comparison, GatePolicy(**policy), rules)


def found(verdict: Verdict, rule: str) -> Finding:
    """The one finding of a rule."""
    (finding,) = (finding for finding in verdict.findings if finding.rule == rule)
    return finding
