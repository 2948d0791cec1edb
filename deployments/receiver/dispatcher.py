"""From the outbox to Prefect: events at once, and flow runs for what no automation started, until each had its effect.

What is kept in memory is only comfort: after a crash everything follows again from the outbox and the server's runs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

import httpx

from deployments.receiver.deliveries import Delivery
from deployments.receiver.errands import Errand, errands_of
from deployments.receiver.known_sources import KnownSources, LoadSources
from deployments.receiver.outbox import Clock, Outbox, OutboxUnavailable, utc_now
from deployments.receiver.prefect_server import DeploymentMissing, PrefectServer
from deployments.receiver.reconciler import Reconciler
from deployments.receiver.reconciling import Patience
from deployments.receiver.tally import Tally
from domain.mistakes import Mistake

MOST_HELD = 10_000
"""Deliveries that are waited for at once; more stay in the outbox until there is room."""

UNKNOWN = "no data source reads this repository or container"

_TAKEN_UP_AT_ONCE = 200
_EVENTS_AT_ONCE = 100
_SHORTEST_PAUSE_SECONDS = 0.05
_TROUBLE_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 30
_COMPLAINT_SECONDS = 60
_log = logging.getLogger(__name__)


class Dispatcher:
    """Sees to it that every stored delivery has its effect. It never stands in the way of an answer."""

    def __init__(
        self,
        outbox: Outbox,
        server: PrefectServer,
        load_sources: LoadSources,
        patience: Patience | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.tally = Tally()
        self.trouble = ""
        """Why not all could be done at the last turn, for people; empty when all could."""
        self._outbox = outbox
        self._server = server
        self._patience = patience or Patience()
        self._clock = clock
        self._sources = KnownSources(load_sources, clock)
        self._reconciler = Reconciler(server, self._patience, clock, self.tally)
        self._woken = asyncio.Event()
        self._waiting: dict[str, list[Errand]] = {}
        self._notes: dict[str, str] = {}
        self._unreadable: set[str] = set()
        self._is_puzzled = False
        self._complained_at = float("-inf")

    def wake(self) -> None:
        """Something was stored; to be called after the commit."""
        self._woken.set()

    async def run(self) -> None:
        """Turn for ever: when woken, and every few seconds; more seldom as long as something is wrong."""
        failures = 0
        while True:
            self._woken.clear()
            failures = 0 if await self.turn() else failures + 1
            await self._pause(failures)

    async def turn(self) -> bool:
        """Do once what can be done now; False when something could not be done, and has to be tried again."""
        steps = (self._take_up, self._emit, self._reconcile, self._note)
        troubles = [trouble for step in steps if (trouble := await _tried(step))]
        self.trouble = "; ".join(dict.fromkeys(troubles))
        self._complain()
        return not troubles

    async def _pause(self, failures: int) -> None:
        seconds = self._patience.look.total_seconds()
        if failures:  # what is new may concern what works, so it waits for a moment only
            await asyncio.sleep(_TROUBLE_PAUSE_SECONDS)
            seconds = min(_LONGEST_PAUSE_SECONDS, 2 ** min(failures - 1, 10))
        elif self._waiting:
            seconds = min(seconds, max(_SHORTEST_PAUSE_SECONDS, self._reconciler.seconds_left()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _take_up(self) -> None:
        """Learn what is new in the outbox, and forget what another process has done."""
        ids = await asyncio.to_thread(self._outbox.pending_ids, MOST_HELD)
        for gone in self._waiting.keys() - set(ids):
            del self._waiting[gone]
        seen = self._waiting.keys() | self._notes.keys() | self._unreadable
        new = [one for one in ids if one not in seen]
        if not new:
            return
        deliveries = await asyncio.to_thread(self._outbox.deliveries, new[:_TAKEN_UP_AT_ONCE])
        self._leave_out(set(new[:_TAKEN_UP_AT_ONCE]) - {delivery.id for delivery in deliveries})
        sources = await self._sources.read(self._is_puzzled)
        known = [self._is_taken_up(delivery, *errands_of(delivery, sources)) for delivery in deliveries]
        self._is_puzzled = not all(known)
        if len(new) > len(deliveries) and any(known):
            self.wake()

    def _leave_out(self, unreadable: set[str]) -> None:
        """They wait for the version of the receiver that can read them."""
        for one in unreadable:
            self._unreadable.add(one)
            _log.error("the delivery %s was stored by another version of the receiver; it waits for that one", one)

    def _is_taken_up(self, delivery: Delivery, errands: list[Errand], reason: str) -> bool:
        """Whether it is known now what is to be done; if not, the sources are too old to tell."""
        if errands:
            self._waiting[delivery.id] = errands
        elif reason or self._sources.are_newer_than(delivery.received_at):
            self._notes[delivery.id] = reason or UNKNOWN
        else:
            return False
        return True

    async def _emit(self) -> None:
        """Tell Prefect of what it was not told in this process's life; the same event twice counts once."""
        untold = [errand for errand in self._errands() if not errand.emitted]
        for start in range(0, len(untold), _EVENTS_AT_ONCE):
            part = untold[start : start + _EVENTS_AT_ONCE]
            await self._server.emit(part)
            self.tally.emitted += len(part)
            for errand in part:
                errand.emitted, errand.since = True, self._clock()
                errand.outcome = "told Prefect" if errand.is_job else ""

    async def _reconcile(self) -> None:
        await self._reconciler.reconcile([one for one in self._errands() if not (one.is_job or one.outcome)])

    async def _note(self) -> None:
        """Let the outbox know what is over: only after the server has it."""
        over = {one: errands for one, errands in self._waiting.items() if all(errand.outcome for errand in errands)}
        notes = {one: "; ".join(errand.outcome for errand in errands) for one, errands in over.items()} | self._notes
        if notes:
            await asyncio.to_thread(self._outbox.mark_done, notes)
            self._notes = {}
            self._waiting = {one: errands for one, errands in self._waiting.items() if one not in over}

    def _errands(self) -> list[Errand]:
        return [errand for errands in self._waiting.values() for errand in errands]

    def _complain(self) -> None:
        now = monotonic()
        if self.trouble and now - self._complained_at >= _COMPLAINT_SECONDS:
            self._complained_at = now
            _log.warning("%s deliveries wait: %s", len(self._waiting) or "new", self.trouble)


async def _tried(step: Callable[[], Awaitable[None]]) -> str:
    """Why a step could not be done. Foreign errors by their kind alone: their text may quote what was sent."""
    try:
        await step()
    except DeploymentMissing as error:
        return f"the Prefect server has no deployment {error}; run `speechops deploy`"
    except httpx.HTTPStatusError as error:
        return f"the Prefect server answered with {error.response.status_code}"
    except httpx.HTTPError as error:
        return f"the Prefect server cannot be reached ({type(error).__name__})"
    except (Mistake, OutboxUnavailable) as error:
        return str(error)
    except Exception as error:
        _log.debug("a turn failed", exc_info=True)
        return f"something unexpected failed ({type(error).__name__})"
    return ""
