"""Plans: what is under way, what goes wrong, and where; each a value that follows from its seed alone."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Literal

World = Literal["sqlite", "postgres"]

FLOWS = ("data-update", "testing-update", "training-update", "rollback")
"""What the kills of each program are spread over."""

POINTS = {"data-update": 12, "testing-update": 66, "training-update": 136, "rollback": 34, "deploy": 42}
"""How many counted points a run of each flow has, about; a later one is never reached."""

KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "kill flow": (84, (*FLOWS, "training-update", "deploy")),
    "kill host": (20, FLOWS),
    "kill worker": (20, FLOWS),
    "stop worker": (20, FLOWS),
    "kill server": (24, FLOWS),
    "kill receiver": (20, FLOWS),
    "kill emulator": (20, FLOWS),
    "server away 5 s": (8, FLOWS),
    "server away 100 s": (8, FLOWS),
    "server away 10 min": (8, FLOWS),
    "cancel": (24, (*FLOWS, "deploy", "approval")),
    "two rollbacks": (6, ("rollback",)),
    "rollback beside a push": (6, ("rollback", "training-update")),
    "approve and reject": (6, ("approval",)),
    "disk full": (20, (*FLOWS, "deploy")),
    "read-only store": (20, (*FLOWS, "deploy")),
    "equal data": (4, ("training-update",)),
    "storm": (2, ("training-update",)),
}
"""How many plans of each kind there are, and the flows under way in turn."""

AWAY_SECONDS = {"server away 5 s": 5, "server away 100 s": 100, "server away 10 min": 600}


@dataclass(frozen=True)
class Plan:
    """One plan.

    Attributes:
        seed: its number.
        world: which stack plays it.
        fault: what goes wrong, one of `KINDS`.
        flow: what is under way: the flow whose points are counted; `approval` is training-update on a track that asks.
        at: the number of the point.
    """

    seed: int
    world: World
    fault: str
    flow: str
    at: int

    @property
    def name(self) -> str:
        """As a test is called."""
        return f"seed-{self.seed:03}-{self.world}-{self.fault}-{self.flow}".replace(" ", "_")

    @property
    def counted(self) -> str:
        """The flow whose points are counted."""
        return "training-update" if self.flow == "approval" else self.flow

    def chance(self) -> Random:
        """For what else has to be chosen."""
        return Random(f"speechops {self.seed}")


def all_plans() -> tuple[Plan, ...]:
    """Every plan; the first of them are a fair sample of all."""
    chosen: list[tuple[str, str, World]] = []
    worlds: tuple[World, World] = ("sqlite", "postgres")
    for fault, (count, flows) in KINDS.items():
        for number in range(count):
            flow = flows[number // 2 % len(flows)]
            chosen.append((fault, flow, worlds[number % 2]))
    Random(2026).shuffle(chosen)
    return tuple(_plan(seed, *one) for seed, one in enumerate(chosen))


def _plan(seed: int, fault: str, flow: str, world: World) -> Plan:
    counted = "training-update" if flow == "approval" else flow
    at = 1 + Random(f"point {seed}").randrange(POINTS[counted])
    return Plan(seed, world, fault, flow, at)


def counts(plans: tuple[Plan, ...]) -> Counter[str]:
    """How many of each kind."""
    return Counter(plan.fault for plan in plans)
