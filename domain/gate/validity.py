"""Evidence that cannot be trusted decides nothing."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple

from domain.alignment import DELETION, HIT, INSERTION, SUBSTITUTION
from domain.comparison import Comparison, Measured, ServiceScore
from domain.gate.rule import some, words_of
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome
from domain.wer import Scorecard

_OPERATIONS = HIT + SUBSTITUTION + DELETION + INSERTION


def validity(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """Every problem of the evidence is a finding of its own; without any, one finding says what was looked at."""
    problems = [
        *(problem for side, measured in _sides(comparison) for problem in _invalid_side(side, measured, policy)),
        *(problem for side, measured in _sides(comparison)[1:] for problem in _different(comparison, side, measured)),
    ]
    if problems:
        yield from (Finding(rule="validity", outcome=Outcome.INVALID, reason=problem) for problem in problems)
        return
    yield Finding(rule="validity", outcome=Outcome.PASS, reason=_valid(comparison), words=words_of(comparison))


def _valid(comparison: Comparison) -> str:
    sides = [measured for _, measured in _sides(comparison)]
    who = "both models" if len(sides) == 2 else "all three models"
    done = f"{who} transcribed all {len(comparison.candidate.scorecard.utterances)} recordings"
    if alone := [side for side, measured in _sides(comparison) if measured.service is None]:
        whom = "" if len(alone) == len(sides) else f" of the {' and the '.join(alone)}"
        return f"{done}; no service's figures stand beside our scoring{whom}"
    if not all(measured.scorecard.comparable for measured in sides):
        return f"{done}; our way of counting is not the service's in this language, so the two were not compared"
    return f"{done}, and our WER agrees with the service's"


def _sides(comparison: Comparison) -> list[tuple[str, Measured]]:
    sides = [("benchmark", comparison.benchmark), ("candidate", comparison.candidate)]
    return [*sides, ("base model", comparison.base)] if comparison.base else sides


def _invalid_side(side: str, measured: Measured, policy: GatePolicy) -> Iterator[str]:
    if measured.service is not None:
        yield from _invalid_service(side, measured.service, policy)
    yield from _invalid_scorecard(side, measured.scorecard)
    if measured.wer is None:
        yield f"the references of the {side} hold no words, so there is nothing to measure"
    elif measured.service is not None and measured.scorecard.comparable:
        yield from _disagreement(side, measured.wer, measured.service.wer, policy)


def _invalid_service(side: str, service: ServiceScore, policy: GatePolicy) -> Iterator[str]:
    if service.status != "Succeeded":
        yield f"the evaluation is {service.status}, not Succeeded"
    impossible = [f"the service's {name} of the {side} is {value}" for name, value in _not_a_count(service)]
    yield from impossible
    if impossible:
        return
    if service.words != service.correct + service.substitutions + service.deletions:
        yield f"the service's word counts of the {side} do not add up"
        return
    errors = service.substitutions + service.deletions + service.insertions
    if abs(errors / service.words - service.wer) * 100 > policy.scoring_tolerance_points:
        yield f"the service's WER of the {side} is {service.wer:.2%}, but its counts make {errors / service.words:.2%}"


def _not_a_count(service: ServiceScore) -> Iterator[tuple[str, float]]:
    if not (math.isfinite(service.wer) and service.wer >= 0):
        yield "WER", service.wer
    if not 0 < service.words < math.inf:
        yield "word count", service.words
    for name in ("correct", "substitutions", "deletions", "insertions"):
        if not 0 <= getattr(service, name) < math.inf:
            yield f"count of {name}", getattr(service, name)
    if service.tokens is not None and not all(0 <= count < math.inf for count in astuple(service.tokens)):
        yield "count of token errors", min(astuple(service.tokens))


def _invalid_scorecard(side: str, scorecard: Scorecard) -> Iterator[str]:
    if scorecard.missing:
        yield f"the {side} has no transcript of {some(scorecard.missing)}"
    if scorecard.unexpected:
        yield f"the {side} has transcripts of unknown recordings: {some(scorecard.unexpected)}"
    if repeated := _repeated(utterance.id for utterance in scorecard.utterances):
        yield f"the {side} was scored twice on {some(repeated)}"
    if unfit := [one.id for one in scorecard.utterances if not _fits(one.reference, one.hypothesis, one.alignment)]:
        yield f"the scoring of the {side} does not fit its own texts of {some(unfit)}"


def _repeated(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _fits(reference: str, hypothesis: str, alignment: str) -> bool:
    said = len(alignment) - alignment.count(INSERTION)
    heard = len(alignment) - alignment.count(DELETION)
    return said == len(reference.split()) and heard == len(hypothesis.split()) and not alignment.strip(_OPERATIONS)


def _disagreement(side: str, ours: float, theirs: float, policy: GatePolicy) -> Iterator[str]:
    if math.isfinite(theirs) and abs(ours - theirs) * 100 > policy.scoring_tolerance_points:
        yield (
            f"our WER of the {side} is {ours:.2%} but the service's is {theirs:.2%}, further apart than "
            f"{policy.scoring_tolerance_points} points"
        )


def _different(comparison: Comparison, side: str, measured: Measured) -> Iterator[str]:
    benchmark, other = comparison.benchmark.scorecard, measured.scorecard
    if benchmark.normaliser != other.normaliser:
        yield f"the two models, benchmark and {side}, were scored with different normalisers"
    said = {utterance.id: utterance.reference for utterance in benchmark.utterances}
    also = {utterance.id: utterance.reference for utterance in other.utterances}
    if apart := said.keys() ^ also.keys():
        yield f"only one of benchmark and {side} was measured on {some(apart)}"
    if changed := [name for name, text in said.items() if also.get(name, text) != text]:
        yield f"benchmark and {side} were scored on different references of {some(changed)}"
