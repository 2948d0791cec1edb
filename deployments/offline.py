"""`speechops score`, `compare`, `gate`, `leak` and `replay`: what needs files only, no Speech service and no server."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

_FORMAT = """

A transcript file has one line per recording: its id, one tab, the text. Microsoft's `trans.txt` is such a file. UTF-8,
with or without a byte-order mark; every id once in each file. No text after the tab: nothing was heard.

    slt-01.wav<tab>take me to the museum
    slt-02.wav<tab>how much is a trip to Mleiha
"""
_LABELS = """

Labels are lines `id<tab>speaker`, or a table: the header `file<tab>speaker<tab>noise`, then a row per recording.
"""
_CODES = {"PASS": 0, "INCONCLUSIVE": 3, "FAIL": 4, "INVALID": 5}
_LEAKED = 4

Reference = Annotated[Path, typer.Argument(metavar="REF", help="What was said.", show_default=False)]
Locale = Annotated[str, typer.Option(help="Language and region; decides how texts are made comparable.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Report = Annotated[Path | None, typer.Option(help="Write the report to this HTML file.")]
LabelsFile = Annotated[
    Path | None, typer.Option("--labels", "--speakers", help="Who speaks in each recording, and any slices.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("score", help="How good is a transcript? WER with its interval, per speaker." + _FORMAT + _LABELS)(
        _score
    )
    app.command("compare", help="Is transcript B better than A, and is that more than chance?" + _FORMAT + _LABELS)(
        _compare
    )
    app.command("gate", help=_GATE + _FORMAT + _LABELS)(_gate)
    app.command("leak", help=_LEAK + _FORMAT)(_leak)
    app.command("replay", help=_REPLAY)(_replay)


def _score(
    ref: Reference,
    hyp: Annotated[Path, typer.Argument(metavar="HYP", help="What was heard.", show_default=False)],
    speakers: LabelsFile = None,
    locale: Locale = "en-US",
    worst: Annotated[
        int | None, typer.Option(min=1, help="Show so many of the worst recordings, with what was said and heard.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    from deployments.offline_inputs import read_one
    from deployments.offline_results import score_result
    from deployments.offline_tables import show_score

    measured, labels = read_one(ref, hyp, speakers, locale)
    result = score_result(measured, labels, locale, worst)
    if as_json:
        _print_json(result)
    else:
        show_score(result, _console())


def _compare(
    ref: Reference,
    hyp_a: Annotated[Path, typer.Argument(metavar="HYP_A", help="What the present model heard.", show_default=False)],
    hyp_b: Annotated[Path, typer.Argument(metavar="HYP_B", help="What the new model heard.", show_default=False)],
    labels: LabelsFile = None,
    locale: Locale = "en-US",
    words: Annotated[int, typer.Option(min=0, help="Name so many of the words fixed and broken.")] = 10,
    as_json: AsJson = False,
) -> None:
    from deployments.offline_inputs import Files, read_comparison
    from deployments.offline_results import compare_result
    from deployments.offline_tables import show_compared

    comparison = read_comparison(Files(ref, hyp_a, hyp_b, labels=labels), locale)
    result = compare_result(comparison, locale, words)
    if as_json:
        _print_json(result)
    else:
        show_compared(result, _console())


_GATE = """May the candidate replace the benchmark? The same rules as in a track, on plain files.

Exit code: 0 PASS, 3 INCONCLUSIVE, 4 FAIL, 5 INVALID; 1 a mistake in a file, 2 in the command line.
"""


def _gate(
    ref: Reference,
    benchmark: Annotated[
        Path, typer.Argument(metavar="BENCHMARK", help="What the present model heard.", show_default=False)
    ],
    candidate: Annotated[
        Path, typer.Argument(metavar="CANDIDATE", help="What the new model heard.", show_default=False)
    ],
    base: Annotated[Path | None, typer.Option(help="What the newest base model heard.")] = None,
    labels: LabelsFile = None,
    policy: Annotated[Path | None, typer.Option(help="A track.toml, or the settings of its [gate] alone.")] = None,
    phrases: Annotated[Path | None, typer.Option(help="Phrases that matter, one a line; `phrase<tab>must`.")] = None,
    training: Annotated[
        list[Path] | None, typer.Option(help="Text that the candidate learnt; searched for leaks. Again for more.")
    ] = None,
    report: Report = None,
    counts_only: Annotated[
        bool, typer.Option("--counts-only", help="Leave what people said out of the report.")
    ] = False,
    locale: Annotated[
        str | None, typer.Option(help="Language and region.  [default: that of track.toml, or en-US]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    from deployments.offline_gate import judge
    from deployments.offline_inputs import Files
    from deployments.offline_tables import show_verdict

    files = Files(ref, benchmark, candidate, base, labels, phrases, tuple(training or ()))
    result = judge(files, policy, locale, report, transcripts=not counts_only)
    if as_json:
        _print_json(result)
    else:
        show_verdict(result.verdict, _console())
        if report:
            _console().print(f"report: {report}", soft_wrap=True)
    raise typer.Exit(_CODES[result.outcome])


_LEAK = """Does training text hold what is tested? Then no figure means anything.

TRAINING is text with one sentence per line, or a transcript file.

Exit code: 0 no leak (there may be notes), 4 leaked; 1 a mistake in a file, 2 in the command line.
"""


def _leak(
    training: Annotated[list[Path], typer.Argument(help="Text that a model learns.", show_default=False)],
    testing: Annotated[Path, typer.Option(help="What is said in the recordings to test with.", show_default=False)],
    labels: LabelsFile = None,
    report: Report = None,
    locale: Locale = "en-US",
    as_json: AsJson = False,
) -> None:
    from deployments.offline_inputs import read_leaks
    from deployments.offline_results import leak_result
    from deployments.offline_tables import show_leaks

    found = read_leaks(training, testing, labels, locale)
    if report:
        from deployments.offline_gate import write_leaks

        write_leaks(found, testing, report)
    if as_json:
        _print_json(leak_result(found))
    else:
        show_leaks(found, _console())
    raise typer.Exit(_LEAKED if found.outcome == "leaked" else 0)


_REPLAY = """Reach a verdict of the past again, from the store alone, or by another policy.

Without `--policy` the verdict must come out identical, byte by byte; with it, you see what would have been decided.

Exit code: 0 identical (or asked with `--policy`), 4 different; 1 evidence is missing or was changed, 2 in the command line.
"""


def _replay(
    verdict: Annotated[
        str, typer.Argument(metavar="VERDICT", help="First digits of the verdict's digest.", show_default=False)
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every verdict that the history tells of.")] = False,
    track: Annotated[str, typer.Option(help="Every verdict of this track.", show_default=False)] = "",
    policy: Annotated[Path | None, typer.Option(help="A track.toml, or the settings of its [gate] alone.")] = None,
    store: Annotated[Path, typer.Option(help="Folder of the store.")] = Path(".speechops/store"),
    as_json: AsJson = False,
) -> None:
    from deployments.replaying import replay_verdicts, show_replays

    result = asyncio.run(replay_verdicts(verdict, track, all_, store, policy))
    if as_json:
        _print_json(result)
    else:
        show_replays(result, _console())
    raise typer.Exit(result.exit_code)


def _console() -> Console:
    return Console(highlight=False, markup=False)


def _print_json(result: BaseModel) -> None:
    sys.stdout.buffer.write(result.model_dump_json(indent=2).encode() + b"\n")
