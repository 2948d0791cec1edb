"""What people read in a terminal of 80 columns, or in a pipe, where there is no colour."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.offline_results import Compared, Counts, Score, Side, Slice, Utterance
from domain.leakage import REMEDIES, LeakReport
from domain.verdict import Outcome, Verdict
from domain.wer import Step, UtteranceScore

COLOURS = {Outcome.PASS: "green", Outcome.INCONCLUSIVE: "yellow", Outcome.FAIL: "red", Outcome.INVALID: "red"}
_MOST_ROWS = 40


def rate(value: float | None) -> str:
    """A rate for people.

    >>> rate(0.0648), rate(None)
    ('6.48%', '–')
    """
    return "–" if value is None else f"{value:.2%}"


def points(value: float | None) -> str:
    """A difference of two rates, in points.

    >>> points(0.012), points(-0.0005), points(None)
    ('+1.20', '-0.05', '–')
    """
    return "–" if value is None else f"{value * 100:+.2f}"


def between(interval: tuple[float, float] | None) -> str:
    """An interval of rates.

    >>> between((0.05, 0.081))
    '5.00% to 8.10%'
    """
    return "too little evidence" if interval is None else " to ".join(map(rate, interval))


def show_score(score: Score, console: Console) -> None:
    """How good one model is."""
    name = _rate_name(score.unit)
    console.print(Text.assemble((f"{name} {rate(score.wer)}", "bold"), f"  {_counted(score)}"))
    console.print(f"95 % interval {between(score.interval)} ({_many(score.blocks, score.block)})")
    console.print(f"{score.utterances_with_errors} of {score.utterances} recordings have errors")
    console.print(f"normaliser {score.normaliser} for {score.locale}", style="dim")
    if score.speakers is not None:
        _show_counts(score.speakers, "speaker", score.unit, console)
    for utterance in score.worst or ():
        _show_utterance(utterance, console)


def show_compared(result: Compared, console: Console) -> None:
    """Whether one model is better than the other."""
    name = _rate_name(result.unit)
    table = _table("", name, "95 % interval", "S", "D", "I")
    table.add_row("benchmark", *_side_cells(result.benchmark))
    table.add_row("candidate", *_side_cells(result.candidate))
    console.print(table)
    console.print(
        f"{result.benchmark.reference_words} {result.unit}s in {_many(result.benchmark.utterances, 'recording')}"
    )
    for line in _gain_lines(result):
        console.print(line)
    console.print(_moved("fixed", result.words_fixed, result.fixed))
    console.print(_moved("broken", result.words_broken, result.broken))
    console.print(f"normaliser {result.normaliser} for {result.locale}", style="dim")
    for label, slices in result.slices.items():
        _show_slices(label, slices, result.unit, console)


def show_verdict(verdict: Verdict, console: Console) -> None:
    """What the gate decided, and every rule's reason."""
    colour = COLOURS[verdict.outcome]
    rates = f"WER {rate(verdict.benchmark_wer)} to {rate(verdict.candidate_wer)}"
    console.print(Text.assemble((verdict.outcome.value, f"bold {colour}"), f"  {rates} on {verdict.words} words"))
    if verdict.outcome is not Outcome.PASS:
        for reason in verdict.reasons:
            console.print(Text(f"· {reason}"))
    table = _table("rule", "outcome", "reason")
    for finding in verdict.findings:
        outcome = Text(finding.outcome.value, style=COLOURS[finding.outcome])
        table.add_row(Text(finding.rule), outcome, Text(finding.reason))
    console.print(table)


def show_leaks(report: LeakReport, console: Console) -> None:
    """What training and testing data share, and what is odd."""
    blocking = sum(leak.blocks for leak in report.leaks)
    notes = len(report.leaks) - blocking
    style = "bold red" if blocking else "bold green"
    console.print(Text.assemble((report.outcome, style), f"  {_many(blocking, 'leak')}, {_many(notes, 'note')}"))
    for leak in report.leaks[:_MOST_ROWS]:
        place = leak.file if leak.line is None else f"{leak.file}:{leak.line}"
        console.print(Text.assemble((f"{'leak' if leak.blocks else 'note'} ", "bold"), f"{place}: {leak.reason}"))
    if len(report.leaks) > _MOST_ROWS:
        console.print(f"and {len(report.leaks) - _MOST_ROWS} more; --json lists all")
    for remedy in dict.fromkeys(REMEDIES[leak.kind] for leak in report.leaks if leak.kind in REMEDIES):
        console.print(Text(f"→ {remedy}"))
    for looked in report.checked:
        console.print(Text(f"checked: {looked}", style="dim"))


