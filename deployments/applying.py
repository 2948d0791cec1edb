"""Puts the automations of the code on a Prefect server, and tells how those on it differ.

Names are the keys. Prefect takes the same name twice, and would then act twice: what is ours and superfluous goes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.events.filters import AutomationFilter, AutomationFilterName
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from deployments.alerts import ALERTS, BLOCK, alerts_block
from deployments.automations import NAMES, automations
from deployments.run_automations import TAG, Windows
from domain.mistakes import Mistake

DEPLOYMENT: Final = "speechops"
"""All our deployments are called so, each under its own flow."""

_COMPARED: Final = {"description", "tags", "trigger", "actions", "actions_on_trigger", "actions_on_resolve"}


class Outcome(StrEnum):
    """What an apply did with an automation."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "as it was"
    LEFT_OUT = "left out: no such deployment"
    NOBODY_TOLD = f"left out: make a notification block named {BLOCK} (any kind) in the UI, then deploy again"


@dataclass(frozen=True, slots=True)
class Applied:
    """An automation after an apply.

    Attributes:
        on: whether it is switched on; operators may switch it off, and it stays so.
        notes: what else they should know.
    """

    name: str
    outcome: Outcome
    on: bool = True
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """In words."""
        switched = () if self.on else ("switched off by an operator",)
        return "; ".join((self.outcome.value, *switched, *self.notes))


@dataclass(frozen=True, slots=True)
class OnServer:
    """What a server has under one of our names.

    Attributes:
        ours: with our tag; the first is the one to keep: one that is switched on, of these the one with the lowest id.
        foreign: how many of this name are somebody else's.
    """

    ours: tuple[Automation, ...] = ()
    foreign: int = 0


async def our_deployments(client: PrefectClient) -> dict[str, UUID]:
    """Ids of our deployments by name, such as `data-update/speechops`."""
    named = DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT]))
    found = await client.read_deployments(deployment_filter=named)
    flows = {flow.id: flow.name for flow in await client.read_flows(deployment_filter=named)}
    return {f"{flows[one.flow_id]}/{one.name}": one.id for one in found if one.flow_id in flows}


async def read_automations(client: PrefectClient, names: Sequence[str] = NAMES) -> dict[str, OnServer]:
    """What the server has under our names."""
    query = AutomationFilter(name=AutomationFilterName(any_=list(names)))
    found = await client.read_automations(automations=query)
    return {name: _sorted_out([one for one in found if one.name == name]) for name in names}


def _sorted_out(namesakes: list[Automation]) -> OnServer:
    ours = sorted((one for one in namesakes if TAG in one.tags), key=lambda one: (not one.enabled, one.id))
    return OnServer(tuple(ours), len(namesakes) - len(ours))


async def apply_automations(client: PrefectClient, windows: Windows | None = None) -> tuple[Applied, ...]:
    """Create what is missing, change what differs, remove our doubles, and touch nothing else.

    What an operator switched off stays off. When all is right, nothing is written.

    Raises:
        Mistake: the server is too old.
    """
    wanted = {one.name: one for one in automations(await our_deployments(client), windows, await alerts_block(client))}
    there = await read_automations(client)
    applied = [await _apply(client, name, wanted.get(name), there[name]) for name in NAMES]
    if any(one.outcome is Outcome.CREATED for one in applied):  # somebody else may have created the same meanwhile
        there = await read_automations(client)
        for found in there.values():
            await _remove(client, found.ours[1:])
    return tuple(applied)


async def _apply(client: PrefectClient, name: str, wanted: AutomationCore | None, there: OnServer) -> Applied:
    if wanted is None:
        return Applied(name, Outcome.NOBODY_TOLD if name in ALERTS else Outcome.LEFT_OUT, notes=_namesakes(there))
    if not there.ours:
        await _create(client, wanted)
        return Applied(name, Outcome.CREATED, notes=_namesakes(there))
    kept, *doubles = there.ours
    outcome = await _change(client, wanted, kept)
    notes = (f"removed {len(doubles)} of the same name",) if doubles else ()
    await _remove(client, doubles)
    return Applied(name, outcome, kept.enabled, (*notes, *_namesakes(there)))


async def _create(client: PrefectClient, wanted: AutomationCore) -> None:
    made = await client.read_automation(await client.create_automation(wanted))
    if made and TAG not in made.tags:
        await client.delete_automation(made.id)
        raise Mistake("this Prefect server does not keep the tags of automations, by which ours are known. Update it.")


def _namesakes(there: OnServer) -> tuple[str, ...]:
    if not there.foreign:
        return ()
    return (
        f"{there.foreign} of the same name without the tag {TAG}, not touched: rename or remove what is superfluous",
    )


async def _change(client: PrefectClient, wanted: AutomationCore, kept: Automation) -> Outcome:
    if not differences(wanted, kept):
        return Outcome.SAME
    # Validated from a whole dump, for the client sends only what was set by name; the server takes no owner here.
    whole = {**wanted.model_dump(mode="json", exclude={"owner_resource"}), "enabled": kept.enabled}
    await client.update_automation(kept.id, AutomationCore.model_validate(whole))
    return Outcome.CHANGED


async def _remove(client: PrefectClient, doubles: Sequence[Automation]) -> None:
    for double in doubles:
        with suppress(ObjectNotFound):
            await client.delete_automation(double.id)


def differences(wanted: AutomationCore, there: AutomationCore) -> tuple[str, ...]:
    """Where an automation on a server differs from the code, such as `trigger.within: 60.0, not 10.0`."""
    ours, theirs = dict(_leaves(_plain(wanted))), dict(_leaves(_plain(there)))
    keys = [*ours, *(key for key in theirs if key not in ours)]
    return tuple(
        f"{key}: {theirs.get(key, 'nothing')}, not {ours.get(key, 'nothing')}"
        for key in keys
        if ours.get(key) != theirs.get(key)
    )


def _plain(automation: AutomationCore) -> dict[str, Any]:
    return automation.model_dump(mode="json", include=_COMPARED)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value with its path. Lists of plain values have no order, for they are labels, events and tags."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]" if len(value) > 1 else path)
    else:
        yield path, ", ".join(sorted(map(str, value))) if isinstance(value, list) else str(value)
