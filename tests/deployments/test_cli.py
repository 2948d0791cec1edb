"""The command line as a user meets it: true help, one clear line for every mistake, no traceback."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest


def speechops(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    """A newcomer's first look."""
    shown = speechops("--help", folder=tmp_path)

    assert shown.returncode == 0
    assert all(f" {command} " in shown.stdout for command in ("up", "init", "emulator", "score", "replay"))


def test_the_version_is_the_installed_one(tmp_path: Path) -> None:
    """What a bug report quotes."""
    assert speechops("--version", folder=tmp_path).stdout == f"speechops {version('speechops')}\n"


@pytest.mark.parametrize("words", [("nonsense",), ("up", "--nonsense"), ("init",), ("up", "--prefect-port", "70000")])
def test_a_wrong_command_line_exits_with_2(words: tuple[str, ...], tmp_path: Path) -> None:
    """Scripts can tell a wrong call from a failed one."""
    failed = speechops(*words, folder=tmp_path)

    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("init", "City Taxi"), "speechops: 'City Taxi' is not a track's name"),
        (("speech-hook", "--url", "https://h/hooks/speech"), "speechops: SPEECHOPS_SPEECH_SECRET is not set"),
        (("up", "--prefect-port", "0", "--emulator-port", "0"), "speechops: there is no prefect.yaml in "),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """The message goes to stderr, and nothing else does."""
    failed = speechops(*words, folder=tmp_path)

    assert failed.returncode == 1
    assert failed.stderr.startswith(message)
    assert failed.stderr.count("\n") == 1
    assert failed.stdout == ""


def test_init_says_where_the_new_track_is(tmp_path: Path) -> None:
    """The track is made in the current folder's data/."""
    made = speechops("init", "city-taxi", folder=tmp_path)

    assert made.returncode == 0
    assert "Made data/city-taxi/" in made.stdout
    assert (tmp_path / "data/city-taxi/track.toml").is_file()


def test_options_of_the_emulator_reach_it_untouched(tmp_path: Path) -> None:
    """`speechops emulator` is the emulator: same options, help and exit code."""
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator/__init__.py").touch()
    (tmp_path / "emulator/__main__.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")

    passed = speechops("emulator", "--help", "--port", "1", "--", "-x", folder=tmp_path)

    assert passed.stdout == "['--help', '--port', '1', '--', '-x']\n"
    assert passed.returncode == 7


def test_help_of_the_emulator_says_how_it_was_called(tmp_path: Path) -> None:
    """The usage line can be copied."""
    assert "Usage: speechops emulator [OPTIONS]" in speechops("emulator", "--help", folder=tmp_path).stdout
