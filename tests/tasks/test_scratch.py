"""Temporary folders always go: at the end, after a kill, and however deep they are."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.scratch import scratch_folder


@pytest.fixture(autouse=True)
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where they are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_block(top: Path) -> None:
    """Also when the block fails."""
    with pytest.raises(KeyError), scratch_folder() as folder:  # noqa: PT012 - the block is what is tested
        assert list(folder.iterdir()) == []
        assert folder.parent.stat().st_mode & 0o077 == 0
        raise KeyError

    assert list(top.iterdir()) == []


@pytest.fixture
def removed(top: Path) -> Iterator[None]:
    """Whatever a failure leaves: pytest cannot remove what is so deep."""
    yield
    subprocess.run(["rm", "-rf", str(top)], check=True)


@pytest.mark.usefixtures("removed")
def test_a_deep_folder_goes(top: Path) -> None:
    """Deeper than Python's own clearing up can go, and than any path may be long."""
    here = Path.cwd()
    with scratch_folder() as folder:
        try:
            os.chdir(folder)
            for _ in range(3_000):
                os.mkdir("deeper")  # noqa: PTH102 - no whole path may be that long
                os.chdir("deeper")
        finally:
            os.chdir(here)

    assert list(top.iterdir()) == []


def test_the_folder_of_a_killed_process_goes_and_that_of_a_living_one_stays(top: Path) -> None:
    """The next one that makes a folder looks."""
    code = (
        "import os, signal, tempfile\n"
        f"tempfile.tempdir = {str(top)!r}\n"
        "from tasks.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'x').write_text('x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with scratch_folder() as mine:
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
        assert len(list(top.iterdir())) == 2

        with scratch_folder():
            assert len(list(top.iterdir())) == 2
            assert mine.is_dir()


def test_what_others_put_there_stays(top: Path) -> None:
    """Anybody may make things in a temporary folder."""
    (top / "elsewhere").mkdir()
    (top / "elsewhere/in-use").touch()
    (top / "speechops-link").symlink_to("elsewhere")
    (top / "speechops-other").mkdir()

    with scratch_folder():
        pass

    assert {path.name for path in top.iterdir()} == {"elsewhere", "speechops-link", "speechops-other"}
    assert (top / "elsewhere/in-use").exists()


def test_the_folder_of_a_process_that_was_killed_at_once_goes_after_an_hour(top: Path) -> None:
    """It has no lock yet. What others keep in a folder of such a name stays."""
    killed, others = top / "speechops-killed", top / "speechops-others"
    for folder, name in ((killed, "new"), (others, "report.html")):
        folder.mkdir()
        (folder / name).touch()
        os.utime(folder, (0, 0))
    (top / "speechops-young").mkdir()

    with scratch_folder():
        pass

    assert {path.name for path in top.iterdir()} == {"speechops-others", "speechops-young"}
