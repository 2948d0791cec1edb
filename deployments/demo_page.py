"""What the demo shows: live progress, then a table that tells the story."""

from collections import Counter
from pathlib import Path
from time import monotonic

from prefect.client.schemas.objects import FlowRun
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.status import Status
from rich.table import Table

from deployments.demo_steps import LIVE, Played
from deployments.lineage_tables import show_why
from deployments.processes import shown
from deployments.stack import Stack
from deployments.up import login_told
from domain.comparison import Comparison
from domain.ledger import Release
from domain.lineage.why import Why
from domain.report import percent
from domain.ruling import Report
from domain.verdict import Outcome
from domain.wer import broken_words, fixed_words, missed_words

_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.INVALID: "red"}
_LINES_SHOWN = 3
_WORDS_SHOWN = 12


class DemoPage:
    """Prints to one console, from top to bottom, with a live line for what is going on now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._since = monotonic()

    def starting(self, step: str) -> None:
        """The stack starts another part."""
        self._live(f"Starting: {step}")

    def started(self, stack: Stack) -> None:
        """Everything runs."""
        self._quiet()
        self._console.print(
            f"Prefect UI [link]{stack.prefect_url}[/link] · Speech emulator [link]{stack.emulator_url}[/link] "
            "[dim](both run until the demo ends)[/]"
        )
        self._console.print(f"Open the UI, logged in: {login_told(stack, self._console)}", soft_wrap=True)

    def step(self, title: str, commit: str, flow: str) -> None:
        """A commit starts a flow."""
        self._console.print()
        self._console.rule(f"[bold]{title}[/]", align="left")
        self._console.print(f"  [dim]commit {commit} → {flow}[/]", highlight=False)
        self._since = monotonic()
        self._live(flow)

    def pushed(self, said: str) -> None:
        """What the person who pushed read."""
        self._quiet()
        lines = [line.removeprefix("remote: ").strip() for line in said.splitlines() if "speechops: " in line]
        for line in lines:
            self._console.print(f"  [dim]{monotonic() - self._since:7.1f} s  {escape(line)}[/]", highlight=False)
        self._live("receiver → automation → data-update")

    def begun(self, flow: str, run: FlowRun) -> None:
        """A run that nobody started by hand."""
        self._quiet()
        self._console.print(
            f"  [dim]{monotonic() - self._since:7.1f} s[/]  {flow} [bold]{escape(run.name)}[/]", highlight=False
        )
        self._live(flow)

    def task(self, name: str, state: str) -> None:
        """A task of the flow changed its state."""
        if state == "Running":
            self._live(name)
        elif state in ("Completed", "Cached"):
            self._console.print(f"  [green]✓[/] [dim]{monotonic() - self._since:5.1f} s[/]  {name}", highlight=False)

    def played(self, played: Played) -> None:
        """A flow is over."""
        self._quiet()
        report = played.report
        if report is None:
            self._blocked(played.refusal)
        elif report.candidate_wer is None:
            self._console.print(f"  → WER of the benchmark model: [bold]{percent(report.benchmark_wer)}[/]")
        else:
            self._verdict(report)
        if report is not None:
            known = " (an earlier run had come to this result)" if report.decision.settled else ""
            self._console.print(f"    [dim]work: {report.decision.work}{known}[/]", highlight=False)
        if played.page is not None:
            self._console.print(f"    [dim]report:[/] {shown(played.page)}", highlight=False, soft_wrap=True)

    def _verdict(self, report: Report) -> None:
        verdict = report.decision.ruling.verdict
        before, after = percent(report.benchmark_wer), percent(report.candidate_wer)
        fate = "is live" if report.released else "does not go live"
        self._console.print(
            f"  → [bold {_COLOURS[verdict.outcome]}]{verdict.outcome.value}[/]: WER {before} → {after}, the candidate {fate}"
        )
        for reason in verdict.telling_reasons:
            self._console.print(Padding(f"[dim]· {escape(reason)}[/]", (0, 0, 0, 4)), highlight=False)

    def _blocked(self, refusal: str) -> None:
        self._console.print("  → [bold red]BLOCKED[/]: testing data are in the training data")
        lines = [line.strip() for line in refusal.splitlines()[1:] if line.strip()]
        for line in lines[:_LINES_SHOWN]:
            self._console.print(Padding(f"[dim]· {escape(line)}[/]", (0, 0, 0, 4)), highlight=False)
        if len(lines) > _LINES_SHOWN:
            self._console.print(f"    [dim]· and {len(lines) - _LINES_SHOWN} more[/]", highlight=False)

    def heard(self, reference: str, base: str, custom: str) -> None:
        """What the live endpoint makes of a recording that the base model got wrong."""
        lines = Table.grid(padding=(0, 2))
        lines.add_row("said", escape(reference))
        lines.add_row("base model", f"[red]{escape(base)}[/]")
        lines.add_row("live endpoint", f"[green]{escape(custom)}[/]")
        self._console.print(Panel(lines, title="One recording, sent to the live endpoint", title_align="left"))

    def words(self, comparison: Comparison) -> None:
        """Words fixed, broken, still missed by the released model."""
        before, after = comparison.benchmark.scorecard, comparison.candidate.scorecard
        lines = Table.grid(padding=(0, 2))
        lines.add_row("words fixed", _counted(fixed_words(before, after)))
        lines.add_row("words broken", _counted(broken_words(before, after)))
        lines.add_row("still missed", _counted(missed_words(after)))
        self._console.print(lines)

    def undoing(self, command: str, reason: str) -> None:
        """A release is about to be taken back, as with this command."""
        self._quiet()
        self._since = monotonic()
        self._console.print(f"\n[bold]Take the last release back[/]  [dim]{escape(command)}[/]", highlight=False)
        self._console.print(f"    [dim]because:[/] {escape(reason)}", highlight=False)

    def undone(self, release: Release, version: str, seconds: float | None) -> None:
        """What is live again."""
        self._quiet()
        took = "an earlier play had done it" if seconds is None else f"in {seconds:.0f} s"
        self._console.print(
            f"  → [bold yellow]{escape(version)} is taken back[/], {escape(release.version)} is live again ({took}); "
            "the endpoint's id is the same",
            highlight=False,
        )

    def why(self, track: str, answer: Why) -> None:
        """What `speechops why` says of the track."""
        self._console.print(
            f"\n[bold]Why is that model live?[/]  [dim]speechops why {escape(track)}[/]", highlight=False
        )
        show_why(answer, self._console)

    def closing(self, played: list[Played], seconds: float, summary: Path) -> None:
        """The table, and where to go from here."""
        self._console.print()
        self._console.print(_table(played))
        reports = [one.report for one in played if one.report]
        if not any((w.uploaded, w.trained, w.evaluated) != (0, 0, 0) for w in (one.decision.work for one in reports)):
            self._console.print(
                "[bold]Nothing was uploaded, trained or evaluated again:[/] all of it was there already."
            )
        live = played[LIVE].report
        self._console.print(
            f"Live endpoint: {live.address if live else '–'}\n"
            f"Reports, to open in a browser: {shown(summary.parent)}/reports/\n"
            f"Took {seconds:.0f} s. Figures: {shown(summary)}.\n"
            "`speechops up` starts it all again: the endpoint answers, and the Prefect UI shows these runs.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip

    def _live(self, text: str) -> None:
        if self._status is None:
            self._status = self._console.status(f"{text} …")
            self._status.start()
        self._status.update(f"{text} …")

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _table(played: list[Played]) -> Table:
    table = Table(box=box.ROUNDED, title="What happened", title_justify="left", title_style="bold")
    table.add_column("step", no_wrap=True)
    table.add_column("model")
    table.add_column("WER", justify="right", no_wrap=True)
    table.add_column("S/D/I", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("why")
    for number, one in enumerate(played, start=1):
        table.add_row(f"{number} {one.step.name}", *_row(one.report))
    return table


def _row(report: Report | None) -> tuple[str, ...]:
    if report is None:
        return "–", "–", "–", "[red]BLOCKED[/]", "testing data in the training data"
    verdict, counts = report.decision.ruling.verdict, report.decision.ruling.verdict.candidate_counts
    errors = f"{counts.substitutions}/{counts.deletions}/{counts.insertions}"
    return _short(report), percent(verdict.candidate_wer), errors, *_told(report)


def _short(report: Report) -> str:
    """The base model by its name, a custom model by the first digits of its recipe."""
    subject = report.decision.ruling.subject
    if subject.candidate.path == subject.base.path:
        return f"base {subject.base.name}"
    return f"custom {subject.candidate.name.rpartition('-')[2][:8]}"


def _told(report: Report) -> tuple[str, str]:
    verdict = report.decision.ruling.verdict
    before, after = verdict.benchmark_wer, verdict.candidate_wer
    if report.candidate_wer is None or before is None or after is None:
        return "measured", "the benchmark WER"
    compared = f"{abs(before - after) * 100:.1f} points {'better' if after < before else 'worse'}"
    fate = ", live" if report.released else ""
    return f"[{_COLOURS[verdict.outcome]}]{verdict.outcome.value}[/]{fate}", compared


def _counted(words: Counter[str]) -> str:
    shown_words = ", ".join(f"{word} ×{count}" for word, count in words.most_common(_WORDS_SHOWN))
    more = len(words) - _WORDS_SHOWN
    return escape(shown_words or "none") + (f" [dim]and {more} more[/]" if more > 0 else "")
