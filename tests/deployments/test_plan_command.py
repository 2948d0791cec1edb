"""`speechops plan`: what would run, told before it does."""

import asyncio
import json
from pathlib import Path

import pytest

from domain.ledger import News
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tests.deployments.plain_kit import Run, runner
from tests.tasks.git_kit import SETTINGS, commit, git, repository, track, write
from tests.tasks.test_packing import FILES

READY = {"track.toml": SETTINGS, "training/plain_text.txt": b"turn left\n"} | {
    f"testing/{name}": content for name, content in FILES.items()
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command, in a repository with one commit."""
    monkeypatch.chdir(repository(tmp_path / "work"))
    commit(Path(), track("taxi", READY))
    return runner(monkeypatch, capsys)


def answer(run: Run, *words: str) -> dict[str, object]:
    """What `--json` prints."""
    done = run("plan", "--json", *words)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def planned(run: Run, *words: str) -> list[tuple[str, str]]:
    """Flow, and the commit that it was compared with."""
    return [(one["run"]["flow"], one["since"]) for one in answer(run, *words)["runs"]]


def done_for(track: str, kind: str, revision: str) -> None:
    """Tell the default store of a run."""
    news = News(kind=kind, flow_run="", revision=revision)
    asyncio.run(Ledger(LocalFolder(Path(".speechops/store")), track).append(news))


def test_the_last_commit_is_planned(run: Run) -> None:
    """In a table of 80 columns without colours."""
    commit(Path(), track("taxi", {"training/plain_text.txt": b"turn right\n"}))
    shown = run("plan")

    assert shown.code == 0
    assert "taxi    training-update" in shown.out
    assert "training: plain_text.txt" in shown.out
    assert "testing-update" not in shown.out
    assert shown.out.endswith(f"1 run for {git(Path(), 'rev-parse', 'HEAD')[:12]}\n")
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "\x1b" not in shown.out


def test_nothing_to_do_is_said(run: Run) -> None:
    """And is no failure."""
    after = commit(Path(), {"README.md": b"r"})

    assert run("plan") == (0, f"nothing to run for {after[:12]}\n", "")


def test_the_first_commit_is_all_new(run: Run) -> None:
    """There is nothing before it."""
    assert planned(run) == [("testing-update", ""), ("training-update", "")]
    assert "nothing" in run("plan").out


def test_each_flow_starts_from_its_own_last_run(run: Run) -> None:
    """As the history in the store tells."""
    first = git(Path(), "rev-parse", "HEAD")[:12]
    second = commit(Path(), track("taxi", {"testing/trans.txt": b"a.wav\tturn left\nb.wav\tturn left\n"}))[:12]
    commit(Path(), track("taxi", {"training/plain_text.txt": b"turn right\n"}))
    done_for("taxi", "testing-update", second)
    done_for("taxi", "training-update", f"{first}+changes")
    assert planned(run) == [("training-update", first)]

    done_for("taxi", "training-update", "local")
    assert planned(run) == [("training-update", second)]  # not known: the commit before
    assert planned(run, "--from", first) == [("testing-update", first), ("training-update", first)]


def test_files_on_disk_are_planned(run: Run) -> None:
    """Before they are committed."""
    write(Path(), track("taxi", {"testing/new.txt": b"n"}))

    assert planned(run, "--worktree", "--from", "HEAD")[0][0] == "testing-update"
    assert planned(run, "--worktree") == planned(run, "--worktree", "--from", "HEAD")


def test_the_cost_is_told(run: Run) -> None:
    """Nothing is kept or uploaded to know it; a table that holds it still fits."""
    told = [one["cost"] for one in answer(run, "--cost")["runs"]]
    table = run("plan", "--cost").out

    assert [(cost["trainings"], cost["evaluations"]) for cost in told] == [(0, 1), (1, 1)]
    assert told[0]["upload_bytes"] > told[1]["upload_bytes"] > 0
    assert told[0]["audio_seconds"] == pytest.approx(0.2)
    assert max(map(len, table.splitlines())) <= 80
    assert not Path(".speechops").exists()

    write(Path(), track("taxi", {"training/plain_text.txt": b"turn round\n"}))
    assert answer(run, "--cost")["notes"] == ["the cost is that of the files on disk, which differ from the commit"]
    assert answer(run, "--cost", "--worktree")["notes"] == []


def test_data_with_problems_have_no_cost_but_a_plan(run: Run) -> None:
    """The problems are told, and the other tracks have their cost."""
    commit(Path(), track("bus", READY) | track("taxi", {"testing/trans.txt": b"no tab\n"}))
    shown = run("plan", "--cost", "--from", "0")

    assert shown.code == 0
    assert "taxi: the cost is not known, for the data have" in shown.out
    assert "?" in shown.out
    assert shown.out.splitlines()[-1].startswith("4 runs for")


def test_the_folder_of_tracks_can_lie_deeper(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the command can be called from within it."""
    commit(Path(), {f"speech/{path}": content for path, content in track("bus", READY).items()})

    assert len(planned(run, "--data", "speech/data")) == 2
    monkeypatch.chdir("speech/data")
    assert len(planned(run, "--data", ".")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "nonsense"), "has no commit 'nonsense'"),
        (("--from", "-x"), "is not the name of a commit"),
        (("--to", "a b"), "is not the name of a commit"),
        (("--worktree", "--to", "HEAD"), "--worktree plans for the files on disk, so it goes without --to"),
        (("--cost", "--to", "HEAD"), "--cost packs the files on disk, so it goes without --to"),
        (("--data", "/"), "belongs to no git repository"),
    ],
)
def test_a_wrong_call_is_one_clear_line(run: Run, words: tuple[str, ...], message: str) -> None:
    """Exit code 1, and nothing on stdout."""
    done = run("plan", *words)

    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert message in done.err
