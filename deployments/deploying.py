"""Puts block types, work pools, the deployments of prefect.yaml and the automations on a Prefect server.

Doing it again changes nothing that is right already, and nothing that operators switched on or off.
"""

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound

from deployments.applying import Applied, apply_automations
from deployments.project_file import Project
from deployments.registration import make_work_pool, register_block_types
from deployments.run_automations import Windows
from deployments.switches import deployments_of, read_switches, restore_switches

RunDeploy = Callable[[Sequence[str]], Awaitable[None]]
"""Runs a command in the project's folder; raises a Mistake when it fails."""

_DEPLOY: Final = (sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file")
_KINDS: Final = {
    "speech": {"speech-resource": "Speech Resource"},
    "store": {"local-store": "Speechops Local Store", "blob-store": "Speechops Blob Store"},
}
"""The types of block that a parameter of our flows may name."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one thing: its kind, its name, and the outcome in words."""

    kind: str
    name: str
    outcome: str


async def prepare_server(client: PrefectClient, pools: Iterable[str], command: str | None = None) -> list[Done]:
    """What deployments and flows need: the types of our blocks, and the work pools, see `make_work_pool`."""
    done = [Done("block type", name, "registered") for name in await register_block_types(client)]
    for pool in pools:
        made = await make_work_pool(client, pool, command)
        done.append(Done("work pool", pool, "created, for processes" if made else "as it was"))
    return done


async def deploy_flows(
    client: PrefectClient, project: Project, run: RunDeploy, windows: Windows | None = None
) -> list[Done]:
    """Deploy prefect.yaml, set the operators' switches as they were, and apply the automations.

    Prefect switches a paused deployment on when it deploys it; it is paused again once all are deployed.

    Raises:
        Mistake: Prefect could not deploy.
    """
    before = await read_switches(client, project.entrypoints)
    try:
        with project.file() as file:
            await run([*_DEPLOY, str(file)])
    finally:
        kept = await restore_switches(client, project.entrypoints, before)
    done = []
    for one in await deployments_of(client, project.entrypoints):
        flow = await client.read_flow(one.flow_id)
        outcome = "as in prefect.yaml" if str(one.id) in before else "created"
        done.append(Done("deployment", f"{flow.name}/{one.name}", "; ".join((outcome, *kept.get(str(one.id), ())))))
    applied = await apply_automations(client, windows)
    return sorted(done, key=lambda one: one.name) + [_told(one) for one in applied]


def _told(applied: Applied) -> Done:
    return Done("automation", applied.name, applied.told)


async def missing_blocks(client: PrefectClient, project: Project) -> list[Done]:
    """The blocks that deployments name and nobody has made yet, with what to do."""
    missing = []
    for parameter, name in project.blocks:
        kinds = _KINDS[parameter]
        if not any([await _has_block(client, name, slug) for slug in kinds]):
            told = f"missing: make a {' or '.join(kinds.values())} block of this name in the Prefect UI under Blocks"
            missing.append(Done("block", name, told))
    return missing


async def _has_block(client: PrefectClient, name: str, slug: str) -> bool:
    try:
        await client.read_block_document_by_name(name, slug, include_secrets=False)
    except ObjectNotFound:
        return False
    return True
