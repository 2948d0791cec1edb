"""How far a data source is worked off: one small file for each source and ref, changed by compare-and-swap.

A change is worked off in two steps. `aim` notes the revision that is next, before anything is started for it; `settle`
notes that everything is started. Whoever comes in between, after a crash or at the same time, finds the aim and works
towards it too. From, to and generation are all that the keys of runs are made of, so the same runs come out.

An answer that was lost does no harm: both steps say what they change by its generation, and find it done.
"""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from domain.mistakes import Mistake
from domain.naming import fingerprint
from tasks.store import ABSENT, Store, may_pass

Sleep = Callable[[float], Awaitable[None]]

_MOST_TRIES = 10
_FOLLOWED = "followed"


class Cursor(BaseModel):
    """Everything is started for the data at `revision`; what they need at `aim` may be started in part.

    `generation` counts the revisions that were settled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    ref: str
    revision: str = ""
    aim: str = ""
    generation: int = 0


class Cursors:
    """The cursor of one source and ref in a store."""

    def __init__(self, store: Store, source: str, ref: str, *, sleep: Sleep = asyncio.sleep) -> None:
        """Nothing is read yet.

        Args:
            store: where it is kept.
            source: the name of the source's block.
            ref: the full name of a ref; empty for what the source follows.
            sleep: waits between tries.
        """
        self._store = store
        self._new = Cursor(source=source, ref=ref)
        self._sleep = sleep

    @property
    def key(self) -> str:
        """Where in the store it is."""
        name = fingerprint(self._new.ref)[:16] if self._new.ref else _FOLLOWED
        return f"sources/{self._new.source}/{name}.json"

    async def read(self) -> Cursor:
        """The cursor as it is; a new one starts with no revision.

        Raises:
            Mistake: the file is damaged.
        """
        return (await self._read())[0]

    async def aim(self, newest: str) -> Cursor:
        """Note what is next, unless something is already: that comes first. Without anything to do, there is no aim."""
        return await self._change(
            lambda held: held if held.aim or held.revision == newest else held.model_copy(update={"aim": newest})
        )

    async def settle(self, done: Cursor) -> Cursor:
        """Note that everything is started for the aim of `done`."""
        return await self._advance(done, revision=done.aim)

    async def forget(self, lost: Cursor) -> Cursor:
        """Give up an aim that cannot be had any more; what was started for it is not known, so that all is looked at anew."""
        return await self._advance(lost, revision="")

    async def _advance(self, seen: Cursor, revision: str) -> Cursor:
        after = seen.model_copy(update={"revision": revision, "aim": "", "generation": seen.generation + 1})
        return await self._change(lambda held: after if held.aim and held.generation == seen.generation else held)

    async def _change(self, change: Callable[[Cursor], Cursor]) -> Cursor:
        return await self._tries()(self._swap, change)

    def _tries(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_attempt(_MOST_TRIES),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            sleep=self._sleep,
            reraise=True,
        )

    async def _swap(self, change: Callable[[Cursor], Cursor]) -> Cursor:
        held, etag = await self._read()
        changed = change(held)
        if changed != held:
            await self._store.write(self.key, changed.model_dump_json(indent=2).encode(), if_match=etag)
        return changed

    async def _read(self) -> tuple[Cursor, str]:
        stored = await self._store.read(self.key)
        if stored is None:
            return self._new, ABSENT
        try:
            return Cursor.model_validate_json(stored.data), stored.etag
        except ValidationError:
            raise Mistake(
                f"{self.key} in the store {self._store} cannot be read: it is damaged, or another version of speechops wrote "
                "it. Bring it back from a backup, or delete it: then everything is looked at anew."
            ) from None
