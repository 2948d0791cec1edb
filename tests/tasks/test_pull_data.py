"""A pull request's data: found by git alone where there is no token, and checked without leaving this machine."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.mistakes import Mistake
from tasks.folder_checks import check_folder
from tasks.git_block import GitData
from tests.tasks.git_kit import SETTINGS, write


def test_the_block_leads_to_its_code_host() -> None:
    """Its token is used there, and shown nowhere."""
    block = GitData(
        address="https://git.acme.org/acme/speech", token=SecretStr("canary"), api="https://git.acme.org/api/v3"
    )
    host: Any = block.code_host()

    assert host.calls.api == "https://git.acme.org/api/v3"
    assert host.calls.headers["Authorization"] == "Bearer canary"
    assert "canary" not in f"{block!r}{host!r}"


def test_an_address_that_is_none_is_told() -> None:
    """With what it should look like."""
    block = GitData(address="https://git.acme.org/acme/speech", api="git.acme.org")

    with pytest.raises(Mistake, match="It looks like https://"):
        block.code_host()


def test_settings_that_cannot_be_read_are_a_problem_of_the_track(tmp_path: Path) -> None:
    """Told without the folders of this machine."""
    write(tmp_path, {"taxi/track.toml": b"locale = 1\n"})

    found = check_folder(tmp_path, "taxi")

    (problem,) = found.problems
    assert problem.file == "taxi/track.toml"
    assert "locale" in problem.reason
    assert str(tmp_path) not in problem.reason
    assert found.leaks is None


def test_a_track_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """It could lead to the data of somebody else on this machine."""
    write(tmp_path, {"elsewhere/taxi/track.toml": SETTINGS, "data/bus/track.toml": SETTINGS})
    (tmp_path / "data/taxi").symlink_to(tmp_path / "elsewhere/taxi")

    (problem,) = check_folder(tmp_path / "data", "taxi").problems

    assert "taxi: this is a link" in problem.reason


def test_problems_of_testing_and_training_are_told_together(tmp_path: Path) -> None:
    """One push mends them all."""
    files = {
        "taxi/testing/trans.txt": b"a.wav\tx\n",
        "taxi/training/plain_text.txt": b"\xff\n",
        "taxi/track.toml": SETTINGS,
    }
    write(tmp_path, files)

    found = check_folder(tmp_path, "taxi")

    assert {problem.file.split("/")[1] for problem in found.problems} == {"testing", "training"}


def test_a_track_with_testing_data_alone_is_checked_for_these(tmp_path: Path) -> None:
    """A new track often starts like that."""
    write(tmp_path, {"taxi/testing/trans.txt": b"a.wav\tx\n", "taxi/track.toml": SETTINGS})

    found = check_folder(tmp_path, "taxi")

    assert {problem.file.split("/")[1] for problem in found.problems} == {"testing"}
