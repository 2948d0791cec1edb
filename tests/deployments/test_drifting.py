"""`speechops drift`, as a speech engineer at a shell meets it."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from domain.production import Heard
from tests.deployments.plain_kit import Run, runner
from tests.domain.production_kit import COMMON, NAMES, period


def write(folder: Path, recordings: Iterable[Heard], *, base: bool = False) -> None:
    """The files of a batch transcription, of the live model or of the base model."""
    for one in recordings:
        words = one.base if base and one.base is not None else one.words
        path = folder / f"{one.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document(words, one.confidences if not base else (), one.seconds)))


def document(words: tuple[str, ...], confidences: tuple[float, ...], seconds: float) -> dict[str, object]:
    """A transcript as Azure writes it."""
    text = " ".join(words)
    forms = {"lexical": text, "itn": text, "maskedITN": text, "display": text}
    heard = [{"word": word, "confidence": sure} for word, sure in zip(words, confidences, strict=False)]
    phrase = {"recognitionStatus": "Success", "channel": 0, "nBest": [{**forms, "confidence": 0.9, "words": heard}]}
    return {
        "source": "https://a.example.org/a.wav",
        "timestamp": "2026-11-21T00:00:00Z",
        "durationInTicks": seconds * 10_000_000,
        "duration": f"PT{seconds}S",
        "combinedRecognizedPhrases": [{"channel": 0, **forms}] if words else [],
        "recognizedPhrases": [phrase] if words else [],
    }


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command, in a folder with three periods, the base model's transcripts and training text."""
    monkeypatch.chdir(tmp_path)
    periods = {
        "then": period(2, 60, prefix="t"),
        "same": period(6, 60, prefix="s"),
        "now": period(4, 60, names=0.15, noise=0.1, prefix="n"),
    }
    for name, recordings in periods.items():
        write(Path(name), recordings)
        write(Path("base"), recordings, base=True)
    Path("now/report.json").write_text("{}")
    Path("text.txt").write_text("".join(f"{word}\n" for word in COMMON))
    return runner(monkeypatch, capsys)


def test_drift_is_told_with_figures_and_what_to_do(run: Run) -> None:
    """Exit code 4; what moved, by how much, what it may mean, and which recordings to label."""
    done = run("drift", "now", "--before", "then", "--base", "base", "--vocabulary", "text.txt")

    assert (done.code, done.err) == (4, "")
    assert done.out.startswith("drift  60 recordings now, 60 before")
    assert "unknown words rose: new names or topics" in done.out
    assert "to label next" in done.out
    assert not any(name in done.out for name in NAMES)


def test_a_period_like_the_one_before_is_steady(run: Run) -> None:
    """Exit code 0."""
    done = run("drift", "same", "--before", "then", "--base", "base", "--vocabulary", "text.txt", "--json")
    answer = json.loads(done.out)

    assert (done.code, answer["outcome"]) == (0, "steady")
    assert {one["told"] for one in answer["changes"]} == {"steady"}
    speeds = next(one for one in answer["changes"] if one["measure"] == "speed")
    assert 1 < speeds["now"] < 3


def test_too_few_recordings_are_no_all_clear(run: Run) -> None:
    """Exit code 3."""
    write(Path("few"), period(1, 3))

    assert run("drift", "few", "--before", "then").code == 3


def test_the_reports_hold_nothing_that_was_said(run: Run) -> None:
    """A page and a list for the people who label; without names of recordings when only counts are wanted."""
    run("drift", "now", "--before", "then", "--vocabulary", "text.txt", "--report", "out.html")
    run("drift", "now", "--before", "then", "--vocabulary", "text.txt", "--report", "out.csv", "--to-label", "5")
    page, rows = (
        Path("out.html").read_text("utf-8"),
        list(csv.DictReader(Path("out.csv").read_text("utf-8").splitlines())),
    )
    counts = run("drift", "now", "--before", "then", "--counts-only", "--report", "counts.html")

    assert "DRIFT" in page
    assert len(rows) == 5
    assert (Path("now") / f"{rows[0]['recording']}.json").is_file()
    assert not any(name in text for name in NAMES for text in (page, str(rows)))
    for text in (counts.out, Path("counts.html").read_text("utf-8")):
        assert "n00" not in text
        assert "20 recordings to label are not named here" in text


def test_a_cell_is_never_a_formula(run: Run) -> None:
    """A recording named like one is only text to a spreadsheet."""
    write(Path("odd"), [Heard("=HYPERLINK(1)", ("unheard",) * 5, (0.1,) * 5, 3.0)])
    write(Path("odd"), period(9, 6))
    run("drift", "odd", "--before", "then", "--vocabulary", "text.txt", "--report", "out.csv")

    assert "'=HYPERLINK(1)" in Path("out.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere", "--before", "then"), "nowhere: there is no such folder"),
        (("empty", "--before", "then"), "empty: there is no transcript"),
        (("wrong", "--before", "then"), "notes.json: A transcription file is not in Azure's format"),
        (("now", "--before", "then", "--locale", "english"), "is not a locale"),
        (("now", "--before", "then", "--report", "out.pdf"), "an .html or a .csv file"),
        (("now", "--before", "now", "--base", "base"), "stand in both periods"),
    ],
)
def test_mistakes_are_told_with_a_remedy(run: Run, words: tuple[str, ...], message: str) -> None:
    """One message, exit code 1, no traceback, and nothing of a file's content."""
    Path("empty").mkdir()
    Path("wrong").mkdir()
    Path("wrong/notes.json").write_text('{"lexical": "my secret"}')
    done = run("drift", *words)

    assert done.code == 1
    assert message in done.err
    assert "secret" not in done.err
