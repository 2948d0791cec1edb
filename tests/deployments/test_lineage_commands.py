"""`speechops why`, `history`, `used-by`, `verify` and `forget`, as people type them."""

import json
from pathlib import Path

import pytest

from tests.deployments.plain_kit import Run, runner
from tests.tasks.lineage_kit import Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lived: Lived, tmp_path: Path) -> Run:
    """The command, in a folder with a store."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".speechops").mkdir()
    (tmp_path / ".speechops" / "store").symlink_to(lived.store.folder)
    (tmp_path / "data").symlink_to(lived.folder.parent)
    return runner(monkeypatch, capsys)


def test_why_reads_like_an_answer(run: Run) -> None:
    """The answer comes first, and fits into a terminal."""
    shown = run("why", "places")

    assert shown.code == 0
    lines = shown.out.splitlines()
    assert "Version 1.1.0 is live since 2026-11-02 00:00, by a release:" in lines[1]
    for told in ("bbbb11112222", "1 line", "PASS: WER", "nobody was asked", "Version 1.0.0: places-model-one"):
        assert told in shown.out
    assert max(map(len, lines)) <= 80


def test_history_has_the_newest_last(run: Run) -> None:
    """As logs are read."""
    shown = run("history", "places", "--last", 2)

    assert shown.code == 0
    assert "release 2 is live" in shown.out
    assert "1.0.0" not in shown.out
    assert "the newest 2 of 4" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_used_by_says_whether_it_is_live(run: Run) -> None:
    """That is what whoever asks wants to know."""
    shown = run("used-by", "a-1.wav")

    assert shown.out.startswith("recording a-1.wav  live in places\n")
    assert max(map(len, shown.out.splitlines())) <= 80


def test_verify_ends_with_1_when_something_was_changed(run: Run, lived: Lived) -> None:
    """For cron: the exit code; for people: which file, and what to do."""
    assert run("verify").code == 0
    (lived.store.folder / "tracks/places/ledger/000001.json").write_text("{}")

    shown = run("verify", "places")

    assert shown.code == 1
    assert "000001.json" in shown.out
    assert "1 broken" in shown.out


def test_forget_lists_first_and_removes_with_yes(run: Run) -> None:
    """Without a Speech service that it could ask: that part is left out by `--speech ''`."""
    listed = run("forget", "speaker-a", "--speech", "")
    done = run("forget", "speaker-a", "--speech", "", "--yes", "--in-use")

    assert (listed.code, done.code) == (0, 0)
    assert "Nothing was removed. With --yes" in listed.out
    assert "Noted in the history of places, without the label." in done.out
    assert "speaker-a" not in run("history", "places").out
    assert "forgotten on" in run("verify").out
    assert "0 of 2 identical" in run("replay", "--all").out


def test_what_the_service_holds_is_named_when_nobody_can_ask_it(run: Run) -> None:
    """By the names that Speech Studio shows; with `--yes` the command does not claim to be done."""
    listed = run("forget", "speaker-a", "--speech", "no-such-block", "--json")
    done = run("forget", "speaker-a", "--speech", "no-such-block", "--yes", "--in-use", "--json")

    by_hand = [one for one in json.loads(listed.out)["holdings"] if one["place"] == "service"]
    assert by_hand[0]["key"].startswith("places-acoustic-")
    assert by_hand[0]["fate"] == "by hand"
    assert (listed.code, done.code) == (0, 1)


@pytest.mark.parametrize("command", ["why", "history"])
def test_an_unknown_track_is_one_line(run: Run, command: str) -> None:
    """With those that are known, and no traceback."""
    shown = run(command, "plaecs")

    assert shown.code == 1
    assert "known: places" in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("why", "places"), ("history", "places"), ("used-by", "places-model-one"), ("verify",), ("forget", "speaker-a", "--speech", "")]
)  # fmt: skip
def test_json_is_one_object_and_nothing_else(run: Run, words: tuple[str, ...]) -> None:
    """For programs."""
    assert isinstance(json.loads(run(*words, "--json").out), dict)
