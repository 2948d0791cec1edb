"""Runs of a deployment of ours on the real server, and a keeper whose clock the test moves."""

from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State

from deployments.lost_runs import RunPatience
from deployments.run_keeper import RunKeeper

DAY = timedelta(days=1)


class Clock:
    """Stands still until it is moved; it starts where the server's is."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        """Later."""
        self.now += timedelta(seconds=seconds)


class Keeping:
    """Runs, and who keeps them."""

    def __init__(self, client: PrefectClient, deployment: UUID) -> None:
        self.client = client
        self.clock = Clock()
        self.keeper = self.another()
        self._deployment = deployment

    @classmethod
    async def prepared(cls, client: PrefectClient, name: str = "speechops", **more: Any) -> Self:
        """With a deployment under a flow of its own."""
        flow = await client.create_flow_from_name(f"kept-{uuid4().hex[:8]}")
        return cls(client, await client.create_deployment(flow_id=flow, name=name, **more))

    def another(self, **patience: float) -> RunKeeper:
        """A keeper that has just started."""
        return RunKeeper(self.client, RunPatience(**patience), self.clock)

    async def run(self, *states: State[Any], **more: Any) -> UUID:
        """A run that goes through these states."""
        run = await self.client.create_flow_run_from_deployment(self._deployment, **more)
        await self.move(run.id, *states)
        return run.id

    async def move(self, run: UUID, *states: State[Any]) -> None:
        """On to these states."""
        for state in states:
            await self.client.set_flow_run_state(run, state, force=True)

    async def read(self, run: UUID) -> FlowRun:
        """As it is on the server."""
        return await self.client.read_flow_run(run)

    async def state(self, run: UUID) -> str:
        """The name of its state."""
        return (await self.read(run)).state_name or ""

    async def after(self, *seconds: float) -> None:
        """The keeper looks, and looks again after each of these."""
        await self.keeper.look()
        for one in seconds:
            self.clock.move(one)
            await self.keeper.look()
