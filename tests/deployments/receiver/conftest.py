"""A receiver per test, with every hook open, and a clock that stands still."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deployments.receiver.postgres_outbox import PostgresOutbox
from tests.deployments.receiver.hook_kit import VARIABLES, FakeClock, Receiver, receiving
from tests.deployments.receiver.postgres_kit import postgres, why_not


@pytest.fixture(autouse=True)
def _no_secrets_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    others = ("DATA", "OUTBOX_URL", "EVENTGRID_TENANT", "EVENTGRID_AUDIENCE")
    for variable in (*VARIABLES, *(f"SPEECHOPS_{name}" for name in others)):
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


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database."""
    if reason := why_not():
        pytest.skip(reason)
    with postgres() as url:
        yield url


@pytest.fixture
def in_postgres(database: str, clock: FakeClock) -> Iterator[PostgresOutbox]:
    """An empty one in PostgreSQL."""
    with closing(PostgresOutbox(database, clock)) as outbox:
        outbox._rows("TRUNCATE deliveries, keys", ())
        yield outbox
