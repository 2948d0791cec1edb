"""How quickly jobs go from state to state: at once, as callers look, or so that people can follow."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from emulator.settings import Speed

DWELL_SECONDS = {Speed.REAL: 0.2, Speed.INSTANT: 0.0}
"""How long NotStarted, and Running, last at least."""
PATIENCE_SECONDS = 5.0
"""How long a GET waits for the step that the one before it set off; training may really take longer."""


class JobSpeed:
    """The pace of all jobs; it can be changed while they run.

    With `poll` a job waits in NotStarted, and again in Running, until an answer to a GET (of the entity, or of a list
    with it) has shown that state. The next GET waits until the step is done, so a test sees each state once.
    """

    def __init__(self, speed: Speed) -> None:
        self.speed = speed
        self._standing: dict[str, asyncio.Event] = {}
        self._moving: dict[str, asyncio.Event] = {}

    def change(self, speed: Speed) -> None:
        """From now on; jobs that wait to be seen go on unless it is still `poll`."""
        self.speed = speed
        if speed is not Speed.POLL:
            self.seen(list(self._standing))

    async def dwell(self, entity_id: str) -> None:
        """Keep the entity's job in its state for a while."""
        if self.speed is not Speed.POLL:
            await asyncio.sleep(DWELL_SECONDS[self.speed])
            return
        seen = self._standing[entity_id] = asyncio.Event()
        self.arrived(entity_id)
        try:
            await seen.wait()
        finally:
            self._standing.pop(entity_id, None)

    def seen(self, entity_ids: Iterable[str]) -> None:
        """A caller is shown the state of these entities."""
        for entity_id in entity_ids:
            if seen := self._standing.pop(entity_id, None):
                self._moving[entity_id] = asyncio.Event()
                seen.set()

    def arrived(self, entity_id: str) -> None:
        """A step is done: the job stands in its next state, or has ended."""
        if moved := self._moving.pop(entity_id, None):
            moved.set()

    async def settled(self, entity_ids: Iterable[str] | None = None) -> None:
        """Wait for steps that were set off: of these entities, or of all."""
        wanted = self._moving if entity_ids is None else set(entity_ids) & self._moving.keys()
        steps = [self._moving[entity_id] for entity_id in wanted]
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                for step in steps:
                    await step.wait()
