"""The budget of the house style: short functions, small modules, everything typed and explained, no import cycles."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """Numbers of the code base without tests and tools."""
    command = [sys.executable, "tools/codestat.py", "--json", "--exclude", "tests", "--exclude", "tools", "."]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)[0]


@pytest.mark.parametrize(
    ("number", "most"),
    [
        ("function_median", 8),
        ("function_p95", 35),
        ("function_max", 60),
        ("module_median", 150),
        ("module_max", 400),
    ],
)
def test_code_stays_within_the_budget(measured: dict[str, Any], number: str, most: int) -> None:
    """What grows over the budget is split, or the pull request says why not."""
    assert measured[number] <= most, measured["longest_functions"]


def test_everything_public_is_typed_and_explained(measured: dict[str, Any]) -> None:
    """Full annotations, docstrings for at least nine of ten, and no import cycle, open or hidden."""
    assert measured["annotated_percent"] == 100
    assert measured["documented_percent"] >= 90
    assert measured["cycles"] == []
    assert measured["hidden_cycles"] == []
