"""What is kept open for an event loop is shared in it, and closed with it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from tasks.per_loop import PerLoop


class Door:
    """Notes who opens and closes it; it may jam."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.jams = False

    @asynccontextmanager
    async def opened(self, name: str) -> AsyncIterator[str]:
        if self.jams:
            raise OSError("jammed")
        self.noted.append(f"opens {name}")
        try:
            yield f"{name}!"
        finally:
            await asyncio.sleep(0)
            self.noted.append(f"closes {name}")


@contextmanager
def loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that nobody ends properly."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_all_users_of_a_loop_share_one_and_its_end_closes_it() -> None:
    """Nobody has to close anything."""
    kept = PerLoop((door := Door()).opened)

    async def use() -> None:
        assert await asyncio.gather(kept.get("a"), kept.get("a"), kept.get("b")) == ["a!", "a!", "b!"]
        assert await kept.get("a") == "a!"

    asyncio.run(use())
    assert sorted(door.noted) == ["closes a", "closes b", "opens a", "opens b"]

    asyncio.run(use())
    assert len(door.noted) == 8


async def test_what_hinders_the_opening_is_told_and_tried_again() -> None:
    """A wrong setting is an error now, not for ever."""
    kept = PerLoop((door := Door()).opened)
    door.jams = True
    results = await asyncio.gather(kept.get("a"), kept.get("a"), return_exceptions=True)
    assert [str(result) for result in results] == ["jammed", "jammed"]

    door.jams = False
    assert await kept.get("a") == "a!"


async def test_a_user_who_gives_up_leaves_it_open_for_others() -> None:
    """A cancelled task takes nothing away."""
    kept = PerLoop((door := Door()).opened)
    impatient = asyncio.create_task(kept.get("a"))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await kept.get("a") == "a!"
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert door.noted == ["opens a"]


def test_the_end_of_the_process_closes_what_other_threads_left_open() -> None:
    """Prefect runs some code in a loop that is never closed."""
    kept = PerLoop((door := Door()).opened)
    with loop_in_a_thread() as loop:
        asyncio.run_coroutine_threadsafe(kept.get("a"), loop).result()

        kept.close()

    assert door.noted == ["opens a", "closes a"]