def _gain_lines(result: Compared) -> Iterator[str]:
    relative = "" if result.relative_gain is None else f", {result.relative_gain:+.1%} relative"
    yield f"gain {points(result.gain)} points{relative}: {_judged(result)}"
    if result.interval is not None:
        low, high = map(points, result.interval)
        yield f"  95 % interval {low} to {high} ({result.method}, {_many(result.blocks, result.block)})"
    if result.worse_or_equal is not None:
        yield f"  one-sided {_probability(result.worse_or_equal)}"
    if pairs := result.matched_pairs:
        z = "–" if pairs.z is None else f"{pairs.z:.3f}"
        yield f"  MAPSSWE: Z = {z}, two-sided {_probability(pairs.p)}, {pairs.segments} segments"
    if result.smallest_gain is not None:
        yield f"  smallest gain that these recordings can show: {result.smallest_gain * 100:.2f} points"
    if result.needed is not None and result.needed.speakers:
        yield f"  about {result.needed.speakers} more {result.needed.unit} would show this gain"


def _judged(result: Compared) -> str:
    if result.interval is None:
        return f"{_many(result.blocks, result.block)}, too few to tell"
    low, high = result.interval
    return "more than chance" if low > 0 or high < 0 else "may be chance"


def _probability(p: float) -> str:
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"


def _side_cells(side: Side) -> tuple[str, ...]:
    counts = (side.substitutions, side.deletions, side.insertions)
    return (rate(side.wer), between(side.interval), *map(str, counts))


def _moved(what: str, number: int, words: Mapping[str, int]) -> Text:
    listed = ", ".join(word if count == 1 else f"{word} × {count}" for word, count in words.items())
    more = " …" if number > sum(words.values()) and words else ""
    return Text(f"{what}: {_many(number, 'word')}" + (f" ({listed}{more})" if listed else ""))


def _show_counts(groups: Mapping[str, Counts], label: str, unit: str, console: Console) -> None:
    table = _table(label, _rate_name(unit), f"{unit}s", "S", "D", "I", "recordings")
    shown = sorted(groups.items(), key=lambda item: (-(item[1].wer or 0), item[0]))
    for name, counts in shown[:_MOST_ROWS]:
        figures = (counts.reference_words, counts.substitutions, counts.deletions, counts.insertions, counts.utterances)
        table.add_row(Text(name), rate(counts.wer), *map(str, figures))
    console.print(table)
    _show_more(len(shown), console)


def _show_slices(label: str, slices: Mapping[str, Slice], unit: str, console: Console) -> None:
    table = _table(label, f"{unit}s", "benchmark", "candidate", "gain")
    shown = sorted(slices.items(), key=lambda item: (item[1].gain or 0, item[0]))
    for value, one in shown[:_MOST_ROWS]:
        words = str(one.benchmark.reference_words)
        table.add_row(Text(value), words, rate(one.benchmark.wer), rate(one.candidate.wer), points(one.gain))
    console.print(table)
    _show_more(len(shown), console)


def _show_more(rows: int, console: Console) -> None:
    if rows > _MOST_ROWS:
        console.print(f"and {rows - _MOST_ROWS} more; --json lists all")


def _show_utterance(utterance: Utterance, console: Console) -> None:
    console.print()
    errors = _many(utterance.errors, "error")
    console.print(Text.assemble((utterance.id, "bold"), f"  {errors} in {_many(utterance.reference_words, 'word')}"))
    texts = UtteranceScore(utterance.id, utterance.reference, utterance.hypothesis, utterance.alignment)
    for line in alignment_lines(list(texts.steps()), console.width):
        console.print(Text(line), no_wrap=True, crop=False, soft_wrap=True)


def alignment_lines(steps: Sequence[Step], width: int) -> Iterator[str]:
    """What was said above what was heard, word by word, with S, D or I under each error; broken at `width` columns.

    >>> print(*alignment_lines([Step("H", "to", "to"), Step("S", "souk", "suit"), Step("D", "now", None)], 80), sep="\\n")
      said   to  souk  now
      heard  to  suit  ***
                 S     D
    """
    rows = [(step.reference or "***", step.hypothesis or "***", step.operation.replace("H", "")) for step in steps]
    for line in _broken(rows, width - 9):
        widths = [max(map(cell_len, column)) for column in line]
        for head, cells in zip(("said", "heard", ""), zip(*line, strict=True), strict=True):
            padded = (cell + " " * (size - cell_len(cell)) for cell, size in zip(cells, widths, strict=True))
            yield f"  {head:5}  {'  '.join(padded)}".rstrip()


def _broken(rows: Sequence[tuple[str, str, str]], width: int) -> Iterator[list[tuple[str, str, str]]]:
    line: list[tuple[str, str, str]] = []
    used = 0
    for row in rows:
        size = max(map(cell_len, row)) + 2
        if line and used + size > width + 2:
            yield line
            line, used = [], 0
        line.append(row)
        used += size
    if line:
        yield line


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        left = name in ("", "rule", "outcome", "reason") or name == columns[0]
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    return table


def _rate_name(unit: str) -> str:
    return "WER" if unit == "word" else "CER"


def _counted(counts: Counts) -> str:
    parts = (("substituted", counts.substitutions), ("deleted", counts.deletions), ("inserted", counts.insertions))
    told: Iterable[str] = (f"{number} {name}" for name, number in parts)
    return f"{counts.reference_words} words: {', '.join(told)}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
