"""The stack's folder is kept for one process, and refused when it cannot be right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.home import opened_home
from domain.mistakes import Mistake


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    """Two servers on one SQLite database would corrupt each other's runs."""
    with opened_home(tmp_path), pytest.raises(Mistake, match=r"is running .* --home"), opened_home(tmp_path):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    """Stopping and starting again is the normal day."""
    for _ in range(2):
        with opened_home(tmp_path) as home:
            assert home.folder == tmp_path


def test_a_folder_of_another_layout_is_refused(tmp_path: Path) -> None:
    """Better than to fail somewhere in the middle."""
    (tmp_path / "layout").write_text("0\n")

    with pytest.raises(Mistake, match="another version of speechops"), opened_home(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").touch()

    with pytest.raises(Mistake, match=r"cannot be used .* --home"), opened_home(tmp_path / "file"):
        pass


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds secrets and transcripts. What the stack's programs write is private too, and one that was open is shut."""
    umask = os.umask(0o022)
    try:
        (tmp_path / "old").mkdir(mode=0o755)
        for folder in (tmp_path / "old", tmp_path / "new"):
            with opened_home(folder) as home:
                home.read_prefect_auth()
                code = "import pathlib; pathlib.Path('logs').mkdir(); pathlib.Path('logs/by-a-child').touch()"
                subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
            kept = [folder, *folder.rglob("*")]
            assert len(kept) >= 6
            assert [path for path in kept if path.stat().st_mode & 0o077] == []
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(umask)


def test_a_folder_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    """`--home /tmp` must not shut /tmp; our files in it are private all the same."""
    tmp_path.chmod(0o755)
    (tmp_path / "somebodys").touch()
    for _ in range(2):
        with opened_home(tmp_path) as home:
            home.read_prefect_auth()

    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "prefect.auth").stat().st_mode & 0o077 == 0


def test_a_secret_that_was_not_written_is_made_again(tmp_path: Path) -> None:
    """Whoever made it was killed before it was written: an empty password would let everybody in."""
    with opened_home(tmp_path) as home:
        home.prefect_auth.touch()
        (tmp_path / "prefect.auth.new").write_text("speechops:ha")
        first, second = home.read_prefect_auth(), home.read_prefect_auth()

    assert first == second
    user, _, password = first.partition(":")
    assert (user, len(password)) == ("speechops", 32)
    assert home.prefect_auth.stat().st_mode & 0o077 == 0


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    """Other users of the machine cannot read it, and the blocks stay right after a restart."""
    with opened_home(tmp_path) as home:
        first, second = home.read_emulator_key(), home.read_emulator_key()

    assert first == second
    assert len(first) == 32
    assert home.emulator_key.stat().st_mode & 0o077 == 0
