"""What real git repositories tell, and what their pushes start."""

import os
import unicodedata
from pathlib import Path

import pytest

from domain.changes import Change
from domain.mistakes import Mistake
from domain.plan import Plan
from tasks.changes import plan_range, plan_worktree
from tasks.repository import open_repository
from tests.tasks.git_kit import SETTINGS, ZEROS, commit, git, many_commits, repository, track, write

BOTH = [("taxi", "testing-update"), ("taxi", "training-update")]
TESTING, TRAINING = [BOTH[0]], [BOTH[1]]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit: the track taxi."""
    folder = repository(tmp_path / "work")
    commit(folder, track("taxi"))
    return folder


def head(folder: Path) -> str:
    """The commit that is checked out."""
    return git(folder, "rev-parse", "HEAD")


def runs(plan: Plan) -> list[tuple[str, str]]:
    """Track and flow of each run, in order."""
    return [(run.track, run.flow.value) for run in plan.runs]


def pushed(folder: Path, before: str, after: str) -> Plan:
    """What a push from one commit to another starts."""
    return plan_range(open_repository(folder), before, after)


def changed_paths(folder: Path, before: str, after: str, data: str = "") -> tuple[Change, ...]:
    """What differs between two commits."""
    opened = open_repository(folder)
    return opened.changes(opened.commit(before), opened.commit(after), data)


def test_added_changed_deleted_and_renamed_files_are_told(work: Path) -> None:
    """With what they held before and hold now; a rename is a path that went and one that came."""
    before = commit(work, {"b": b"b", "c": b"c"})
    after = commit(work, {"a": b"a", "b": b"other", "c": None, "d": b"c"})
    found = {change.path: change for change in changed_paths(work, before, after)}

    assert sorted(found) == ["a", "b", "c", "d"]
    assert (found["a"].before, found["c"].after) == ("", "")
    assert found["c"].before == found["d"].after
    assert found["b"].before != found["b"].after


def test_odd_names_arrive_whole(work: Path) -> None:
    """Tabs, line ends, quotes, umlauts in both forms, and bytes that are no UTF-8."""
    forms = [unicodedata.normalize(form, "küste") for form in ("NFC", "NFD")]
    names = [
        "tab\there",
        "line\nend",
        'quo"te',
        "back\\slash",
        " space ",
        *forms,
        os.fsdecode(b"latin-\xfc"),
        ":(glob)*",
        "-x",
    ]
    before = head(work)
    after = commit(work, {f"data/taxi/testing/{name}": b"x" for name in names})

    assert {change.path for change in changed_paths(work, before, after)} == {
        f"data/taxi/testing/{name}" for name in names
    }
    plan = pushed(work, before, after)
    assert runs(plan) == TESTING
    assert plan.model_dump_json()  # a lone surrogate would not be JSON


def test_a_file_mode_is_no_change_but_a_link_is(work: Path) -> None:
    """`chmod +x` trains nothing; a link with the same bytes is another file."""
    before = head(work)
    (work / "data/taxi/testing/a.wav").chmod(0o755)
    executable = commit(work, {})
    (work / "data/taxi/testing/a.wav").unlink()
    (work / "data/taxi/testing/a.wav").symlink_to("a")

    assert changed_paths(work, before, executable) == ()
    assert [change.path for change in changed_paths(work, executable, commit(work, {}))] == ["data/taxi/testing/a.wav"]


def test_only_the_folder_that_is_asked_for_is_compared(work: Path) -> None:
    """A folder's name is no pattern, and no beginning of one."""
    before = head(work)
    after = commit(work, {"data/x": b"x", "database/x": b"x", "src/x": b"x", "data*": b"x"})

    assert [change.path for change in changed_paths(work, before, after, "data")] == ["data/x"]
    assert changed_paths(work, before, after, "dat*") == ()


def test_a_pointer_of_git_lfs_counts_by_what_it_points_to(work: Path) -> None:
    """A clone without the recordings plans the same."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 1\n"
    before = commit(work, track("taxi", {"testing/big.wav": pointer % (b"1" * 64)}))
    after = commit(work, track("taxi", {"testing/big.wav": pointer % (b"2" * 64)}))

    assert runs(pushed(work, before, after)) == TESTING


def test_a_push_of_both_kinds_of_data_runs_testing_then_training(work: Path) -> None:
    """On one revision, the one that was pushed."""
    before = head(work)
    middle = commit(work, track("taxi", {"training/plain_text.txt": b"more\n"}))
    after = commit(work, track("taxi", {"testing/b.wav": b"b"}))
    plan = pushed(work, before, after)

    assert runs(plan) == BOTH
    assert {run.revision for run in plan.runs} == {after[:12]}
    assert runs(pushed(work, middle, after)) == TESTING


def test_what_was_taken_back_within_a_push_runs_nothing(work: Path) -> None:
    """The two ends decide, not what happened between them."""
    before = head(work)
    commit(work, track("taxi", {"testing/a.wav": b"other"}))

    assert runs(pushed(work, before, commit(work, track("taxi", {"testing/a.wav": b"a"})))) == []


def test_a_push_of_3000_commits_is_seen_whole(work: Path) -> None:
    """GitHub's list ends after 2,048 commits."""
    before = head(work)
    paths = [f"src/{number % 100}" for number in range(3000)]
    paths[5] = "data/taxi/testing/early.wav"
    after = many_commits(work, paths)

    assert git(work, "rev-list", "--count", f"{before}..{after}") == "3000"
    assert runs(pushed(work, before, after)) == TESTING


