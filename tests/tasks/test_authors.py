"""Who changed the data, as far as git can tell: whoever did must not approve what was trained from them."""

from pathlib import Path

from tasks.git_block import GitData
from tasks.snapshots import git_authors
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


async def test_a_git_source_tells_the_author_of_the_commit(tmp_path: Path) -> None:
    """Only that commit is fetched, so only its author is known."""
    work = repository_of_ada(tmp_path / "work")
    source = GitData(address=str(work)).source("maps")

    async with source.opened(git(work, "rev-parse", "HEAD~1"), "taxi") as opened:
        assert opened.authors == ("Ada Lovelace <ada@example.org>",)
