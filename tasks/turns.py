"""Runs of one track, or of one data source, take turns; runs of different ones go side by side.

The queue is Prefect's own table of flow runs. A tag such as `track:sharjah` says that a run is in the queue; the tag
`turn:track:sharjah` says that it has the turn, or is about to take it. Who takes a turn

1. sets both tags, and looks at the other unfinished top-level runs of the queue;
2. is done when nobody is *ahead* (expected to start earlier, ties by id) and nobody else who is running has `turn:`;
3. otherwise takes `turn:` back if somebody is ahead, and looks again after a while; when the way is free, from 1.

Never two at once: of two runs that both have the turn, the one that looked last looked after the other had set `turn:`,
and so must have seen it. This needs no clock, and holds for runs that join late, are tried again, or are resumed. Never
nobody: the run that is ahead of all only waits for runs with `turn:`, and they either end or see it, and take theirs back.

Why it is so: docs/decisions/0011.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import count
from uuid import UUID

from prefect import task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentTaskRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.acting import act_on
from tasks.orchestrator import Sleep, patiently
from tasks.retrying import FRESH

_LOOK_SECONDS = 2.0
_TELL_EVERY = 150
"""Looks between two lines in the log: five minutes."""

_PAGE = 200
_OF_A_TRACK = ("track", "watch")
_RUNNING = (StateType.RUNNING, StateType.CANCELLING)
_ACTIVE = (*_RUNNING, StateType.PENDING, StateType.SCHEDULED)
_STARTS_SOON = ("Scheduled", "Late")
"""Of the scheduled states. The others wait for a person, or to be tried again, and hold nobody up meanwhile."""


async def take_turn(what: str, *, tags: Iterable[str] = ()) -> None:
    """Wait until this run is the only one that works on `what`; a run within another run has that one's turn.

    A run that takes the turn of a track, or of its watch, may change that track; no other (`tasks.acting`).

    Args:
        what: such as `track:sharjah`; becomes a tag of the run.
        tags: others that the run gets on this occasion.
    """
    kind, _, name = what.partition(":")
    act_on(*([name] if kind in _OF_A_TRACK else []))
    context = FlowRunContext.get()
    if context and context.flow_run and context.flow_run.parent_task_run_id is None:
        await wait_for_turn(what, tuple(tags))


async def end_turn(what: str) -> None:
    """Let others have the turn before this run ends."""
    context = FlowRunContext.get()
    if context and context.flow_run and context.flow_run.parent_task_run_id is None:
        async with get_client() as client:
            await Queue(client, context.flow_run.id, what).end_turn()


@task(name="take-turn", description="Wait until earlier runs of the same track, or source, are over.", **FRESH)
async def wait_for_turn(what: str, tags: Sequence[str] = ()) -> None:
    """Join the queue of `what` and wait for the turn."""
    async with get_client() as client:
        await Queue(client, UUID(str(flow_run.id)), what).take_turn(tags)


class Queue:
    """The runs with one tag, as one of them sees it."""

    def __init__(self, client: PrefectClient, run_id: UUID, what: str, *, sleep: Sleep = asyncio.sleep) -> None:
        """Look at the queue of `what` with the eyes of a run; nothing is asked or changed yet."""
        self._client = client
        self._run_id = run_id
        self._what = what
        self._turn = f"turn:{what}"
        self._sleep = sleep
        self._ask = patiently(sleep)

    async def take_turn(self, tags: Sequence[str] = ()) -> None:
        """Set the tags, and return when nobody else has the turn and nobody is ahead."""
        mine: FlowRun = await self._ask(self._client.read_flow_run, self._run_id)
        mine = await self._tag(mine, [*mine.tags, *tags, self._what, self._turn])
        for look in count():
            ahead, busy = self._sorted_by(mine, await self._others())
            if not ahead and not busy:
                if self._turn in mine.tags:
                    return
                mine = await self._tag(mine, [*mine.tags, self._turn])
                continue
            if ahead and self._turn in mine.tags:
                mine = await self._tag(mine, [tag for tag in mine.tags if tag != self._turn])
            if look % _TELL_EVERY == 0:
                self._tell([*busy, *(run for run in ahead if run not in busy)])
            await self._sleep(_LOOK_SECONDS)

    async def end_turn(self) -> None:
        """Leave the queue."""
        mine: FlowRun = await self._ask(self._client.read_flow_run, self._run_id)
        await self._tag(mine, [tag for tag in mine.tags if tag not in (self._what, self._turn)])

    def _sorted_by(self, mine: FlowRun, others: Sequence[FlowRun]) -> tuple[list[FlowRun], list[FlowRun]]:
        """Those who are ahead of this run, and those who have `turn:`."""
        ahead = [run for run in others if place(run) < place(mine) and may_be_waited_for(run)]
        return ahead, [run for run in others if self._turn in run.tags and run.state_type in _RUNNING]

    async def _others(self) -> list[FlowRun]:
        chosen = FlowRunFilter(
            tags=FlowRunFilterTags(all_=[self._what]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_ACTIVE))),
            parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True),
        )
        found: list[FlowRun] = []
        more = True
        while more:
            page: list[FlowRun] = await self._ask(
                self._client.read_flow_runs,
                flow_run_filter=chosen,
                sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                limit=_PAGE,
                offset=len(found),
            )
            found += page
            more = len(page) == _PAGE
        return [run for run in found if run.id != self._run_id]

    async def _tag(self, mine: FlowRun, tags: Iterable[str]) -> FlowRun:
        wanted = list(dict.fromkeys(tags))
        if wanted != mine.tags:
            await self._ask(self._client.update_flow_run, self._run_id, tags=wanted)
        return mine.model_copy(update={"tags": wanted})

    def _tell(self, runs: Sequence[FlowRun]) -> None:
        first, more = runs[0], f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        get_run_logger().info(
            "Waiting for '%s' (flow run %s, %s)%s to be over; cancel what is not wanted",
            first.name, first.id, first.state_name, more,
        )  # fmt: skip


def place(run: FlowRun) -> tuple[float, str]:
    """Where a run stands in its queue, for as long as it lives."""
    expected = run.expected_start_time or run.created
    return expected.timestamp() if expected else 0.0, str(run.id)


def may_be_waited_for(run: FlowRun) -> bool:
    """Whether a run that is ahead is at work, or will be soon without anybody's doing."""
    return run.state_type != StateType.SCHEDULED or run.state_name in _STARTS_SOON