def test_a_forced_push_compares_the_two_trees(work: Path) -> None:
    """What the discarded commit had brought is gone, and has to be measured without."""
    start = head(work)
    discarded = commit(work, track("taxi", {"testing/b.wav": b"b"}))
    git(work, "reset", "--quiet", "--hard", start)
    after = commit(work, track("taxi", {"training/plain_text.txt": b"more\n"}))

    assert runs(pushed(work, discarded, after)) == BOTH


def test_a_new_default_branch_is_all_new(work: Path) -> None:
    """The first push to an empty server."""
    assert runs(pushed(work, ZEROS, head(work))) == BOTH


def test_settings_are_compared_by_their_content(work: Path) -> None:
    """A comment asks no new question; another gate does."""
    before = head(work)
    commented = commit(work, track("taxi", {"track.toml": b"# about taxis\n" + SETTINGS}))
    stricter = commit(work, track("taxi", {"track.toml": SETTINGS + b"[gate]\ntarget_wer_percent = 5\n"}))
    broken = commit(work, track("taxi", {"track.toml": b"nonsense"}))

    assert runs(pushed(work, before, commented)) == []
    assert [str(run.reasons[0]) for run in pushed(work, commented, stricter).runs] == ["track.toml: gate"]
    assert runs(pushed(work, stricter, broken)) == BOTH


def test_a_deleted_and_a_renamed_track_are_told(work: Path) -> None:
    """What is gone cannot run."""
    before = head(work)
    git(work, "mv", "data/taxi", "data/cab")
    renamed = commit(work, {})
    git(work, "rm", "--quiet", "-r", "data/cab")
    deleted = commit(work, {})

    assert [run.track for run in pushed(work, before, renamed).runs] == ["cab", "cab"]
    assert "now called cab" in pushed(work, before, renamed).notes[0]
    assert runs(pushed(work, renamed, deleted)) == []
    assert "the track is gone" in pushed(work, renamed, deleted).notes[0]


def test_a_bare_repository_plans_the_same(work: Path, tmp_path: Path) -> None:
    """A git server's own hook has nothing else."""
    before = head(work)
    after = commit(
        work, track("taxi", {"testing/b.wav": b"b", "track.toml": SETTINGS + b"[model]\nweight_percent = 9\n"})
    )
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "bare.git")

    assert pushed(tmp_path / "bare.git", before, after) == pushed(work, before, after)
    assert runs(pushed(tmp_path / "bare.git", before, after)) == BOTH


