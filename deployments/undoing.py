"""A rollback from the command line: by a worker, or in this process when there is none at three in the morning."""

import asyncio
import getpass
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from rich.console import Console

from deployments.deploy_command import server
from deployments.flow_runs import watched
from domain.mistakes import Mistake

DEPLOYMENT: Final = "rollback/speechops"
_FLOW: Final = "flows.rollback.rollback"
_PATIENCE_SECONDS: Final = 20
"""How long a worker may take to begin before people are told of the other way."""


async def roll_back(wish: Mapping[str, str], console: Console, *, here: bool) -> str:
    """Run the flow to its end.

    Args:
        wish: its parameters.
        console: is told of the progress.
        here: in this process, instead of by a worker.

    Returns:
        What came of it.

    Raises:
        Mistake: it failed; the message is the flow's own.
    """
    begun = monotonic()
    async with server() as client:
        state = await _here(wish) if here else await _by_worker(client, wish, console)
    if state is None or not state.is_completed():
        raise Mistake(
            f"the rollback of '{wish['track']}' ended as {state.name if state else 'unknown'}: {_told(state)}"
        )
    return f"{state.name}: {_told(state)} ({monotonic() - begun:.0f} s)"


def whoever() -> str:
    """The name of who is logged in on this machine; empty when nobody knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


async def _here(wish: Mapping[str, str]) -> State[Any]:
    state: State[Any] = await load_flow_from_entrypoint(_FLOW)(**wish, return_state=True)
    return state


async def _by_worker(client: PrefectClient, wish: Mapping[str, str], console: Console) -> State[Any] | None:
    try:
        found = await client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound:
        raise Mistake(
            f"the Prefect server has no deployment {DEPLOYMENT}. Run `speechops deploy`, or this command with --here."
        ) from None
    run = await client.create_flow_run_from_deployment(found.id, parameters=dict(wish))
    console.print(f"Flow run {run.id}; it goes on when this command is interrupted.", soft_wrap=True)
    hint = asyncio.create_task(_hint(client, run, console))
    try:
        return (await watched(client, run, lambda task, state: console.print(f"  {task}: {state}"))).state
    finally:
        hint.cancel()


async def _hint(client: PrefectClient, run: FlowRun, console: Console) -> None:
    await asyncio.sleep(_PATIENCE_SECONDS)
    if (state := (await client.read_flow_run(run.id)).state) and (state.is_scheduled() or state.is_pending()):
        console.print(
            "No worker has begun it yet. If none is running, use a second shell: the same command with --here.",
            soft_wrap=True,
        )


def _told(state: State[Any] | None) -> str:
    message = state.message if state and state.message else "nobody said why"
    return (
        message.removeprefix("Flow run encountered an exception: ")
        .removeprefix("ReleaseFailed: ")
        .removeprefix("Mistake: ")
    )
