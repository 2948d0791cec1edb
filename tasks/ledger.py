"""The ledger of a track in the store: read its head, append to it, exactly once whatever gets lost on the way."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from domain.ledger import Entry, News, State
from domain.mistakes import Mistake
from tasks.acting import refuse_foreign
from tasks.reached import LostHistory, Reached, accept_by, raise_reached, reached_key, read_reached, reset_reached
from tasks.store import ABSENT, Store, may_pass
from tasks.store_errors import StoreUnavailable

Change = Callable[[State], Mapping[str, Any]]
Sleep = Callable[[float], Awaitable[None]]

_MOST_TRIES = 30
"""Of one append, while others keep changing the head."""

_MOST_FAILURES = 5
"""Of the store, within one append. What a person has to mend, such as a full disk, fails at once."""

_AT_ONCE = 32
"""Entries that are read side by side."""


class _Enough:
    """When to end the tries of one append."""

    def __init__(self) -> None:
        self._failures = 0

    def __call__(self, tries: RetryCallState) -> bool:
        if tries.outcome and isinstance(tries.outcome.exception(), StoreUnavailable):
            self._failures += 1
        return self._failures >= _MOST_FAILURES or tries.attempt_number >= _MOST_TRIES


class Ledger:
    """One track's head and history.

    The head changes by compare-and-swap. Each append has a token of its own, so that a writer whose answer was lost
    finds its own entry when it looks again, and does not write it twice.
    """

    def __init__(self, store: Store, track: str, *, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._track = track
        self._sleep = sleep
        self._folder = f"tracks/{track}"

    async def state(self) -> State:
        """The head as it is now; a new track has an empty one.

        Raises:
            LostHistory: the history had reached further.
        """
        return (await self._head())[0]

    async def history(self) -> list[Entry]:
        """All entries, oldest first.

        Raises:
            Mistake: one is not there, or cannot be read.
        """
        state = await self.state()
        entries = await self.entries(state)
        if gap := next((number for number, one in enumerate(entries, 1) if one.number != number), None):
            raise self._changed(gap)
        return entries

    async def entries(self, state: State) -> list[Entry]:
        """The entries up to a head that are there, oldest first."""
        count = state.last.number if state.last else 0
        turn = asyncio.Semaphore(_AT_ONCE)

        async def entry(number: int) -> Entry | None:
            async with turn:
                return await self._entry(number)

        earlier = await asyncio.gather(*map(entry, range(1, count)))
        return [entry for entry in (*earlier, state.last) if entry]

    async def append(self, news: News, change: Change = lambda _: {}) -> State:
        """Add one entry, and with it change the head.

        Args:
            news: what happened.
            change: the changes to the head, worked out from the head that they apply to; called again after a conflict.

        Raises:
            Conflict: others kept changing the head.
            StoreTrouble: the store cannot be written, or keeps failing.
            Mistake: the history is not what the head says, or the run does not act on this track.
        """
        refuse_foreign(self._track)
        return await self._append(news, change, writer=uuid4().hex)

    async def _append(self, news: News, change: Change, writer: str) -> State:
        attempted: int | None = None
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(may_pass),
            stop=_Enough(),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                state, etag = await self._head()
                await self._settle(state)
                if attempted is not None and await self._is_ours(attempted, state, writer):
                    return state
                new = state.appended(news, writer, datetime.now(UTC), change(state))
                attempted = new.last.number if new.last else None
                await self._store.write(self._state_key, new.model_dump_json(indent=2).encode(), if_match=etag)
                await self._settle(new)
                return new
        raise AssertionError("unreachable: the last attempt raises")

    @property
    def _state_key(self) -> str:
        return f"{self._folder}/state.json"

    async def begin_anew(self, news: News) -> State:
        """Go on although entries are lost: the first new entry tells what is missing. What lies beyond the head is set aside.

        Args:
            news: who wants it, and why.
        """
        state, etag = await self._read_head()
        had, left = await read_reached(self._store, self._track), await self._beyond(state)
        facts = {"ended_with": Reached.by(state).number, "had_reached": max([had.number, *left])}
        for number in left:
            await self._set_aside(number)
        await self._settle(state)
        told = news.model_copy(update={"facts": {**news.facts, **facts}})
        new = state.appended(told, uuid4().hex, datetime.now(UTC), {})
        await self._store.write(self._state_key, new.model_dump_json(indent=2).encode(), if_match=etag)
        await reset_reached(self._store, new)
        await self._settle(new)
        return new

    async def _beyond(self, state: State) -> list[int]:
        """The numbers of entries that lie after the head's last."""
        names = [
            key.rpartition("/")[2].removesuffix(".json") for key in await self._store.keys(f"{self._folder}/ledger/")
        ]
        return sorted(int(name) for name in names if name.isdigit() and int(name) > Reached.by(state).number)

    async def _set_aside(self, number: int) -> None:
        stored = await self._store.read(self._entry_key(number))
        if stored:
            name = f"{number:06}-{hashlib.sha256(stored.data).hexdigest()[:12]}.json"
            await self._store.write(f"{self._folder}/set-aside/{name}", stored.data)
            await self._store.delete(self._entry_key(number))

    async def _head(self) -> tuple[State, str]:
        """The head, which is at least what was noted before it was read."""
        reached = await read_reached(self._store, self._track)
        state, etag = await self._read_head()
        if reached.is_lost_in(state):
            raise self._lost(state, f"{reached_key(self._track)} says that it had reached entry {reached.number}")
        if etag == ABSENT and await self._store.exists(self._entry_key(1)):
            state, etag = await self._read_head()  # unless somebody has just begun it
            if etag == ABSENT:
                raise self._lost(state, f"{self._entry_key(1)} is there")
        return state, etag

    def _lost(self, state: State, proof: str) -> LostHistory:
        ends = f"ends with entry {state.last.number}" if state.last else f"is empty ({self._state_key} is not there)"
        return LostHistory(
            f"the history of track '{self._track}' in the store {self._store} {ends}, but {proof}: entries are lost. Bring "
            f"tracks/{self._track}/ back from a backup. To go on without them on purpose: {accept_by(self._track)}."
        )

    async def _read_head(self) -> tuple[State, str]:
        stored = await self._store.read(self._state_key)
        if stored is None:
            return State(track=self._track), ABSENT
        try:
            return State.model_validate_json(stored.data), stored.etag
        except ValidationError:
            raise Mistake(
                f"the head of track '{self._track}' ({self._state_key} in the store {self._store}) cannot be read: it is "
                "damaged, or another version of speechops wrote it. Bring it back from a backup, or use that version."
            ) from None

    async def _entry(self, number: int) -> Entry | None:
        stored = await self._store.read(self._entry_key(number))
        try:
            return Entry.model_validate_json(stored.data) if stored else None
        except ValidationError:
            raise self._changed(number) from None

    def _entry_key(self, number: int) -> str:
        return f"{self._folder}/ledger/{number:06}.json"

    async def _settle(self, state: State) -> None:
        """Write the head's last entry to the history, in case a crash came between; one that is there must be the same.

        Then note how far the history has reached.
        """
        if state.last is None:
            return
        number = state.last.number
        held = await self._entry(number)
        if held is None:
            await self._store.write(self._entry_key(number), state.last.model_dump_json(indent=2).encode())
        elif held.digest != state.last.digest:
            raise self._changed(number)
        await raise_reached(self._store, state)

    def _changed(self, number: int) -> Mistake:
        return Mistake(
            f"the history of track '{self._track}' has been changed: {self._entry_key(number)} in the store {self._store} "
            "is not the entry that was written. Bring the file back from a backup."
        )

    async def _is_ours(self, number: int, state: State, writer: str) -> bool:
        entry = state.last if state.last and state.last.number == number else await self._entry(number)
        return entry is not None and entry.writer == writer
