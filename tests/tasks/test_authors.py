"""Who changed the data, as far as git can tell: whoever did must not approve what was trained from them."""

import shutil
from pathlib import Path

import pytest

from tasks.git_block import GitData
from tasks.snapshots import git_authors, git_revision
from tests.tasks.git_kit import commit, git, repository, track, write


def repository_of_ada(folder: Path) -> Path:
    """One whose last change of the taxi track is Ada's, and whose last commit is not."""
    work = repository(folder)
    commit(work, track("taxi"))
    git(work, "commit", "--amend", "--quiet", "--no-edit", "--author", "Ada Lovelace <ada@example.org>")
    commit(work, {"README.md": b"r"})
    return work


def test_the_author_of_a_folder_is_that_of_its_last_change(tmp_path: Path) -> None:
    """Not of whatever was committed since."""
    work = repository_of_ada(tmp_path / "work")

    assert git_authors(work / "data/taxi") == ("Ada Lovelace <ada@example.org>",)


def test_nobody_knows_who_changed_what_is_not_committed(tmp_path: Path) -> None:
    """Nor what is in no repository."""
    work = repository_of_ada(tmp_path / "work")
    write(work, track("taxi", {"training/plain_text.txt": b"turn right\n"}))

    assert git_authors(work / "data/taxi") == ()
    assert git_authors(tmp_path) == ()


def test_a_hook_s_own_repository_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git names it to its hooks by the environment; revision and author are those of the folder's."""
    work = repository_of_ada(tmp_path / "work")
    commit(repository(tmp_path / "other"), {"x": b"x"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))

    assert git_authors(work / "data/taxi") == ("Ada Lovelace <ada@example.org>",)
    assert git_revision(work / "data/taxi") == git(work, "rev-parse", "--short=12", "HEAD")


def test_a_repository_among_the_data_starts_nothing(tmp_path: Path) -> None:
    """Files that look like a bare repository could name programs that git starts."""
    work = repository_of_ada(tmp_path / "work")
    shutil.copytree(work / ".git", work / "data/taxi", dirs_exist_ok=True)
    with (work / "data/taxi/config").open("a") as config:
        config.write(f"[core]\nworktree = {work}\nfsmonitor = touch {tmp_path}/canary\n")

    git_revision(work / "data/taxi")

    assert not (tmp_path / "canary").exists()


async def test_a_git_source_tells_the_author_of_the_commit(tmp_path: Path) -> None:
    """Only that commit is fetched, so only its author is known."""
    work = repository_of_ada(tmp_path / "work")
    source = GitData(address=str(work)).source("maps")

    async with source.opened(git(work, "rev-parse", "HEAD~1"), "taxi") as opened:
        assert opened.authors == ("Ada Lovelace <ada@example.org>",)
