"""What people see of a comparison of two periods: a table in the terminal, a page, a list to label by."""

import csv
import io
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.mistakes import Mistake
from domain.production import DriftReport
from domain.report.drift_page import advice, cells, drift_page

_COLOURS = {"worse": "red", "changed": "yellow", "better": "green"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""


def show(found: DriftReport, report: Path | None, *, as_json: bool) -> None:
    """Print the report as a table, or as one JSON object."""
    if as_json:
        sys.stdout.buffer.write(found.model_dump_json(indent=2).encode() + b"\n")
        return
    console = Console(highlight=False, markup=False)
    show_drift(found, console)
    if report:
        console.print(f"report: {report}", soft_wrap=True)


def show_drift(found: DriftReport, console: Console) -> None:
    """What has changed, and what to label next."""
    colour = {"drift": "red", "steady": "green", "too few": "yellow"}[found.outcome]
    counted = f"{found.recordings_now} recordings now, {found.recordings_before} before"
    units = "" if found.unit == "recording" else f" ({found.blocks_now} and {found.blocks_before} folders)"
    console.print(Text.assemble((found.outcome, f"bold {colour}"), f"  {counted}{units}"))
    figures = _table("measure", "before", "now", "95 % of the change", "p", "")
    for change in found.changes:
        figures.add_row(change.measure, *cells(change), Text(change.told, style=_COLOURS.get(change.told, "")))
    console.print(figures)
    for line in (*advice(found), *found.notes):
        console.print(Text(f"· {line}"), soft_wrap=True)
    if found.to_label:
        listed = _table("to label next", "score", "reasons")
        for wanted in found.to_label:
            listed.add_row(Text(wanted.name), f"{wanted.score:.2f}", Text("; ".join(wanted.reasons)))
        console.print(listed)


def write_report(report: Path, found: DriftReport, compared: str) -> None:
    """Write the HTML page, or the list of what to label as CSV.

    Raises:
        Mistake: it cannot be written.
    """
    try:
        report.write_text(listed(found) if report.suffix == ".csv" else drift_page(found, compared), "utf-8")
    except OSError as error:
        raise Mistake(f"{report}: the report cannot be written ({error.strerror}). Correct the path.") from None


def listed(found: DriftReport) -> str:
    """What to label next, as a table that spreadsheets read."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("recording", "score", "reasons", "words", "seconds", "text"))
    for one in found.to_label:
        cells = (one.name, f"{one.score:.3f}", "; ".join(one.reasons), one.words, one.seconds, one.text)
        rows.writerow([f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number and name not in ("", "reasons") else "left", overflow="fold")
    return table
