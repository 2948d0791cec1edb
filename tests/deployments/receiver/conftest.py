"""A receiver per test, with every hook open, and a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployments.receiver.hook_kit import VARIABLES, FakeClock, Receiver, receiving


@pytest.fixture(autouse=True)
def _no_secrets_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*VARIABLES, "SPEECHOPS_DATA"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def clock() -> FakeClock:
    """The receiver's time."""
    return FakeClock()


@pytest.fixture
def receiver(tmp_path: Path, clock: FakeClock) -> Iterator[Receiver]:
    """A receiver with an empty outbox."""
    with receiving(tmp_path, clock) as opened:
        yield opened
