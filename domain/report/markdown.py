"""What people read about a decision, as Markdown. Words appear here, whole sentences do not."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from domain.comparison import Comparison, Measured
from domain.gate import without
from domain.leakage import Leak, LeakReport
from domain.report.errors import ranked, word_errors
from domain.report.harmless import harmless
from domain.report.rates import Row, Sides, overall, rates, sides_of
from domain.report.redaction import without_names
from domain.report.sections import leaks_of
from domain.report.wording import MEANINGS, SIGNS, percent, percents
from domain.ruling import Decision
from domain.verdict import Outcome, Verdict

_WORDS_SHOWN = 20


def escaped(text: object) -> str:
    """Text that comes from data or from the service, so that it stays text: no markup, no image, no link, one line.

    >>> print(escaped("<img src=x> ![b](evil) a|b"))
    \\<img src=x\\> \\!\\[b\\](evil) a\\|b
    """
    return re.sub(r"([\\`*_\[\]>!|#~]|<(?! ))", r"\\\1", harmless(" ".join(str(text).split())))


def _code(text: str) -> str:
    return f"`{harmless(' '.join(text.replace('`', chr(39)).split()))}`"


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
    sides = sides_of(comparison, roles)
    return _wer_rows(sides, overall(comparison, sides))


def _wer_rows(sides: Sides, everything: Row) -> list[dict[str, object]]:
    intervals = {rate.role: rate.interval for rate in everything.rates}
    return [_wer_row(role, side, intervals[role]) for role, side in sides.items()]


def _wer_row(role: str, measured: Measured, interval: tuple[float, float] | None) -> dict[str, object]:
    counts, service = measured.scorecard.total, measured.service
    return {
        "role": role,
        "model": measured.model,
        "WER": percent(counts.wer),
        "95% interval": percents(interval),
        "service's WER": percent(service.wer if service and service.wer >= 0 else None),
        "S/D/I": f"{counts.substitutions}/{counts.deletions}/{counts.insertions}",
        "words": counts.reference_words,
        "recordings": len(measured.scorecard.utterances),
    }


def verdict_page(
    decision: Decision, comparison: Comparison, *, report_link: str | None = None, transcripts: bool = True
) -> str:
    """The page that answers "is it better, and why?"; `report_link` leads to the whole report.

    Without `transcripts` it holds no word that people said, and no name of a recording.
    """
    decision = decision if transcripts else without_names(decision, comparison)
    verdict = decision.ruling.verdict
    judged = without(comparison, verdict.excluded)
    parts = [
        f"# {SIGNS[verdict.outcome]} {verdict.outcome.value}: the candidate {MEANINGS[verdict.outcome]}",
        f"Candidate {_code(verdict.candidate)}, benchmark {_code(verdict.benchmark)}, "
        f"revision {_code(decision.ruling.subject.revision)}.",
        *_override(verdict),
        *_link(report_link),
        "\n".join(f"- {escaped(reason)}" for reason in verdict.telling_reasons),
        *_figures(verdict, judged),
        *(_words(judged) if transcripts else ()),
        *_trail(decision),
    ]
    return "\n\n".join(parts)


def measurement_page(
    decision: Decision, comparison: Comparison, *, report_link: str | None = None, transcripts: bool = True
) -> str:
    """The page of a testing update: how good the benchmark model is on the new testing data. See `verdict_page`."""
    decision = decision if transcripts else without_names(decision, comparison)
    verdict, subject = decision.ruling.verdict, decision.ruling.subject
    target = subject.track.gate.target_wer_percent
    judged = without(comparison, verdict.excluded)
    if verdict.outcome is Outcome.INVALID:
        head = f"{SIGNS[Outcome.INVALID]} INVALID: nothing was recorded"
    else:
        head = f"WER {percent(verdict.candidate_wer)}"
    acceptable = (
        "" if target is None or verdict.candidate_wer is None else _against(target / 100, verdict.candidate_wer)
    )
    parts = [
        f"# {head}",
        f"Benchmark {_code(verdict.candidate)} on the testing data of revision {_code(subject.revision)}.",
        *_link(report_link),
        "\n".join(f"- {escaped(reason)}" for reason in (*verdict.reasons, acceptable) if reason),
        *_figures(verdict, judged, ("base model", "benchmark")),
        *(["## Most missed words", _counted(word_errors(judged).missed)] if transcripts else []),
        *_trail(decision),
    ]
    return "\n\n".join(parts)


def leak_markdown(report: LeakReport, track: str, revision: str, *, report_link: str | None = None) -> str:
    """The page of data that were refused, or looked at, because testing and training data share something."""
    found = leaks_of(report)
    sign = SIGNS[Outcome.FAIL] if report.outcome == "leaked" else SIGNS[Outcome.PASS]
    head = "testing data leaked into training data" if report.outcome == "leaked" else "no testing data in training"
    parts = [
        f"# {sign} {head}",
        f"Track {_code(track)}, revision {_code(revision)}. {found.sentence if found else ''}",
        *_link(report_link),
        *([table(["what", "where", "why"], map(_leak_row, found.shown))] if found and found.shown else []),
    ]
    return "\n\n".join(parts)


def _leak_row(leak: Leak) -> tuple[str, str, str]:
    place = leak.file if leak.line is None else f"{leak.file}:{leak.line}"
    return f"{leak.kind}{' (blocks)' if leak.blocks else ''}", harmless(place), harmless(leak.reason)


def _override(verdict: Verdict) -> Iterable[str]:
    if verdict.override:
        yield f"{escaped(verdict.override.by)} lets it go live all the same. {escaped(verdict.override.reason)}".rstrip()


def _link(address: str | None) -> Iterable[str]:
    if address:
        target = re.sub(r"[<>\s]", "", address)
        yield f"[The whole report, with charts](<{target}>)"


def _against(target: float, wer: float) -> str:
    return f"{'within' if wer <= target else 'over'} the track's target of {percent(target)}"


def _figures(
    verdict: Verdict, comparison: Comparison, roles: tuple[str, str] = ("benchmark", "candidate")
) -> Iterable[str]:
    sides = sides_of(comparison, roles)
    found = rates(comparison, sides)
    rows = _wer_rows(sides, found.rows[0])
    yield "## Word error rates"
    yield table(list(rows[0]), (list(row.values()) for row in rows))
    yield "S/D/I: words substituted, deleted and inserted."
    if len(found.rows) > 1:
        yield "## Slices"
        yield table(["slice", *sides, "words", "speakers"], map(_slice, found.rows[1:]))
    yield "## Rules"
    yield table(
        ["rule", "outcome", "reason"],
        ((f.rule, f"{SIGNS[f.outcome]} {f.outcome.value}", f.reason) for f in verdict.findings),
    )


def _slice(row: Row) -> list[object]:
    shown = [percent(rate.wer) + (f" ({percents(rate.interval)})" if rate.interval else "") for rate in row.rates]
    return [f"{row.label} {row.value}", *shown, f"{row.words:,}", "–" if row.speakers is None else row.speakers]


def _words(comparison: Comparison) -> Iterable[str]:
    errors = word_errors(comparison)
    yield "## Words that the candidate fixed"
    yield _counted(errors.fixed)
    yield "## Words that it broke"
    yield _counted(errors.broken)
    yield "## Words still missed"
    yield _counted(errors.missed)


def _counted(words: Counter[str]) -> str:
    shown = ", ".join(
        f"{escaped(word)} × {count}" if count > 1 else escaped(word) for word, count in ranked(words, _WORDS_SHOWN)
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
