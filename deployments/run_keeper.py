"""Owns the runs of our deployments from their creation to their end: what crashed, or lost its process, is begun again.

Prefect's automations do the same, but at most once, and not for a run that an event was missed of. This looks at the
runs themselves. It knows nothing that a new one would not find on the server, apart from how long it has been looking:
a new one waits as if everything had just happened.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterParentTaskRunId,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled, Crashed, Failed

from deployments.applying import DEPLOYMENT
from deployments.lost_runs import Lives, Move, RunPatience, last_words, move_of
from deployments.run_automations import GOES_ON, VANISHED_STATE
from tasks.orchestrator import retries_of_client

_BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_PAGE = 200
_OLDEST = timedelta(days=7)
"""A run that crashed longer ago is nobody's business any more."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ASK_AGAIN = timedelta(seconds=30)
"""Between two looks for the heartbeat of one run: there is none more often."""
_COMPLAINT_SECONDS = 60
_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Sign:
    """The last sign of life of a run: what it was, when it came, and since when this process knows of it."""

    def __init__(self, mark: str, at: datetime, seen: datetime) -> None:
        self.mark = mark
        self.at = at
        self.seen = seen


class RunKeeper:
    """Looks at the unfinished runs, and at those that crashed, now and then.

    Several may look at one server. Each reads a run once more right before it changes it, and no change is repeated
    without another look: a change that arrives late could meet a run that lives.
    """

    def __init__(
        self, client: PrefectClient, patience: RunPatience | None = None, clock: Callable[[], datetime] = _now
    ) -> None:
        self._client = client
        self._patience = patience or RunPatience()
        self._clock = clock
        self._signs: dict[UUID, Sign] = {}
        self._asked: dict[UUID, datetime] = {}
        self._answers_since: datetime | None = None
        self._complained_at = float("-inf")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look in the background, as long as the context lasts."""
        task = asyncio.create_task(self.run(), name="speechops keeps the runs")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run(self) -> None:
        """Look for ever. Whatever goes wrong is told once a minute, and tried again."""
        while True:
            try:
                await self.look()
            except Exception as error:  # by its kind: the text of a foreign error may quote anything
                self._complain(error)
            await asyncio.sleep(self._patience.look_seconds)

    async def look(self) -> None:
        """Do once what is to be done now.

        Raises:
            httpx.HTTPError: the server is away. Nobody is taken for lost before it has been back for a while.
        """
        try:
            with retries_of_client(0):
                await self._look()
        except Exception:
            self._answers_since = None
            raise

    async def _look(self) -> None:
        runs = [*await self._unfinished(), *await self._crashed()]
        if self._answers_since is None:
            self._answers_since = self._clock()
            self._signs.clear()
            self._asked.clear()
        there = {run.id for run in runs}
        self._signs = {run: sign for run, sign in self._signs.items() if run in there}
        self._asked = {run: at for run, at in self._asked.items() if run in there}
        for run in runs:
            with suppress(ObjectNotFound):  # somebody deleted it
                await self._mind(run, self._answers_since)

    async def _unfinished(self) -> list[FlowRun]:
        """Those that a worker has, or had."""
        chosen = FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_BEGUN)),
            parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True),
        )
        found: list[FlowRun] = []
        more = True
        while more:
            page = await self._read(chosen, FlowRunSort.EXPECTED_START_TIME_ASC, len(found))
            found += page
            more = len(page) == _PAGE
        return found

    async def _crashed(self) -> list[FlowRun]:
        """Those that crashed lately, and those that were marked on the way there."""
        found: list[FlowRun] = []
        for state in (
            FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED])),
            FlowRunFilterState(name=FlowRunFilterStateName(any_=[VANISHED_STATE])),
        ):
            chosen = FlowRunFilter(state=state, parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True))
            found += await self._read(chosen, FlowRunSort.END_TIME_DESC)
        oldest = self._clock() - _OLDEST
        return [run for run in found if run.state and run.state.timestamp > oldest]

    async def _read(self, chosen: FlowRunFilter, sort: FlowRunSort, offset: int = 0) -> list[FlowRun]:
        ours = DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT]))
        return await self._client.read_flow_runs(
            flow_run_filter=chosen, deployment_filter=ours, sort=sort, limit=_PAGE, offset=offset
        )

    async def _mind(self, run: FlowRun, answers_since: datetime) -> None:
        quiet = self._clock() - self._sign(run).seen
        if run.state_type is StateType.CRASHED:
            await self._begin_again(run, quiet)
        elif run.state_name == VANISHED_STATE:
            await self._change(run, Crashed(message="Its process is gone: it sent no heartbeat any more."))
        elif quiet >= self._patience.silence(run, self._sign(run).at, answers_since):
            await self._call_lost(run, answers_since)
        elif run.state_type is not StateType.PENDING:
            await self._listen(run)

    def _sign(self, run: FlowRun, mark: str = "", at: datetime | None = None) -> Sign:
        """The last sign of life: a new state, or what is given."""
        known = self._signs.get(run.id)
        state = str(run.state_id)
        if known is None or not known.mark.startswith(state) or (mark and known.mark != state + mark):
            now = self._clock()
            known = Sign(state + mark, at or (run.state.timestamp if run.state else now), now)
            self._signs[run.id] = known
        return known

    async def _listen(self, run: FlowRun) -> None:
        """Look for a new heartbeat, unless that was done a moment ago."""
        now = self._clock()
        if now - self._asked.get(run.id, self._sign(run).seen) < _ASK_AGAIN:
            return
        self._asked[run.id] = now
        wanted = {"event": {"name": [_HEARTBEAT]}, "resource": {"id": [f"prefect.flow-run.{run.id}"]}, "order": "DESC"}
        answer = await self._client.request("POST", "/events/filter", json={"filter": wanted, "limit": 1})
        for heartbeat in answer.json()["events"]:
            at = datetime.fromisoformat(heartbeat["received"])
            if run.state and at > run.state.timestamp:  # those of an earlier life do not count
                self._sign(run, heartbeat["id"], at)

    async def _call_lost(self, run: FlowRun, answers_since: datetime) -> None:
        if run.state_type is not StateType.PENDING:
            self._asked.pop(run.id, None)
            await self._listen(run)
            if self._clock() - self._sign(run).seen < self._patience.silence(run, self._sign(run).at, answers_since):
                return
        seconds = (self._clock() - self._sign(run).seen).total_seconds()
        match move_of(run):
            case Move.MARK:
                told = f"No heartbeat for {seconds:.0f} seconds: its process is gone."
                marked: State[None] = State(type=StateType.PAUSED, name=VANISHED_STATE, message=told)
                if await self._change(run, marked):
                    await self._mind(await self._client.read_flow_run(run.id), answers_since)
            case Move.END:
                await self._change(run, Cancelled(message="It was to be cancelled, and its process is gone."))
            case Move.CRASH:
                told = f"It was {run.state_name} for {seconds:.0f} seconds, and did not begin."
                await self._change(run, Crashed(message=told))

    async def _begin_again(self, run: FlowRun, quiet: timedelta) -> None:
        if quiet < self._patience.gap(0):
            return
        history = await self._client.read_flow_run_states(run.id)
        lives = Lives(history)
        if why := lives.told(self._patience):
            told = f"Given up: {why}. The last time: {last_words(history)} To begin it again: prefect flow-run retry {run.id}"
            await self._change(run, Failed(message=told))
        elif quiet >= self._patience.gap(lives.tries):
            await self._change(run, AwaitingRetry(message=GOES_ON), force=True)

    async def _change(self, run: FlowRun, state: State[None], *, force: bool = False) -> bool:
        """Whether the run is in that state now. `force` keeps the answers that a run was given before it crashed."""
        now = await self._client.read_flow_run(run.id)
        if now.state_id != run.state_id:
            return False
        done = await self._client.set_flow_run_state(run.id, state, force=force)
        is_done = done.state is not None and done.state.name == state.name
        log = _log.info if is_done else _log.warning
        log("flow run '%s' (%s), %s: %s, %s", run.name, run.id, run.state_name, state.name, state.message)
        return is_done

    def _complain(self, error: Exception) -> None:
        if monotonic() - self._complained_at < _COMPLAINT_SECONDS:
            return
        self._complained_at = monotonic()
        status = f" {error.response.status_code}" if isinstance(error, httpx.HTTPStatusError) else ""
        _log.warning("nobody looks after lost runs: the Prefect server is away (%s%s)", type(error).__name__, status)
