"""Who decides what happens when a flow process reaches a counted point; see `checkpoints` for the other end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient

Act = Callable[["Point"], Awaitable[str]]
"""What happens at a point; the answer is what the process itself does then: go, die, disk full, read-only."""


@dataclass(frozen=True)
class Point:
    """Where a flow process stands."""

    run: UUID
    pid: int
    name: str
    number: int


@dataclass(eq=False)
class Order:
    """What is to happen, once, at a point of the next process that runs a flow for a track or a source."""

    flow: str
    subject: str
    at: int | str
    """Its number, or its name."""
    act: Act
    fired: str = ""
    """The point at which it happened."""


@dataclass
class Conductor:
    """Listens to all flow processes of a stack."""

    client: PrefectClient
    flows: dict[UUID, str]
    """Names of flows by deployment."""
    orders: list[Order] = field(default_factory=list)
    alive: dict[int, UUID] = field(default_factory=dict)
    """The flow run of each engine that lives, by its pid."""
    passed: dict[str, list[int]] = field(default_factory=dict)
    """How many points whole runs of each flow had."""

    async def listen(self, path: Path) -> asyncio.Server:
        """Take connections."""
        return await asyncio.start_unix_server(self._accompany, path)

    async def _accompany(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One flow process, until it ends."""
        pid = 0
        try:
            hello = await _read(reader)
            pid, run = int(hello["pid"]), UUID(hello["run"])
            self.alive[pid] = run
            flow, orders = await self._orders_for(run)
            _write(writer, stops=[order.at for order in orders])
            while told := await _read(reader):
                if "passed" in told:
                    self.passed.setdefault(flow, []).append(int(told["passed"]))
                    continue
                point = Point(run, pid, str(told["point"]), int(told["number"]))
                _write(writer, do=await self._act(orders, point))
        except (OSError, EOFError):
            pass
        finally:
            self.alive.pop(pid, None)
            writer.close()

    async def _act(self, orders: list[Order], point: Point) -> str:
        done = "go"
        for order in orders:
            if order.at in (point.number, point.name) and not order.fired:
                order.fired = f"{point.number}: {point.name}"
                done = await order.act(point)
        return done

    async def _orders_for(self, run: UUID) -> tuple[str, list[Order]]:
        for _ in range(5):
            with suppress(Exception):  # the server may be away; then nothing is ordered for this life
                found = await self.client.read_flow_run(run)
                flow = self.flows.get(found.deployment_id or run, "")
                subjects = {found.parameters.get("track"), found.parameters.get("source")}
                mine = [one for one in self.orders if not one.fired and one.flow == flow and one.subject in subjects]
                return flow, mine
            await asyncio.sleep(0.2)
        return "", []


async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
    line = await reader.readline()
    return json.loads(line) if line else {}


def _write(writer: asyncio.StreamWriter, **told: object) -> None:
    writer.write(json.dumps(told).encode() + b"\n")
