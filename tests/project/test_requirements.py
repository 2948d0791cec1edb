"""requirements.lock pins what pyproject.toml asks for, with hashes and without download addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = {
    canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}
ASKED = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_is_pinned(asked: str) -> None:
    """Whoever edits pyproject.toml runs `make lock` too."""
    requirement = Requirement(asked)

    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_every_pin_has_hashes_and_none_an_address() -> None:
    """A changed package is noticed, and any mirror will do."""
    blocks = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]

    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in LOCK


def test_the_blocks_are_found_by_prefect() -> None:
    """The entry point names a module that is there; Prefect only warns when it is not."""
    (module,) = PROJECT["entry-points"]["prefect.collections"].values()

    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
