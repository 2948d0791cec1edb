"""What people read about a decision, as Markdown. Words appear here, whole sentences do not."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from domain.comparison import Comparison, Measured
from domain.report.wording import MEANINGS, SIGNS, percent
from domain.ruling import Decision
from domain.verdict import Outcome, Verdict
from domain.wer import broken_words, fixed_words, missed_words

_WORDS_SHOWN = 20


def escaped(text: object) -> str:
    """Text that comes from data or from the service, so that it stays text: no markup, no image, no link, one line.

    >>> print(escaped("<img src=x> ![b](evil) a|b"))
    \\<img src=x\\> \\!\\[b\\](evil) a\\|b
    """
    return re.sub(r"([\\`*_\[\]<>!|#~])", r"\\\1", " ".join(str(text).split()))


def _code(text: str) -> str:
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [[1, "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\\|y |
    """
    lines = [head, ["---"] * len(head), *([escaped(cell) for cell in row] for row in rows)]
    shown = ["| " + " | ".join(line) + " |" for line in lines]
    shown[1] = shown[1].replace(" ", "")
    return "\n".join(shown)


def wer_rows(comparison: Comparison, roles: tuple[str, str] = ("benchmark", "candidate")) -> list[dict[str, object]]:
    """One row per model: WER and its parts. `roles` tells what the two models are called on this page."""
    sides = (comparison.benchmark, comparison.candidate)
    return [_wer_row(role, side) for role, side in zip(roles, sides, strict=True)]


def _wer_row(role: str, measured: Measured) -> dict[str, object]:
    counts, service = measured.scorecard.total, measured.service
    return {
        "role": role,
        "model": measured.model,
        "WER": percent(counts.wer),
        "service's WER": percent(service.wer if service and service.wer >= 0 else None),
        "S/D/I": f"{counts.substitutions}/{counts.deletions}/{counts.insertions}",
        "words": counts.reference_words,
        "recordings": len(measured.scorecard.utterances),
    }


def verdict_page(decision: Decision, comparison: Comparison) -> str:
    """The page that answers "is it better, and why?"."""
    verdict = decision.ruling.verdict
    parts = [
        f"# {SIGNS[verdict.outcome]} {verdict.outcome.value}: the candidate {MEANINGS[verdict.outcome]}",
        f"Candidate {_code(verdict.candidate)}, benchmark {_code(verdict.benchmark)}, "
        f"revision {_code(decision.ruling.subject.revision)}.",
        "\n".join(f"- {escaped(reason)}" for reason in verdict.reasons),
        *_figures(verdict, comparison),
        *_words(comparison),
        *_trail(decision),
    ]
    return "\n\n".join(parts)


def measurement_page(decision: Decision, comparison: Comparison) -> str:
    """The page of a testing update: how good the benchmark model is on the new testing data."""
    verdict, subject = decision.ruling.verdict, decision.ruling.subject
    target = subject.track.gate.target_wer_percent
    if verdict.outcome is Outcome.INVALID:
        head = f"{SIGNS[Outcome.INVALID]} INVALID: nothing was recorded"
    else:
        head = f"WER {percent(verdict.candidate_wer)}"
    acceptable = (
        "" if target is None or verdict.candidate_wer is None else _against(target / 100, verdict.candidate_wer)
    )
    missed = missed_words(comparison.candidate.scorecard)
    parts = [
        f"# {head}",
        f"Benchmark {_code(verdict.candidate)} on the testing data of revision {_code(subject.revision)}.",
        "\n".join(f"- {escaped(reason)}" for reason in (*verdict.reasons, acceptable) if reason),
        *_figures(verdict, comparison, ("base model", "benchmark")),
        "## Most missed words",
        _counted(missed),
        *_trail(decision),
    ]
    return "\n\n".join(parts)


def _against(target: float, wer: float) -> str:
    return f"{'within' if wer <= target else 'over'} the track's target of {percent(target)}"


def _figures(
    verdict: Verdict, comparison: Comparison, roles: tuple[str, str] = ("benchmark", "candidate")
) -> Iterable[str]:
    rows = wer_rows(comparison, roles)
    yield "## Word error rates"
    yield table(list(rows[0]), (list(row.values()) for row in rows))
    yield "S/D/I: words substituted, deleted and inserted."
    yield "## Rules"
    yield table(
        ["rule", "outcome", "reason"],
        ((f.rule, f"{SIGNS[f.outcome]} {f.outcome.value}", f.reason) for f in verdict.findings),
    )


def _words(comparison: Comparison) -> Iterable[str]:
    before, after = comparison.benchmark.scorecard, comparison.candidate.scorecard
    yield "## Words that the candidate fixed"
    yield _counted(fixed_words(before, after))
    yield "## Words that it broke"
    yield _counted(broken_words(before, after))
    yield "## Words still missed"
    yield _counted(missed_words(after))


def _counted(words: Counter[str]) -> str:
    shown = ", ".join(
        f"{escaped(word)} × {count}" if count > 1 else escaped(word) for word, count in words.most_common(_WORDS_SHOWN)
    )
    more = len(words) - _WORDS_SHOWN
    return (shown or "none") + (f", and {more} more" if more > 0 else "")


def _trail(decision: Decision) -> Iterable[str]:
    ruling, subject = decision.ruling, decision.ruling.subject
    yield "## Evidence"
    yield table(
        ["what", "which"],
        [
            ["revision", subject.revision],
            ["testing data", subject.testing_hash],
            ["recipe", subject.recipe or "–"],
            ["gate policy", ruling.verdict.policy],
            ["normaliser", ruling.verdict.normaliser],
            ["evaluation and scores", f"evidence/{ruling.measurement}"],
            ["ruling", f"evidence/{decision.digest}"],
        ],
    )
