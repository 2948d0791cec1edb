"""What `speechops automations` shows: the automations on a server, in words, and how they differ from the code."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from prefect.client.orchestration import PrefectClient
from prefect.events.actions import ActionTypes, ChangeFlowRunState, RunDeployment, SendNotification
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from pydantic import BaseModel, ConfigDict, TypeAdapter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.alerts import ALERTS, BLOCK, alerts_block
from deployments.applying import OnServer, differences, our_deployments, read_automations
from deployments.automations import NAMES, automations
from deployments.deploy_command import address, server

_STATES = "prefect.flow-run."
_MANY = 3


class Row(BaseModel):
    """One automation of ours, or one that should be there.

    Attributes:
        id: the server's; empty when it is not there.
        state: on, off or missing.
        waits_for: the events, in words.
        does: the actions, in words.
        differences: from the code, and other remarks.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    id: str = ""
    state: str
    waits_for: str = ""
    does: str = ""
    differences: tuple[str, ...] = ()


async def read_rows(client: PrefectClient) -> tuple[Row, ...]:
    """A row for each of our automations, whether it is there or only should be."""
    deployments = await our_deployments(client)
    wanted = {one.name: one for one in automations(deployments, block=await alerts_block(client))}
    names = {str(number): name for name, number in deployments.items()}
    there = await read_automations(client)
    return tuple(row for name in NAMES for row in _rows(name, wanted.get(name), there[name], names))


def _rows(name: str, wanted: AutomationCore | None, there: OnServer, deployments: Mapping[str, str]) -> Iterable[Row]:
    if not there.ours:
        lacks = f"no block {BLOCK}" if name in ALERTS else "its deployment is not there"
        remedy = "`speechops deploy` makes it" if wanted else lacks
        yield Row(name=name, state="missing", differences=(remedy,))
    for number, one in enumerate(there.ours):
        remarks = ("double: `speechops deploy` removes it",) if number else ()
        differing = (
            differences(wanted, one)
            if wanted
            else (f"its {'notification block' if name in ALERTS else 'deployment'} is not there any more",)
        )
        yield _row(one, (*remarks, *differing), deployments)


def _row(automation: Automation, remarks: Sequence[str], deployments: Mapping[str, str]) -> Row:
    trigger = automation.trigger
    return Row(
        name=automation.name,
        id=str(automation.id),
        state="on" if automation.enabled else "off",
        waits_for=waits_for(trigger) if isinstance(trigger, EventTrigger) else trigger.describe_for_cli(),
        does="; ".join(_does(action, deployments) for action in automation.actions),
        differences=tuple(remarks),
    )


def waits_for(trigger: EventTrigger) -> str:
    """The events of a trigger in words.

    >>> waits_for(EventTrigger(expect={"a"}))
    'a'
    >>> waits_for(EventTrigger(after={"a"}, expect={"a", "b"}, posture=Posture.Proactive, within=120))
    'a, then 120 s without a, b'
    """
    if trigger.posture is Posture.Reactive:
        return _events(trigger.expect)
    return f"{_events(trigger.after)}, then {trigger.within.total_seconds():g} s without {_events(trigger.expect)}"


def _events(names: Iterable[str]) -> str:
    short = sorted(name.removeprefix(_STATES) for name in names)
    return ", ".join(short) if len(short) <= _MANY else "any other sign"


def _does(action: ActionTypes, deployments: Mapping[str, str]) -> str:
    if isinstance(action, RunDeployment):
        return f"runs {deployments.get(str(action.deployment_id), 'a deployment that is not there any more')}"
    if isinstance(action, ChangeFlowRunState):
        return f"sets the run {action.name or action.state.value.title()}"
    if isinstance(action, SendNotification):
        return f"tells {BLOCK}"
    return action.describe_for_cli()


async def show_automations(console: Console, *, as_json: bool) -> None:
    """Show those of the server that the environment names, as a table or as a JSON list.

    Raises:
        Mistake: the server cannot be used.
    """
    async with server() as client:
        rows = await read_rows(client)
    if as_json:
        sys.stdout.buffer.write(TypeAdapter(tuple[Row, ...]).dump_json(rows, indent=2) + b"\n")
    else:
        show_rows(rows, console)


def show_rows(rows: Sequence[Row], console: Console) -> None:
    """A table of them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("automation", "", "waits for", "does", "differs from the code"):
        table.add_column(name, overflow="fold", no_wrap=not name)
    for row in rows:
        cells = (row.name, row.state, row.waits_for, row.does, "\n".join(row.differences))
        table.add_row(*map(Text, cells))
    console.print(Text(f"On {address()}:"), soft_wrap=True)
    console.print(table)
