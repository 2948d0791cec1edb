"""What goes wrong: each fault as what the conductor does when a flow process stands at a point."""

import asyncio
from collections.abc import Callable

from prefect.states import Cancelling

from tests.chaos.compressed import FACTOR
from tests.chaos.conductor import Act, Point
from tests.chaos.facts import patiently
from tests.chaos.plans import AWAY_SECONDS, Plan
from tests.chaos.services import Service
from tests.chaos.world import World

Tell = Callable[[str], None]
_GENTLE_SECONDS = 90


def act_of(world: World, plan: Plan, tell: Tell) -> Act:
    """What the plan's fault does at its point, and then the flow process."""

    async def act(point: Point) -> str:
        tell(f"{plan.fault} at point {point.number} of {plan.counted} {point.run}: {point.name}")
        match plan.fault:
            case "kill flow":
                return "die"
            case "disk full":
                return "disk full"
            case "read-only store":
                return "read-only"
            case "cancel":
                await patiently(lambda: world.client.set_flow_run_state(point.run, Cancelling()))
            case "kill host":
                await take_down(world, _worker(world, plan), tell)
                return "die"
            case "kill worker":
                await take_down(world, _worker(world, plan), tell)
            case "stop worker":
                await take_down(world, _worker(world, plan), tell, gently=True)
            case "kill server" | "kill receiver" | "kill emulator":
                await take_down(world, world.services[plan.fault.removeprefix("kill ")], tell)
            case away if away in AWAY_SECONDS:
                await take_down(world, world.services["server"], tell, seconds=AWAY_SECONDS[away] / FACTOR)
        return "go"

    return act


def _worker(world: World, plan: Plan) -> Service:
    return plan.chance().choice(world.workers)


async def take_down(world: World, service: Service, tell: Tell, *, seconds: float = 0.0, gently: bool = False) -> None:
    """Kill a service, or let it end; it comes back after so many seconds, while everything else goes on."""
    await service.busy.acquire()
    service.outages += 1
    tell(f"{service.name} goes")
    if not gently:
        await service.kill()
    repair = asyncio.create_task(_bring_back(service, tell, seconds, gently=gently))
    world.repairs.add(repair)
    repair.add_done_callback(world.repairs.discard)


async def _bring_back(service: Service, tell: Tell, seconds: float, *, gently: bool) -> None:
    try:
        if gently:
            try:
                await asyncio.wait_for(service.stop(), _GENTLE_SECONDS)
            except TimeoutError:
                tell(f"{service.name} did not end within {_GENTLE_SECONDS} s of SIGTERM")
                await service.kill()
        await asyncio.sleep(seconds)
        await service.start()
        tell(f"{service.name} is back")
    finally:
        service.busy.release()
