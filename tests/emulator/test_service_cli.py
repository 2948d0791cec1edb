"""The command: how it starts, and why it does not."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import ValidationError

from emulator.cli import serve
from emulator.settings import WELL_KNOWN_KEY, Settings
from tests.emulator.service_kit import running


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emulator", "--port", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_a_port_in_use_is_said_with_what_to_do(tmp_path: Path) -> None:
    """One line; the option that helps is named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        message = one_line(run("--data", str(tmp_path), "--port", port))

    assert f"127.0.0.1:{port}" in message
    assert "--port" in message


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Here a file stands in its way."""
    (tmp_path / "file").write_text("")
    message = one_line(run("--data", str(tmp_path / "file" / "data")))

    assert "cannot be written" in message
    assert "--data" in message


def test_a_database_of_something_else_is_said(tmp_path: Path) -> None:
    """Not a traceback of SQLite."""
    (tmp_path / "emulator.sqlite3").write_bytes(b"no database" * 1000)

    assert "cannot be used" in one_line(run("--data", str(tmp_path)))


async def test_one_folder_has_one_emulator(tmp_path: Path) -> None:
    """Two would do every job twice."""
    async with running(tmp_path, workers=0):
        message = one_line(run("--data", str(tmp_path)))

    assert "another emulator uses the data folder" in message


async def test_it_says_where_it_is_and_keeps_the_key_to_itself(tmp_path: Path) -> None:
    """The first line is the address."""
    async with running(tmp_path, workers=0) as (emulator, speech):
        await speech.base_model()
        output = emulator.stop()

    assert f"Speech emulator on {emulator.url}" in output
    assert "a-key-for-tests" not in output
    assert "key is" not in output


@pytest.mark.parametrize(
    ("host", "key", "exposed"),
    [
        ("127.0.0.1", WELL_KNOWN_KEY, False),
        ("::1", WELL_KNOWN_KEY, False),
        ("0.0.0.0", WELL_KNOWN_KEY, True),  # noqa: S104
        ("speech.example", WELL_KNOWN_KEY, True),
        ("0.0.0.0", "my own", False),  # noqa: S104
    ],
)
def test_the_well_known_key_on_an_open_address_is_noticed(host: str, key: str, exposed: bool) -> None:
    """The command warns then."""
    assert Settings(host=host, key=key).is_exposed is exposed


def test_the_key_is_not_in_the_settings_text() -> None:
    """For whoever logs them."""
    assert "canary" not in repr(Settings(key="canary"))


def test_an_empty_key_is_refused() -> None:
    """Nobody could send it."""
    refused = run("--key", "")

    assert refused.returncode == 2
    assert "a key has at least one character" in " ".join(refused.stderr.replace("│", " ").split())
    assert "Traceback" not in refused.stderr


def test_the_settings_refuse_an_empty_key_too() -> None:
    """Those who start the emulator from Python."""
    with pytest.raises(ValidationError, match="at least 1"):
        Settings(key="")


def test_help_says_how_it_was_called() -> None:
    """The usage line can be copied."""
    assert "Usage: python -m emulator [OPTIONS]" in run("--help").stdout


def test_every_option_can_be_given_in_the_environment() -> None:
    """Under its own name, which the help tells."""
    app = typer.Typer(add_completion=False)
    app.command()(serve)
    command = typer.main.get_command(app)
    options = [option for option in command.params if not option.hidden]

    assert {"speed", "tier", "quota", "entra_token"} <= {option.name for option in options}
    for option in options:
        assert str(option.envvar).removesuffix("S") == f"SPEECH_EMULATOR_{option.name.upper()}".removesuffix("S")
