"""What the watch holds its findings against: a release that came meanwhile makes them worthless."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.ledger import News, Pending, Release
from domain.ruling import Ruling
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tasks.watch_records import Record, has_moved_on

NEWS = News(kind="release", flow_run="", revision="")


def release(number: int) -> Release:
    """A release."""
    return Release(
        number=number,
        model=f"models/{number}",
        model_name="m",
        recipe="r",
        endpoint="endpoints/1",
        evidence="e",
        revision="",
        released_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


@pytest.fixture
async def ledger(tmp_path: Path) -> Ledger:
    """A track with a release."""
    ledger = Ledger(LocalFolder(tmp_path), "taxi")
    await ledger.append(NEWS, lambda _: {"release": release(1)})
    return ledger


async def seen(ledger: Ledger) -> Record:
    """What a watch read at its beginning."""
    state = await ledger.state()
    return Record.model_construct(state=state, release=state.release, ruling=Ruling.model_construct())


async def test_nothing_happened_meanwhile(tmp_path: Path, ledger: Ledger) -> None:
    """Then what was seen of the endpoint counts; a measurement does not change it."""
    record = await seen(ledger)
    await ledger.append(News(kind="testing-update", flow_run="", revision=""))

    assert not await has_moved_on(LocalFolder(tmp_path), record)


@pytest.mark.parametrize(
    "change", [{"release": release(2)}, {"pending": Pending(model_name="m", evidence="e")}], ids=["done", "under way"]
)
async def test_a_release_meanwhile_is_no_finding(tmp_path: Path, ledger: Ledger, change: dict[str, object]) -> None:
    """The endpoint has another model then, and that is as it should be."""
    record = await seen(ledger)
    await ledger.append(NEWS, lambda _: change)

    assert await has_moved_on(LocalFolder(tmp_path), record)
