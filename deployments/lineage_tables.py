"""What people read of a track's lineage, in a terminal of 80 columns or in a pipe."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deployments.offline_tables import points, rate
from domain.ledger import Release
from domain.lineage.forgetting import Forgotten
from domain.lineage.history import LIVE_KINDS, Line, Lines
from domain.lineage.uses import Uses
from domain.lineage.verified import Verified
from domain.lineage.why import Why
from domain.ruling import TrainedOn

_DIGITS = 12
_STYLES = {"ok": "green", "broken": "bold red", "forgotten": "yellow"}


def show_why(why: Why, console: Console) -> None:
    """The answer first, then what it rests on, then what is not as it should be."""
    console.print(Panel(Text(_headline(why)), title=f"track {why.track}", title_align="left", box=box.ROUNDED))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, told in _because(why):
        grid.add_row(name, Text(told))
    console.print(grid)
    for style, line in _worries(why):
        console.print(Text(line, style=style))


def _headline(why: Why) -> str:
    live = why.live
    if live is None:
        beaten = f" The base model to beat is {why.benchmark.model_name}." if why.benchmark else ""
        return f"Nothing is live.{beaten}"
    how = "by a rollback" if live.kind == "rollback" else "by a release"
    return f"{called(live)} is live since {_when(live.released_at)}, {how}: {live.model_name}"


def called(release: Release) -> str:
    """A release, for people."""
    return f"Version {release.version}" if release.version else f"Release {release.number}"


def _because(why: Why) -> Iterator[tuple[str, str]]:
    live, verdict = why.live, why.verdict
    if live is not None:
        yield "endpoint", live.endpoint
        yield "data at", f"{live.revision or 'unknown'}, {_authors(why)}"
        yield "learnt from", "; ".join(map(_learnt, why.training)) or "nothing that is noted"
        yield "base model", why.base_model or live.base_model or "not noted"
        yield "tested on", f"{why.testing_hash[:_DIGITS] or 'unknown'}{f', {verdict.words:,} words' if verdict else ''}"
    if verdict is not None:
        yield "verdict", _verdict(why)
        yield "why", "; ".join(verdict.reasons)
    if live is not None:
        yield "approved", _approved(why)
        yield "replaced", f"{called(why.replaced)}: {why.replaced.model_name}" if why.replaced else "nothing: the first"
        if live.reason:
            yield "reason", f"{live.reason}{f' ({live.by})' if live.by else ''}"
        yield "flow run", why.flow_run or "not noted"
    if why.benchmark is not None:
        yield "WER now", f"{rate(why.benchmark.wer)} on {why.benchmark.words:,} words ({why.benchmark.model_name})"


def _authors(why: Why) -> str:
    return f"by {', '.join(why.authors)}" if why.authors else "author not noted"


def _learnt(one: TrainedOn) -> str:
    amount = (
        f"{one.items:,} recordings, {one.seconds / 60:.1f} min"
        if one.seconds
        else f"{one.items:,} line{'' if one.items == 1 else 's'}"
    )
    return f"{one.kind} {one.content_hash[:_DIGITS]} ({amount})"


def _verdict(why: Why) -> str:
    verdict = why.verdict
    if verdict is None:
        return ""
    span = f" ({points(verdict.interval[0])} to {points(verdict.interval[1])})" if verdict.interval else ""
    gain = f", gain {points(verdict.gain)} points{span}" if verdict.gain is not None else ""
    word = f", let go live by {verdict.overridden_by}" if verdict.overridden_by else ""
    rates = f"WER {rate(verdict.benchmark_wer)} to {rate(verdict.candidate_wer)}"
    return f"{verdict.outcome}{word}: {rates}{gain}; against {verdict.benchmark} [{verdict.digest[:8]}]"


def _approved(why: Why) -> str:
    given = why.approval
    if given is None:
        return "nobody was asked"
    reason = f": {given.reason}" if given.reason else ""
    return f"by {given.by or 'somebody'}{f' on {_when(given.at)}' if given.at else ''}{reason} [{given.id}]"


def _worries(why: Why) -> Iterator[tuple[str, str]]:
    if why.pending:
        yield "yellow", f"! The {why.pending.kind} of {why.pending.model_name} is under way, or was interrupted."
    for asked in why.waiting:
        yield "yellow", f"! {asked.model.name} waits for a person: speechops approve {asked.id}"
    for one in why.withdrawn:
        reason = f": {one.reason}" if one.reason else ""
        yield "yellow", f"! {one.version or one.model_name} was taken back on {_when(one.at)}{reason}"
    for told in why.findings:
        yield "red" if told.startswith("critical") else "yellow", f"! {told}"
    for end in why.expiry[:3]:
        yield "dim", f"{end.what} ends on {end.at:%Y-%m-%d}" if end.at else f"{end.what}: the service tells no end"
    for lost in why.missing:
        yield "bold red", f"! {lost}"


def show_history(history: Lines, console: Console) -> None:
    """One row per entry, the newest last, as logs are read."""
    table = _table("#", "when", "what", "WER", "revision", "flow run")
    for line in history.lines:
        style = "bold" if line.kind in LIVE_KINDS else ""
        wer = rate(line.wer) if line.wer is not None else ""
        told = (Text(_told(line)), wer, Text(line.revision), Text(line.flow_run[:8]))
        table.add_row(str(line.number), _when(line.at), *told, style=style)
    console.print(table)
    if not history.lines:
        console.print("Nothing has happened yet.")
    elif len(history.lines) < history.entries:
        console.print(f"the newest {len(history.lines)} of {history.entries}; without --last all of them")


def _told(line: Line) -> str:
    model = " ".join(part for part in (line.version, line.model) if part)
    return "\n".join(part for part in (f"{line.what}{f' (by {line.by})' if line.by else ''}", model) if part)


def show_uses(uses: Uses, console: Console) -> None:
    """What it is, whether it is live, then both directions."""
    live = f"live in {', '.join(uses.live)}" if uses.live else "nothing that is live comes of it"
    console.print(Text.assemble((f"{uses.kind} {uses.name}", "bold"), f"  {live}"))
    rows = [
        (one.content_hash[:_DIGITS], f"{one.role} ({one.kind})", ", ".join(one.recordings), ", ".join(one.tracks))
        for one in uses.datasets
    ]
    _rows(console, "Datasets", ("dataset", "for", "called", "tracks"), rows)
    decided = [
        (one.digest[:8], f"{one.at:%Y-%m-%d}" if one.at else "", one.outcome, one.candidate, one.revision)
        for one in uses.verdicts
    ]
    _rows(console, "Verdicts", ("verdict", "when", "outcome", "of", "revision"), decided)
    models = [
        (one.name, one.revision, ", ".join(part[:8] for part in one.training), "live" if one.live else "")
        for one in uses.models
    ]
    _rows(console, "Models", ("model", "revision", "learnt from", ""), models)
    released = [
        (
            f"{one.track} {one.version or one.number}",
            one.kind,
            f"{one.at:%Y-%m-%d}",
            one.model,
            "live" if one.live else "",
        )
        for one in uses.releases
    ]
    _rows(console, "Releases", ("release", "how", "when", "model", ""), released)
    for why in uses.unread:
        console.print(Text(f"! not searched: {why}", style="yellow"))


def _rows(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        console.print(Text(f"{title}: none", style="dim"))
        return
    table = _table(*columns)
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def show_verified(result: Verified, console: Console) -> None:
    """One row per check, then what to do about what is broken."""
    table = _table("track", "what", "state", "detail")
    for one in result.checks:
        what = one.what if len(one.what) < 40 else f"{one.what[:28]}…"
        table.add_row(Text(one.track), Text(what), Text(one.state, style=_STYLES[one.state]), Text(one.detail))
    console.print(table)
    broken = [one for one in result.checks if one.state == "broken"]
    for one in broken:
        console.print(Text(f"! {one.track}: {one.what}\n  {one.detail}. {one.what_to_do}", style="red"))
    console.print(f"{len(broken)} broken" if broken else "Nothing was changed: every hash holds.")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        right, whole = name in ("#", "WER"), name in ("#", "when", "WER", "state", "outcome")
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=whole)
    return table


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "–"


def show_forgotten(result: Forgotten, console: Console) -> None:
    """What holds the recordings and what became of it, then what follows."""
    console.print(Text(_summary(result), style="bold"))
    table = _table("where", "what", "recordings", "others", "state")
    for one in result.holdings:
        key = one.key if len(one.key) < 44 else f"{one.key[:34]}…{one.key[-8:]}"
        told = f"{one.what}\n{key}" + (f"\n{one.why}" if one.why else "")
        counts = (str(one.recordings or ""), str(one.others or ""))
        table.add_row(Text(one.place), Text(told), *counts, Text(one.fate, style=_FATES.get(one.fate, "")))
    console.print(table)
    for note in result.notes:
        console.print(Text(f"! {note}"))
    if not result.asked_to_remove:
        console.print("Nothing was removed. With --yes, what is marked `to remove` goes.")
    elif result.noted_in:
        console.print(f"Noted in the history of {', '.join(result.noted_in)}, without the label.")


_FATES = {"removed": "green", "failed": "bold red", "kept": "yellow", "by hand": "yellow", "to remove": "bold"}


def _summary(result: Forgotten) -> str:
    done = sum(one.fate == ("removed" if result.asked_to_remove else "to remove") for one in result.holdings)
    verb = "removed" if result.asked_to_remove else "to remove"
    shared = sum(one.others > 0 and one.fate in ("removed", "to remove") for one in result.holdings)
    also = f"; {shared} of them hold other people's recordings too" if shared else ""
    return f"{result.recordings} recordings, in {len(result.holdings)} places: {done} {verb}{also}"
