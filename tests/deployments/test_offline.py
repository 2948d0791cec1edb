"""`speechops score`, `compare`, `gate` and `leak`, as a speech engineer at a shell meets them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployments.plain_kit import SAID, SPEAKERS, Run, heard, runner, written


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command, in a folder with references, three models and labels."""
    monkeypatch.chdir(tmp_path)
    written(Path("ref.txt"), SAID)
    for name, missed in (("bad", 2), ("good", 1), ("equal", 2)):
        written(Path(f"{name}.txt"), heard(missed))
    written(Path("who.txt"), {name: name[0] for name in SAID})
    rows = "".join(f"{name}\t{name[0]}\t{'pink' if '-1' in name else 'clean'}\n" for name in SAID)
    Path("labels.tsv").write_text(f"file\tspeaker\tnoise\n{rows}")
    return runner(monkeypatch, capsys)


def test_score_counts_words(run: Run) -> None:
    """Each recording of eight words lacks two; those of one speaker lack three."""
    done = run("score", "ref.txt", "bad.txt", "--json")
    answer = json.loads(done.out)

    assert (done.code, done.err) == (0, "")
    assert {name: answer[name] for name in ("reference_words", "hits", "substitutions", "deletions", "insertions")} == {
        "reference_words": 384, "hits": 282, "substitutions": 0, "deletions": 102, "insertions": 0,
    }  # fmt: skip
    assert answer["wer"] == pytest.approx(102 / 384)
    assert (answer["utterances"], answer["normaliser"].split()[0]) == (48, "azure-en-US")
    assert (answer["speakers"], answer["worst"]) == (None, None)


def test_score_tells_speakers_apart(run: Run) -> None:
    """Good on average may be bad for somebody; the interval asks how other speakers would fare."""
    answer = json.loads(run("score", "ref.txt", "bad.txt", "--speakers", "who.txt", "--json").out)

    assert answer["speakers"]["a"]["wer"] == 3 / 8
    assert answer["speakers"]["b"]["wer"] == 2 / 8
    assert (answer["block"], answer["blocks"]) == ("speaker", 8)
    low, high = answer["interval"]
    assert low <= answer["wer"] <= high


def test_without_reference_words_there_is_no_rate(run: Run) -> None:
    """Nothing was said: neither 0 % nor a pass."""
    written(Path("silence.txt"), dict.fromkeys(SAID, "..."))
    answer = json.loads(run("score", "silence.txt", "bad.txt", "--json").out)
    compared = json.loads(run("compare", "silence.txt", "bad.txt", "good.txt", "--json").out)

    assert (answer["wer"], answer["reference_words"], answer["interval"]) == (None, 0, None)
    assert (compared["gain"], compared["matched_pairs"]) == (None, None)
    assert run("score", "silence.txt", "bad.txt").out.startswith("WER –")


def test_transcripts_appear_only_when_asked_for(run: Run) -> None:
    """What people said may be private."""
    plain = run("score", "ref.txt", "bad.txt", "--speakers", "who.txt")
    asked = run("score", "ref.txt", "bad.txt", "--worst", "1")

    assert "museum" not in plain.out
    assert "a-0.wav  3 errors in 8 words" in asked.out
    assert "  heard  take  me  to  the  museum  ***  ***  ***" in asked.out


