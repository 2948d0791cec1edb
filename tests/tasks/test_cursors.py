"""How far a source is worked off survives crashes, lost answers and several writers."""

import asyncio
from pathlib import Path

import pytest

from domain.mistakes import Mistake
from tasks.cursors import Cursor, Cursors
from tasks.store import LocalFolder
from tasks.store_errors import StoreUnavailable, StoreUnusable


class LosesAnswers(LocalFolder):
    """A store of which every other conditional write takes effect, but its answer gets lost."""

    writes = 0

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        etag = await super().write(key, data, if_match=if_match)
        self.writes += 1
        if self.writes % 2:
            raise StoreUnavailable("reset by peer")
        return etag


class IsFull(LocalFolder):
    """A store that cannot be written to."""

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        raise StoreUnusable(f"{key}: No space left on device")


async def no_sleep(seconds: float) -> None:
    """Time passes at once."""


def cursors(store: LocalFolder, ref: str = "") -> Cursors:
    """The cursor of a source called maps."""
    return Cursors(store, "maps", ref, sleep=no_sleep)


async def test_a_revision_is_aimed_at_and_then_settled(tmp_path: Path) -> None:
    """What is to be started is noted before, and that it is started after."""
    maps = cursors(LocalFolder(tmp_path))

    aimed = await maps.aim("a")
    assert (aimed.revision, aimed.aim, aimed.generation) == ("", "a", 0)

    settled = await maps.settle(aimed)
    assert (settled.revision, settled.aim, settled.generation) == ("a", "", 1)
    assert await maps.read() == settled


async def test_the_same_revision_is_no_aim(tmp_path: Path) -> None:
    """Nothing to do, nothing written."""
    maps = cursors(LocalFolder(tmp_path))
    await maps.settle(await maps.aim("a"))

    assert (await maps.aim("a")).aim == ""


async def test_what_was_begun_comes_first(tmp_path: Path) -> None:
    """A crash, then another push: the runs of the first push are not forgotten."""
    maps = cursors(LocalFolder(tmp_path))
    await maps.aim("a")

    assert (await maps.aim("b")).aim == "a"


async def test_a_lost_answer_counts_once(tmp_path: Path) -> None:
    """The write took effect; whoever looks again finds it done."""
    maps = cursors(LosesAnswers(tmp_path))

    settled = await maps.settle(await maps.aim("a"))

    assert settled == Cursor(source="maps", ref="", revision="a", generation=1)


async def test_a_late_settle_changes_nothing(tmp_path: Path) -> None:
    """Another run has settled it, and is further on."""
    maps = cursors(LocalFolder(tmp_path))
    late = await maps.aim("a")
    await maps.settle(late)
    ahead = await maps.aim("b")

    assert await maps.settle(late) == ahead


async def test_many_at_once_agree_on_every_step(tmp_path: Path) -> None:
    """Each generation leads from one revision to one other, whoever works it off."""
    seen: set[tuple[int, str, str]] = set()

    async def work(newest: str) -> None:
        maps, aim = cursors(LocalFolder(tmp_path)), ""
        while aim != newest:
            aimed = await maps.aim(newest)
            seen.add((aimed.generation, aimed.revision, aimed.aim))
            await maps.settle(aimed)
            aim = aimed.aim

    await asyncio.gather(*(work(f"revision {number}") for number in range(3)))

    steps = sorted(step for step in seen if step[2])
    assert [generation for generation, _, _ in steps] == list(range(len(steps)))
    assert [after for _, _, after in steps[:-1]] == [before for _, before, _ in steps[1:]]


async def test_an_aim_that_is_lost_lets_everything_be_looked_at(tmp_path: Path) -> None:
    """Nobody knows what was started for it."""
    maps = cursors(LocalFolder(tmp_path))
    await maps.settle(await maps.aim("a"))

    forgotten = await maps.forget(await maps.aim("gone"))

    assert (forgotten.revision, forgotten.aim, forgotten.generation) == ("", "", 2)


async def test_every_ref_has_its_own(tmp_path: Path) -> None:
    """And its name can hold anything that git allows."""
    store = LocalFolder(tmp_path)
    await cursors(store, "refs/heads/a/../../b").aim("a")
    await cursors(store).aim("b")

    assert (await cursors(store, "refs/heads/a/../../b").read()).aim == "a"
    assert all(key.startswith("sources/maps/") for key in await store.keys(""))
    assert len(await store.keys("")) == 2


async def test_a_store_that_stays_broken_is_told(tmp_path: Path) -> None:
    """Which source, where, and why."""
    with pytest.raises(Mistake, match=r"sources/maps/.*No space left on device"):
        await cursors(IsFull(tmp_path)).aim("a")


async def test_a_damaged_cursor_is_told_with_its_file(tmp_path: Path) -> None:
    """With what happens when it is deleted."""
    store = LocalFolder(tmp_path)
    await store.write("sources/maps/followed.json", b"{")

    with pytest.raises(Mistake, match=r"sources/maps/followed\.json .* delete it"):
        await cursors(store).read()
