"""Starts what no automation started, and learns which errands are over, by looking at flow runs now and then."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from deployments.receiver.errands import Errand
from deployments.receiver.outbox import Clock
from deployments.receiver.prefect_server import DeploymentMissing, PrefectServer
from deployments.receiver.reconciling import Over, Patience, Run, Start, decide, due_times
from deployments.receiver.tally import Tally

_LOOKED_AT_ONCE = 500
_STARTED_AT_ONCE = 20
"""So that the events of new deliveries do not wait long."""
_SLICES_PER_LOOK = 10
_log = logging.getLogger(__name__)


class Reconciler:
    """Looks at the runs of errands. It knows nothing that a new one would not find on the server."""

    def __init__(self, server: PrefectServer, patience: Patience, clock: Clock, tally: Tally) -> None:
        self._server = server
        self._patience = patience
        self._clock = clock
        self._tally = tally
        self._look = 0
        self._next_look = datetime.min.replace(tzinfo=UTC)

    def seconds_left(self) -> float:
        """Until the next look."""
        return max(0.0, (self._next_look - self._clock()).total_seconds())

    async def reconcile(self, errands: Sequence[Errand]) -> None:
        """Give those that are over their outcome, and start runs for those that have waited enough, a few at once.

        Raises:
            DeploymentMissing: there is nothing to start.
        """
        if not errands or self.seconds_left():
            return
        now = self._clock()
        chosen = _slice(errands)
        starts = self._decided(chosen, await self._server.runs_for(chosen), now)
        late = starts[_STARTED_AT_ONCE:]
        self._note_look(chosen, late)
        is_all = len(chosen) == len(errands) and not late
        self._next_look = now + self._patience.look / (1 if is_all else _SLICES_PER_LOOK)
        await self._start(starts[:_STARTED_AT_ONCE])

    async def _start(self, starts: Sequence[tuple[Errand, int]]) -> None:
        """One that the server does not take must not keep the others back; what failed is raised in the end."""
        failed: list[DeploymentMissing | httpx.HTTPStatusError] = []
        for errand, attempt in starts:
            try:
                run = await self._server.start(errand, attempt)
            except DeploymentMissing as error:
                failed.append(error)
            except httpx.HTTPStatusError as error:
                if not error.response.is_client_error:
                    raise
                failed.append(error)
            else:
                self._tally.started += 1
                _log.info("%s started for %s and %s: flow run %s", errand.flow, errand.source, errand.delivery.id, run)
        if failed:
            raise failed[0]

    def _decided(self, errands: Sequence[Errand], runs: Sequence[Run], now: datetime) -> list[tuple[Errand, int]]:
        starts = []
        grouped: dict[str, list[Errand]] = defaultdict(list)
        for errand in errands:
            grouped[errand.source].append(errand)
        for source, group in grouped.items():
            of_source = [run for run in runs if run.source == source]
            starts += self._decided_of_source(group, of_source, now)
        return starts

    def _decided_of_source(
        self, errands: Sequence[Errand], runs: Sequence[Run], now: datetime
    ) -> list[tuple[Errand, int]]:
        """What is to be started: for all blobs together one run, in the name of the last that came."""
        due = due_times(errands, self._patience)
        of_delivery: dict[str, list[Run]] = defaultdict(list)
        for run in runs:
            of_delivery[run.delivery].append(run)
        pushes: list[tuple[Errand, int]] = []
        blobs: list[tuple[Errand, int]] = []
        for errand in errands:
            candidates = runs if errand.is_blob else of_delivery[errand.delivery.id]
            match decide(errand, candidates, due[errand.delivery.id], now, self._patience):
                case Over() as over:
                    self._end(errand, over)
                case Start(attempt):
                    (blobs if errand.is_blob else pushes).append((errand, attempt))
        blobs.sort(key=lambda start: (start[0].delivery.received_at, start[0].delivery.id))
        return pushes + blobs[-1:]

    def _end(self, errand: Errand, over: Over) -> None:
        errand.outcome = over.note
        if over.given_up:
            self._tally.given_up += 1
            _log.error("%s for %s: %s", errand.delivery.id, errand.source, over.note)

    def _note_look(self, chosen: Sequence[Errand], late: Sequence[tuple[Errand, int]]) -> None:
        self._look += 1
        for errand in chosen:
            errand.looked = self._look
        for errand, _ in late:
            errand.looked = 0


def _slice(errands: Sequence[Errand]) -> list[Errand]:
    """Pushes that were not looked at for longest; and all blobs, because those of one source are looked at as one."""
    pushes = sorted((errand for errand in errands if not errand.is_blob), key=lambda errand: errand.looked)
    return pushes[:_LOOKED_AT_ONCE] + [errand for errand in errands if errand.is_blob]