@pytest.mark.parametrize(
    "words",
    [
        ("score", "ref.txt", "bad.txt", "--speakers", "who.txt", "--worst", "2"),
        ("compare", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv"),
        ("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv"),
        ("leak", "good.txt", "--testing", "ref.txt"),
    ],
)
def test_what_people_read_fits_80_columns_and_has_no_colour_in_a_pipe(run: Run, words: tuple[str, ...]) -> None:
    """A terminal of a server, or a log."""
    shown = run(*words).out

    assert shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_compare_tells_gain_and_chance(run: Run) -> None:
    """The second model is better by one word of eight, for every speaker."""
    answer = json.loads(run("compare", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--json").out)

    assert answer["gain"] == pytest.approx(1 / 8)
    assert answer["interval"][0] > 0
    assert (answer["method"], answer["blocks"], answer["matched_pairs"]["segments"] > 0) == ("sign flips", 8, True)
    assert (answer["words_fixed"], answer["words_broken"], answer["fixed"]) == (48, 0, {"the": 42, "by": 6})
    assert set(answer["slices"]) == {"speaker", "noise"}
    assert answer["slices"]["speaker"]["a"]["gain"] == pytest.approx(1 / 8)


def test_compare_is_reproducible(run: Run) -> None:
    """The same files give the same bytes."""
    words = ("compare", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--json")

    assert run(*words).out == run(*words).out


def test_the_gate_tells_its_outcome_by_exit_code(run: Run) -> None:
    """A script can act on it: equal is FAIL, better is PASS, without speakers nobody can tell."""
    Path("text.txt").write_text("a sentence about something else\n")
    better = run("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--training", "text.txt", "--json")
    equal = run("gate", "ref.txt", "bad.txt", "equal.txt", "--labels", "labels.tsv", "--json")
    leaked = run("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--training", "ref.txt", "--json")
    unlooked = run("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--json")

    outcomes = [(done.code, json.loads(done.out)["outcome"]) for done in (better, equal, leaked, unlooked)]
    assert outcomes == [(0, "PASS"), (4, "FAIL"), (5, "INVALID"), (3, "INCONCLUSIVE")]


def test_the_gate_takes_a_policy_phrases_and_a_base_model(run: Run) -> None:
    """Each of them can refuse a candidate that is better."""
    Path("strict.toml").write_text("target_wer_percent = 1\n")
    Path("phrases.tsv").write_text("by the sea\tmust\n")
    words = ("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--json")

    refused = [
        json.loads(run(*words, *more).out)["reasons"][0]
        for more in (("--policy", "strict.toml"), ("--phrases", "phrases.tsv"), ("--base", "ref.txt"))
    ]
    assert refused[0] == "WER 14.1% is over the target of 1.0%"
    assert "by the sea" in refused[1]
    assert "customisation no longer pays" in refused[2]


def test_the_gate_takes_the_locale_of_the_track(run: Run) -> None:
    """German scored by English rules would mean nothing; --locale goes first."""
    Path("track.toml").write_text('locale = "de-DE"\n')
    words = ("gate", "ref.txt", "bad.txt", "good.txt", "--policy", "track.toml", "--json")

    assert json.loads(run(*words).out)["locale"] == "de-DE"
    assert json.loads(run(*words, "--locale", "en-GB").out)["locale"] == "en-GB"


def test_the_gate_writes_its_report(run: Run) -> None:
    """One file for the manager; without what people said when they must not see it."""
    words = ("gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--report")
    run(*words, "full.html")
    run(*words, "counts.html", "--counts-only")

    assert "museum" in Path("full.html").read_text("utf-8")
    assert "museum" not in Path("counts.html").read_text("utf-8")
    assert run(*words, "no/where.html").err.startswith("speechops: no/where.html: the report cannot be written")


def test_leak_names_file_and_line(run: Run) -> None:
    """Whoever mixed testing sentences into training text finds them at once."""
    Path("text.txt").write_text("something else is said here\ntake me to the museum by the sea\n")
    done = run("leak", "text.txt", "--testing", "ref.txt", "--report", "leak.html", "--json")
    answer = json.loads(done.out)

    assert (done.code, answer["outcome"]) == (4, "leaked")
    assert {(leak["file"], leak["line"]) for leak in answer["leaks"] if leak["blocks"]} == {("text.txt", 2)}
    assert Path("leak.html").exists()
    assert run("leak", "who.txt", "--testing", "ref.txt").code == 0


@pytest.mark.parametrize("command", ["score", "compare", "gate"])
def test_a_missing_or_double_id_is_a_mistake(run: Run, command: str) -> None:
    """Scoring goes on with nothing that may be mixed up: exit code 1, one clear message, nothing on stdout."""
    written(Path("short.txt"), dict(list(heard(1).items())[1:]))
    Path("double.txt").write_text(Path("good.txt").read_text() + "a-0.wav\tagain\n")
    first = ("bad.txt",) if command != "score" else ()

    missing = run(command, "ref.txt", *first, "short.txt", "--json")
    double = run(command, "ref.txt", *first, "double.txt", "--json")

    assert (missing.code, missing.out) == (double.code, double.out) == (1, "")
    assert missing.err.startswith("speechops: short.txt: no line for 'a-0.wav' of the references.")
    assert double.err.startswith("speechops: double.txt:49: 'a-0.wav' stands here and in line 1.")


def test_a_locale_that_is_none_is_a_mistake(run: Run) -> None:
    """Rules that nobody meant give a WER that means nothing."""
    assert "is not a locale" in run("score", "ref.txt", "bad.txt", "--locale", "english").err


def test_scripts_without_spaces_are_scored_by_character(run: Run) -> None:
    """One wrong character is not a wrong sentence, and the rate is called CER."""
    written(Path("zh.txt"), {"1": "我要去博物馆"})
    written(Path("zh-heard.txt"), {"1": "我要去博物院"})

    assert json.loads(run("score", "zh.txt", "zh-heard.txt", "--locale", "zh-CN", "--json").out)["wer"] == 1 / 6
    assert run("score", "zh.txt", "zh-heard.txt", "--locale", "zh-CN").out.startswith("CER 16.67%")


@pytest.mark.parametrize("command", ["score", "compare", "gate", "leak"])
def test_help_shows_the_file_format_with_an_example(run: Run, command: str) -> None:
    """Nobody has to look it up; the gate's exit codes stand there too."""
    shown = run(command, "--help").out

    assert "slt-01.wav<tab>take me to the museum" in shown
    assert ("3 INCONCLUSIVE" in shown) == (command == "gate")


def test_the_gate_answers_the_same_in_every_process(run: Run) -> None:
    """Byte by byte, whatever order Python gives its sets."""
    command = [
        sys.executable,
        "-m",
        "deployments.cli",
        *["gate", "ref.txt", "bad.txt", "good.txt", "--labels", "labels.tsv", "--json"],
    ]
    answers = {
        subprocess.run(command, capture_output=True, check=False, env={"PYTHONHASHSEED": seed}).stdout for seed in "12"
    }

    assert len(answers) == 1
    assert json.loads(answers.pop())["outcome"] == "INCONCLUSIVE"


def test_a_shell_gets_one_json_object_and_nothing_else(run: Run) -> None:
    """In a process of its own, as `jq` would read it, in a shell without UTF-8."""
    written(Path("ref.txt"), {f"{name}-ü": "ça va" for name in SPEAKERS})
    command = [sys.executable, "-m", "deployments.cli", "score", "ref.txt", "ref.txt", "--worst", "1", "--json"]
    done = subprocess.run(command, capture_output=True, check=True, env={"LC_ALL": "C", "PYTHONUTF8": "0"})

    assert json.loads(done.stdout)["wer"] == 0
    assert done.stderr == b""
