"""The demo, as a newcomer runs it: real speech, real training, the real Prefect server and worker."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
]  # minutes of real training and decoding, more on a busy machine
ROOT = Path(__file__).parents[2]


class Shown(NamedTuple):
    """What a run of the demo printed, and its summary."""

    text: str
    summary: dict[str, Any]


def play(home: Path) -> Shown:
    """Run `speechops demo`; it must exit 0."""
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "demo", "--home", str(home)],
        cwd=ROOT, capture_output=True, text=True, env=os.environ | {"COLUMNS": "100"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Shown(done.stdout, json.loads((home / "demo" / "summary.json").read_text()))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both runs keep their state."""
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def first(home: Path) -> Shown:
    """The first run."""
    return play(home)


@pytest.fixture(scope="module")
def second(home: Path, first: Shown) -> Shown:
    """A second run on the same state."""
    return play(home)


def test_the_recogniser_really_improves(first: Shown) -> None:
    """From more than 20 % of the words wrong to less than 10 %, and the better model is live."""
    baseline, good, *_ = first.summary["steps"]

    assert first.summary["baseline_wer"] == baseline["benchmark_wer"]
    assert 0.2 <= first.summary["baseline_wer"] <= 0.4
    assert good["candidate_wer"] <= 0.1
    assert (good["verdict"], good["released"]) == ("PASS", True)


def test_a_gain_that_may_be_chance_is_not_released(first: Shown) -> None:
    """Better by more than the minimum, but two of eight speakers show nothing: INCONCLUSIVE."""
    step = first.summary["steps"][2]

    assert step["candidate_wer"] < step["benchmark_wer"] - 0.002
    assert (step["verdict"], step["released"]) == ("INCONCLUSIVE", False)
    assert re.search(r"about \d+ more speakers", first.text)


def test_the_update_that_does_not_help_is_refused(first: Shown) -> None:
    """The gate says FAIL, and nothing changes on the endpoint."""
    useless = first.summary["steps"][3]

    assert (useless["flow"], useless["verdict"], useless["released"]) == ("training-update", "FAIL", False)


def test_a_push_starts_the_loop_by_itself(first: Shown) -> None:
    """The base model is tested on the new recordings, a candidate is trained, judged, and goes live; nobody started a flow."""
    pushed = first.summary["steps"][5]

    assert pushed["flow"] == "git push"
    assert pushed["benchmark_wer"] > 0.7 > 0.6 > pushed["candidate_wer"]
    assert (pushed["verdict"], pushed["released"]) == ("PASS", True)
    told = first.text[first.text.index("the receiver knows of the push to refs/heads/main") :]
    assert told.index("start-runs") < told.index("record-benchmark") < told.index("record-release")


def test_a_release_is_taken_back_and_the_command_says_why(first: Shown) -> None:
    """One run of rollback: the model before is live again, under its own version, and `speechops why` says since when and why."""
    pushed = first.summary["steps"][6]
    undone = first.summary["rollback"]

    assert (pushed["verdict"], pushed["released"]) == ("PASS", True)
    assert (undone["live"], undone["taken_back"]) == ("1.0.0", "1.1.0")
    told = first.text[first.text.index("speechops why sharjah-tours") :]
    assert "1.0.0" in told
    assert "A drill" in told


def test_copied_sentences_are_blocked(first: Shown) -> None:
    """Before anything is trained, with the line to mend."""
    leak = first.summary["steps"][4]

    assert (leak["verdict"], leak["candidate_wer"]) == ("BLOCKED", None)
    assert re.search(r"sharjah/training/plain_text.txt:\d+: the line is word for word", first.text)


def test_every_step_has_a_report_to_open(first: Shown) -> None:
    """One file each, with its outcome on it, that asks no network."""
    for step, told in zip(
        first.summary["steps"], ("WER", "PASS", "INCONCLUSIVE", "FAIL", "BLOCKED", "PASS", "PASS"), strict=True
    ):
        page = (ROOT / step["report"]).read_text("utf-8")
        assert told in page
        assert "default-src 'none'" in page
        assert "http://" not in page.replace("http://www.w3.org/", "")


def test_the_live_endpoint_gets_right_what_the_base_model_got_wrong(first: Shown) -> None:
    """Believe your ears: one recording, two texts."""
    heard = first.summary["heard"]

    assert heard["custom"] == heard["reference"]
    assert heard["base"] != heard["reference"]


def test_the_closing_table_tells_the_story(first: Shown) -> None:
    """Every step with its model, WER and verdict, and where the endpoint is."""
    for told in (
        "base model",
        "names learnt",
        "one more name",
        "dinosaurs",
        "copied text",
        "second track",
        "more sentences",
        "PASS, live",
        "FAIL",
        "S/D/I",
    ):
        assert told in first.text
    assert first.summary["endpoint"]["id"] in first.summary["endpoint"]["url"]
    assert first.summary["endpoint"]["url"] in first.text


def test_what_the_demo_keeps_is_private_and_its_password_is_not_told(first: Shown, home: Path) -> None:
    """Audio, reports and databases are for whoever played it; the output went to a pipe, where no person reads it."""
    copied = home / "demo" / "repository"  # the sample, with the modes that it has
    kept = [home, *(path for path in home.rglob("*") if not path.is_relative_to(copied))]

    assert any(path.suffix == ".wav" for path in kept)
    assert [path for path in kept if path.exists() and path.stat().st_mode & 0o077] == []
    assert (home / "prefect.auth").read_text().partition(":")[2] not in first.text


def test_a_second_run_does_nothing_again_and_says_so(first: Shown, second: Shown) -> None:
    """Same state, same data: the same figures, and no upload, training or evaluation."""
    assert "Nothing was uploaded, trained or evaluated again" in second.text
    assert second.summary["baseline_wer"] == first.summary["baseline_wer"]
    assert [step["verdict"] for step in second.summary["steps"]] == [step["verdict"] for step in first.summary["steps"]]
    assert second.summary["rollback"]["live"] == first.summary["rollback"]["live"]
    assert second.summary["rollback"]["seconds"] is None
    assert second.summary["endpoint"]["id"] == first.summary["endpoint"]["id"]
