"""`speechops drift`: has production changed, and what should be labelled next? Plain files, no labels, no service."""

from pathlib import Path
from typing import Annotated

import typer

_HELP = """Has production changed? What the live model heard lately, compared with an earlier period; nobody has to label it.

NOW and THEN are folders with the JSON files that Azure's batch transcription writes. Transcripts in one sub-folder belong
together (a speaker, a caller, a day) and count as one witness. Nothing that was said is printed or written, but frequent
words that the vocabulary knows.

Exit code: 0 no drift, 3 too few to tell, 4 drift; 1 a mistake in a file, 2 in the command line.
"""
_CODES = {"steady": 0, "too few": 3, "drift": 4}


def add_commands(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("drift", help=_HELP)(_drift)


def _drift(
    now: Annotated[Path, typer.Argument(metavar="NOW", help="Transcripts of the period to look at.")],
    before: Annotated[Path, typer.Option(help="Transcripts of a period that was normal.", show_default=False)],
    base: Annotated[
        Path | None, typer.Option(help="What the base model heard in the same recordings, under the same file names.")
    ] = None,
    vocabulary: Annotated[
        list[Path] | None, typer.Option(help="Training or testing text; other words count as unknown. Again for more.")
    ] = None,
    to_label: Annotated[int, typer.Option(min=0, max=1000, help="So many recordings to label are proposed.")] = 20,
    least: Annotated[
        float, typer.Option(min=0, max=1000, help="Per cent by which a measure must have changed to be told.")
    ] = 5,
    report: Annotated[
        Path | None, typer.Option(help="Write the report to this HTML file, or the list to a CSV file.")
    ] = None,
    counts_only: Annotated[bool, typer.Option("--counts-only", help="No texts and no names of recordings.")] = False,
    locale: Annotated[str, typer.Option(help="Language and region; decides how texts are made comparable.")] = "en-US",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    from deployments.drift_inputs import Question, answer
    from deployments.drift_results import show, write_report
    from domain.production import without_names

    question = Question(now, before, base, tuple(vocabulary or ()), locale, report)
    found = answer(question, to_label=to_label, least=least)
    found = without_names(found) if counts_only else found
    if report:
        write_report(report, found, f"{now} against {before}")
    show(found, report, as_json=as_json)
    raise typer.Exit(_CODES[found.outcome])
