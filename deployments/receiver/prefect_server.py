"""What the dispatcher asks of the Prefect server, in few requests: events sent, flow runs found, a flow run started."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import Event, Resource
from prefect.exceptions import ObjectNotFound

from deployments.events import (
    DATA_CHANGED,
    JOB_CHANGED,
    PULL_REQUEST_CHANGED,
    event_id,
    resource_of_job,
    resource_of_source,
)
from deployments.receiver.deliveries import Blob, Job, PullRequest
from deployments.receiver.errands import DATA_UPDATE, PULL_REQUEST, Errand
from deployments.receiver.reconciling import Progress, Run

_TAGS_AT_ONCE = 100
_PAGE = 200
_MOST_PAGES = 10
_CLOCKS_DIFFER = timedelta(hours=1)
_UNFINISHED = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]


class DeploymentMissing(Exception):
    """The server does not know the deployment that is to be run; its name is the message."""


class PrefectServer:
    """One Prefect server, through Prefect's own client, which knows of its authentication and tries again.

    Every method raises `httpx.HTTPError` when the server cannot be reached, or refuses.
    """

    def __init__(self, client: PrefectClient) -> None:
        self._client = client
        self._deployments: dict[str, UUID] = {}

    async def emit(self, errands: Sequence[Errand]) -> None:
        """Send the event of each errand; one that was sent before is the same event."""
        now = datetime.now(UTC)
        events = [event_of(errand, now).model_dump(mode="json") for errand in errands]
        await self._client.request("POST", "/events", json=events)

    async def runs_for(self, errands: Sequence[Errand]) -> list[Run]:
        """Every flow run that may have to do with them, over or not."""
        if not errands:
            return []
        since = min(errand.delivery.received_at for errand in errands) - _CLOCKS_DIFFER
        after = FlowRunFilterExpectedStartTime(after_=since)
        deliveries = [f"delivery:{errand.delivery.id}" for errand in errands if not errand.is_blob]
        sources = sorted({f"source:{errand.source}" for errand in errands if errand.is_blob})
        found: dict[UUID, FlowRun] = {}
        for tags in (*_parts(deliveries), *_parts(sources)):
            narrowed = FlowRunFilter(tags=FlowRunFilterTags(any_=list(tags)), expected_start_time=after)
            found |= await self._read(narrowed)
        unfinished = FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNFINISHED))  # they may have no tags yet
        found |= await self._read(FlowRunFilter(state=unfinished, expected_start_time=after))
        if any(errand.flow == PULL_REQUEST for errand in errands):
            found |= await self._read(FlowRunFilter(expected_start_time=after), PULL_REQUEST)
        return [_seen(run) for run in found.values()]

    async def start(self, errand: Errand, attempt: int) -> UUID:
        """Run the flow for an errand; the same attempt is the same run, whoever asks for it, and how often.

        Raises:
            DeploymentMissing: the server has no such deployment (any more).
        """
        name, delivery, source = f"{errand.flow}/speechops", errand.delivery.id, errand.source
        deployment = await self._deployment_id(name)
        try:
            run = await self._client.create_flow_run_from_deployment(
                deployment,
                parameters={"source": source, **errand.asked},
                tags=[f"delivery:{delivery}", *_queue(errand)],
                idempotency_key=f"{delivery}:{source}:{attempt}",
            )
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            del self._deployments[name]
            raise DeploymentMissing(name) from None
        return run.id

    async def _deployment_id(self, name: str) -> UUID:
        if name not in self._deployments:
            try:
                self._deployments[name] = (await self._client.read_deployment_by_name(name)).id
            except ObjectNotFound:
                raise DeploymentMissing(name) from None
        return self._deployments[name]

    async def _read(self, narrowed: FlowRunFilter, *flows: str) -> dict[UUID, FlowRun]:
        """The newest of them, should there be thousands."""
        runs: dict[UUID, FlowRun] = {}
        for page in range(_MOST_PAGES):
            read = await self._client.read_flow_runs(
                flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows or (DATA_UPDATE, PULL_REQUEST)))),
                flow_run_filter=narrowed,
                sort=FlowRunSort.EXPECTED_START_TIME_DESC,
                limit=_PAGE,
                offset=page * _PAGE,
            )
            runs |= {run.id: run for run in read}
            if len(read) < _PAGE:
                break
        return runs


def event_of(errand: Errand, now: datetime) -> Event:
    """The event that tells Prefect of an errand."""
    identity = event_id(errand.delivery.id, errand.source)
    name, resource = _about(errand)
    return Event(id=identity, occurred=now, event=name, resource=Resource(resource), payload=errand.asked)


def _about(errand: Errand) -> tuple[str, dict[str, str]]:
    match errand.delivery.subject:
        case Job() as job:
            return JOB_CHANGED, resource_of_job(job.entity)
        case PullRequest():
            return PULL_REQUEST_CHANGED, resource_of_source(errand.source, "git")
        case subject:
            return DATA_CHANGED, resource_of_source(errand.source, "blob" if isinstance(subject, Blob) else "git")


def _queue(errand: Errand) -> list[str]:
    """The tag by which runs of `data-update` take turns. A pull request's run, which may train for hours, is not among them."""
    return [f"source:{errand.source}"] if errand.flow == DATA_UPDATE else []


def _seen(run: FlowRun) -> Run:
    kind = run.state_type
    is_over = kind is not None and kind not in _UNFINISHED
    progress = Progress.UNSUCCESSFUL if is_over else Progress.UNFINISHED
    return Run(
        id=run.id,
        source=str(run.parameters.get("source", "")),
        delivery=str(run.parameters.get("delivery", "")),
        progress=Progress.COMPLETED if kind is StateType.COMPLETED else progress,
        state=run.state_name or "unknown",
        began=run.start_time or (run.expected_start_time if is_over else None),
        ended=run.end_time,
    )


def _parts(tags: Sequence[str]) -> Iterable[Sequence[str]]:
    return [tags[start : start + _TAGS_AT_ONCE] for start in range(0, len(tags), _TAGS_AT_ONCE)]
