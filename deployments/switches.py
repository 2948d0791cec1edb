"""What operators switched on deployments, kept over a `prefect deploy`, which sets it as prefect.yaml has it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Switches:
    """Of one deployment: whether it is paused, and which of its schedules are active."""

    paused: bool
    schedules: tuple[DeploymentSchedule, ...]


Entrypoints = Collection[tuple[str, str]]
"""Entrypoint and name of each deployment of a prefect.yaml."""


async def deployments_of(client: PrefectClient, entrypoints: Entrypoints) -> list[DeploymentResponse]:
    """The deployments of a prefect.yaml that are on the server."""
    found: list[DeploymentResponse] = []
    page: list[DeploymentResponse] | None = None
    while page is None or len(page) == _PAGE:
        page = await client.read_deployments(limit=_PAGE, offset=len(found))
        found += page
    return [one for one in found if (one.entrypoint, one.name) in entrypoints]


async def read_switches(client: PrefectClient, entrypoints: Entrypoints) -> dict[str, Switches]:
    """The switches of those that are there already, by the deployment's id."""
    there = await deployments_of(client, entrypoints)
    return {str(one.id): Switches(one.paused, tuple(one.schedules)) for one in there}


async def restore_switches(
    client: PrefectClient, entrypoints: Entrypoints, before: Mapping[str, Switches]
) -> dict[str, tuple[str, ...]]:
    """Set them as they were; what was set back, in words, by the deployment's id.

    A schedule is known again by its slug, or else by its times: one whose times are new is as prefect.yaml has it.
    """
    restored: dict[str, tuple[str, ...]] = {}
    for now in await deployments_of(client, entrypoints):
        if then := before.get(str(now.id)):
            restored[str(now.id)] = (*await _paused(client, now, then), *await _schedules(client, now, then))
    return restored


async def _paused(client: PrefectClient, now: DeploymentResponse, then: Switches) -> tuple[str, ...]:
    if now.paused == then.paused:
        return ()
    await (client.pause_deployment if then.paused else client.resume_deployment)(now.id)
    return ("stays paused" if then.paused else "stays on",)


async def _schedules(client: PrefectClient, now: DeploymentResponse, then: Switches) -> tuple[str, ...]:
    former = {_mark(one): one.active for one in then.schedules}
    told = []
    for schedule in now.schedules:
        active = former.get(_mark(schedule), schedule.active)
        if active != schedule.active:
            await client.update_deployment_schedule(now.id, schedule.id, active=active)
            told.append(f"schedule stays {'on' if active else 'off'}")
    return tuple(told)


def _mark(schedule: DeploymentSchedule) -> str:
    return schedule.slug or schedule.schedule.model_dump_json()