def test_a_hook_of_git_does_not_lead_elsewhere(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git tells its hooks where they run by the environment; another repository is meant here."""
    before = head(work)
    after = commit(work, track("taxi", {"testing/b.wav": b"b"}))
    monkeypatch.setenv("GIT_DIR", str(repository(tmp_path / "other") / ".git"))

    assert runs(pushed(work, before, after)) == TESTING


def test_a_shallow_clone_that_lacks_a_commit_says_how_to_get_it(work: Path, tmp_path: Path) -> None:
    """One `git fetch`, which the message holds; then it plans as any other."""
    before = head(work)
    after = commit(work, track("taxi", {"testing/b.wav": b"b"}))
    git(tmp_path, "clone", "--quiet", "--depth=1", work.as_uri(), "shallow")
    shallow = tmp_path / "shallow"

    with pytest.raises(
        Mistake, match=f"has no commit '{before}'. It is a shallow clone: run `git fetch --depth=1 origin {before}`"
    ):
        pushed(shallow, before, after)
    with pytest.raises(Mistake, match="It is a shallow clone"):
        open_repository(shallow).parent(after)
    git(shallow, "fetch", "--quiet", "--depth=1", "origin", before)
    assert runs(pushed(shallow, before, after)) == TESTING


def test_repositories_with_sha256_work(tmp_path: Path) -> None:
    """Git's newer kind; its zeros are longer."""
    folder = repository(tmp_path / "work", "--object-format=sha256")
    after = commit(folder, track("taxi"))

    assert runs(pushed(folder, "0" * 64, after)) == BOTH


@pytest.mark.parametrize(
    "ref",
    ["--output=/tmp/x", "-1", "main..topic", "HEAD:file", "a b", "a\nb", "", "main;ls", "$(ls)", "x" * 300, ":/m"],
)
def test_a_word_that_cannot_be_a_commit_never_reaches_git(work: Path, ref: str) -> None:
    """No option and no expression can be smuggled in by a payload."""
    with pytest.raises(Mistake, match="is not the name of a commit"):
        changed_paths(work, ref, "HEAD")


@pytest.mark.parametrize("ref", ["nonsense", "f" * 40, "HEAD~5"])
def test_an_unknown_commit_is_a_clear_mistake(work: Path, ref: str) -> None:
    """With what to do about it."""
    with pytest.raises(Mistake, match=f"has no commit '{ref}'. Run `git fetch`, or correct the name"):
        changed_paths(work, "HEAD", ref)


def test_no_repository_and_no_git_are_clear_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback of a subprocess."""
    with pytest.raises(Mistake, match="belongs to no git repository"):
        changed_paths(tmp_path, "HEAD", "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Mistake, match="this needs git"):
        changed_paths(tmp_path, "HEAD", "HEAD")


def test_files_on_disk_are_planned_before_they_are_committed(work: Path) -> None:
    """Changed, new, and removed ones; what git ignores or only touched is no change."""
    write(work, {".gitignore": b"*.tmp\n"} | track("taxi", {"testing/x.tmp": b"x"}))
    repo = open_repository(work)
    os.utime(work / "data/taxi/testing/a.wav", (1, 1))
    assert runs(plan_worktree(repo, "HEAD")) == []
    assert plan_worktree(repo, ZEROS).revision == head(work)[:12]

    write(work, track("taxi", {"testing/a.wav": b"b"}) | track("bus"))
    plan = plan_worktree(repo, "HEAD")
    assert runs(plan) == [("bus", "testing-update"), ("bus", "training-update"), *TESTING]
    assert plan.revision == f"{head(work)[:12]}+changes"

    write(work, track("taxi", {"testing/a.wav": None}))
    assert "taxi: no testing-update, for there are no testing data" in plan_worktree(repo, "HEAD").notes


def test_a_file_renamed_on_disk_is_one_that_went_and_one_that_came(work: Path) -> None:
    """Whatever git itself would call it."""
    git(work, "mv", "data/taxi/testing/a.wav", "data/taxi/training/a.zip")
    changes = open_repository(work).worktree_changes(head(work), "data")

    assert [(change.path, bool(change.after)) for change in changes] == [
        ("data/taxi/testing/a.wav", False),
        ("data/taxi/training/a.zip", True),
    ]


def test_settings_on_disk_are_compared_by_their_content(work: Path, tmp_path: Path) -> None:
    """And are not read through a link that leads elsewhere."""
    repo = open_repository(work)
    write(work, track("taxi", {"track.toml": SETTINGS + b"# a comment\n"}))
    assert runs(plan_worktree(repo, "HEAD")) == []

    write(work, track("taxi", {"track.toml": SETTINGS + b"[gate]\ntarget_wer_percent = 5\n"}))
    assert runs(plan_worktree(repo, "HEAD")) == TRAINING

    write(tmp_path, {"elsewhere": SETTINGS})
    (work / "data/taxi/track.toml").unlink()
    (work / "data/taxi/track.toml").symlink_to(tmp_path / "elsewhere")
    assert runs(plan_worktree(repo, "HEAD")) == BOTH


def test_a_bare_repository_has_no_files_on_disk(work: Path, tmp_path: Path) -> None:
    """A clear word instead of git's."""
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "bare.git")

    with pytest.raises(Mistake, match=r"bare repository: it has no files on disk. Leave out --worktree"):
        plan_worktree(open_repository(tmp_path / "bare.git"), "HEAD")


def test_the_repository_is_only_read(work: Path) -> None:
    """Only git's note of file times in the index is brought up to date, as by any `git status`."""

    def kept() -> dict[Path, bytes]:
        files = (path for path in work.rglob("*") if path.is_file() and path.name != "index")
        return {path: path.read_bytes() for path in files}

    before, repo = kept(), open_repository(work)
    os.utime(work / "data/taxi/testing/a.wav", (1, 1))
    plan_worktree(repo, ZEROS)
    plan_range(repo, ZEROS, "HEAD")

    assert kept() == before


def test_the_first_commit_has_no_parent(work: Path) -> None:
    """Everything in it is new."""
    repo = open_repository(work / "data")
    first = repo.commit("HEAD")

    assert repo.parent(first) == ZEROS
    assert repo.parent(commit(work, {"x": b"x"})) == first
    assert all(change.before == "" for change in repo.changes(ZEROS, first, ""))
    assert Change("data/taxi/track.toml", "", git(work, "rev-parse", "HEAD:data/taxi/track.toml")) in repo.changes(
        ZEROS, first, ""
    )
