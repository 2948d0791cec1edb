"""The parity table says something about every operation, and each test that it names exists."""

import re

from tests.contract.client_calls import METHODS
from tests.contract.emulator_spec import PROJECT, operations, require_spec

require_spec()
TABLE = (PROJECT / "docs/parity.md").read_text(encoding="utf-8")
VERDICTS = {"as documented", "differs", "not there", "guess", "on demand", "client only"}


def rows() -> list[list[str]]:
    """The cells of each row of its tables."""
    lines = [
        line
        for line in TABLE.splitlines()
        if line.startswith("| ") and not line.startswith(("| Operation |", "| Behaviour |"))
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def tests_named() -> list[tuple[str, str]]:
    """File and name of each test in it."""
    return re.findall(r"`([\w/]+)::(test_\w+)`", TABLE)


def test_every_operation_has_a_row_with_its_path_and_method() -> None:
    """Nobody has to wonder whether something was left out."""
    found = {cells[0]: cells for cells in rows() if cells[0] in METHODS}
    for operation in operations():
        method, path = found[operation.name][1].split()
        assert method == operation.method
        assert operation.path.fullmatch(re.sub(r"{\w+}", "x", path)), path
        assert found[operation.name][2] == f"`{METHODS[operation.name]}`"
    assert len(found) == len(operations()) == 56


def test_every_row_has_a_verdict() -> None:
    """As documented, or not, in words that the page explains."""
    given = {cells[3] if cells[0] in METHODS else cells[1] for cells in rows()}
    assert given <= VERDICTS


def test_what_differs_says_how() -> None:
    """Without the reason the word helps nobody."""
    for cells in rows():
        verdict, how = (cells[3], cells[4]) if cells[0] in METHODS else (cells[1], cells[2])
        assert how or verdict in ("as documented", "client only"), cells[0]


def test_every_test_that_is_named_exists() -> None:
    """A claim is only as good as the test that shows it."""
    assert len(tests_named()) > 80
    for file, name in tests_named():
        source = (PROJECT / f"tests/{file}.py").read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


def test_every_behaviour_that_is_there_has_its_test() -> None:
    """What has none is marked as a guess or as not there."""
    for cells in rows():
        if cells[0] not in METHODS and not cells[3]:
            assert cells[1] in ("guess", "not there"), cells[0]
