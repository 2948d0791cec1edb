"""Who is at the endpoint of a track: a release or rollback that is under way names its run, and Prefect knows whether it lives.

A rollback does not take the track's turn, for a training can hold it for days. So the head decides: `pending` is taken by
compare-and-swap. While the run that it names is at work, others wait; when that run is over, whoever comes next takes over.
"""

import asyncio
from itertools import count
from uuid import UUID

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from domain.ledger import Pending, State
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.orchestrator import Sleep, patiently
from tasks.retrying import FRESH

_LOOK_SECONDS = 2.0
_TELL_EVERY = 30
"""Looks between two lines in the log: a minute."""

_AT_WORK = (StateType.RUNNING, StateType.CANCELLING)
"""A run that waits to be started, or was suspended, has no process that could be at the endpoint."""


@task(name="await-others", description="Wait while another run that lives puts a model live, or back.", **FRESH)
async def await_others(store: str, track: str) -> State:
    """The track's head, as soon as nobody else is at its endpoint; what a dead run left pending is still in it."""
    ledger = Ledger(await load_store(store), track)
    async with get_client() as client:
        return await Owners(client, flow_run.id).settled(ledger)


async def has_others(track: str) -> bool:
    """Whether another run has the track's turn, and so may be using what nobody refers to yet."""
    async with get_client() as client:
        return await Owners(client, flow_run.id).has_others(f"turn:track:{track}")


class Owners:
    """The runs of the Prefect server, as one of them sees the others."""

    def __init__(self, client: PrefectClient, me: object, *, sleep: Sleep = asyncio.sleep) -> None:
        """Look with the eyes of the run `me` (its id; None is nobody)."""
        self._client = client
        self._me = str(me or "")
        self._sleep = sleep
        self._ask = patiently(sleep)

    async def settled(self, ledger: Ledger) -> State:
        """The head, once no other living run has anything pending."""
        for look in count():
            head = await ledger.state()
            if head.pending is None or not await self.is_at_work(head.pending.flow_run):
                return head
            if look % _TELL_EVERY == 0:
                _tell(head.pending)
            await self._sleep(_LOOK_SECONDS)
        raise AssertionError("unreachable: the count has no end")

    async def is_at_work(self, run: str) -> bool:
        """Whether another run lives. A subflow lives as long as the run at the top: Prefect forgets it when its process dies."""
        top = await self._top(run)
        mine = await self._top(self._me)
        return top is not None and top.state_type in _AT_WORK and (mine is None or mine.id != top.id)

    async def has_others(self, tag: str) -> bool:
        """Whether another run at the top that is at work has this tag."""
        chosen = FlowRunFilter(
            tags=FlowRunFilterTags(all_=[tag]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_AT_WORK))),
        )
        mine = await self._top(self._me)
        found: list[FlowRun] = await self._ask(self._client.read_flow_runs, flow_run_filter=chosen)
        return any(mine is None or run.id != mine.id for run in found)

    async def _top(self, run: str) -> FlowRun | None:
        """The run that a run is a part of, or that one itself; None when the server knows none of that id."""
        try:
            found: FlowRun = await self._ask(self._client.read_flow_run, UUID(run))
            while found.parent_task_run_id:
                step: TaskRun = await self._ask(self._client.read_task_run, found.parent_task_run_id)
                found = await self._ask(self._client.read_flow_run, step.flow_run_id)
        except (ValueError, ObjectNotFound):
            return None
        return found


def _tell(pending: Pending) -> None:
    get_run_logger().info(
        "Waiting for the %s of '%s' (flow run %s). If that run is dead, cancel it: prefect flow-run cancel %s",
        pending.kind, pending.model_name, pending.flow_run, pending.flow_run,
    )  # fmt: skip
