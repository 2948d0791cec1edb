"""Testing data that a model was trained with show nothing: they block, or are left out of the scoring."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from domain.comparison import Comparison, Measured
from domain.gate.rule import many, percent, short, some, words_of
from domain.leakage import LeakReport
from domain.policy import GatePolicy
from domain.verdict import Finding, Outcome


def leakage(comparison: Comparison, policy: GatePolicy) -> Iterator[Finding]:
    """A leak makes the evidence INVALID, unless the policy excludes it and what is left can be judged."""
    report = comparison.leaks
    if report is None or not report.checked:
        yield _told("nobody looked for leaks between training and testing data")
    elif report.outcome != "leaked":
        odd = "" if report.outcome == "clean" else f"; {many(len(report.leaks), 'thing')} there people should look at"
        yield _told(f"no testing data were found in the training data{odd}")
    elif policy.leaks == "block":
        yield _told(f"testing data leaked into training: {_listed(report)}", Outcome.INVALID)
    else:
        yield _left_out(comparison, report)


def without_leaked(comparison: Comparison) -> Comparison:
    """What the rules judge when no leak made the evidence INVALID: everything but recordings that leaked."""
    return without(comparison, comparison.leaks.utterances if comparison.leaks else ())


def without(comparison: Comparison, utterances: Collection[str]) -> Comparison:
    """The comparison as if these recordings had never been measured; leaks that concern them go too.

    The service's figures stay as they are: they were made with these recordings, so judge validity before.
    """
    gone = frozenset(utterances)
    if not gone:
        return comparison
    leaks = comparison.leaks
    return replace(
        comparison,
        benchmark=_less(comparison.benchmark, gone),
        candidate=_less(comparison.candidate, gone),
        base=comparison.base and _less(comparison.base, gone),
        labels={name: row for name, row in comparison.labels.items() if name not in gone},
        seconds={name: length for name, length in comparison.seconds.items() if name not in gone},
        leaks=leaks
        and LeakReport(leaks=tuple(leak for leak in leaks.leaks if leak.utterance not in gone), checked=leaks.checked),
    )


def _less(measured: Measured, gone: frozenset[str]) -> Measured:
    card = measured.scorecard
    return replace(
        measured,
        scorecard=replace(card, utterances=tuple(one for one in card.utterances if one.id not in gone)),
        confidences={name: words for name, words in measured.confidences.items() if name not in gone},
    )


def _left_out(comparison: Comparison, report: LeakReport) -> Finding:
    known = {utterance.id for utterance in comparison.candidate.scorecard.utterances}
    if any(leak.blocks and leak.utterance not in known for leak in report.leaks):
        return _told(
            f"leaks cannot be left out, for they name no measured recording: {_listed(report)}", Outcome.INVALID
        )
    rest = without(comparison, report.utterances)
    if rest.candidate.wer is None:
        return _told("all testing data leaked into training: nothing is left to measure", Outcome.INVALID)
    return _told(
        f"{many(len(report.utterances), 'recording')} that leaked into training are left out ({some(report.utterances)}); "
        f"with them WER would have been {percent(comparison.benchmark.wer)} and {percent(comparison.candidate.wer)}, "
        f"without them it is {percent(rest.benchmark.wer)} and {percent(rest.candidate.wer)}",
        words=words_of(rest),
    )


def _listed(report: LeakReport) -> str:
    blocking = [leak for leak in report.leaks if leak.blocks]
    first = blocking[0]
    place = first.file if first.line is None else f"{first.file}:{first.line}"
    return f"{many(len(blocking), 'leak')}, the first in {short(place, 200)}: {short(first.reason, 300)}"


def _told(reason: str, outcome: Outcome = Outcome.PASS, words: int | None = None) -> Finding:
    return Finding(rule="leaks", outcome=outcome, reason=reason, words=words)
