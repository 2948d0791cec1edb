"""Which plans are played, and who plays them.

CHAOS_PLANS chooses how many of all plans (a number, or `all`); a plan that is named (`-k seed-017`) is played whatever that
says. CHAOS_FIGURES=1 writes docs/reliability.md.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import figures
from tests.chaos.plans import Plan, all_plans
from tests.chaos.services import ROOT

FEW = 24
"""Plans that `make slow` plays, for it has other things to do."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what CHAOS_PLANS leaves out; one world after the other."""
    wanted = os.environ.get("CHAOS_PLANS", str(FEW))
    named = "seed-" in config.getoption("keyword") or any("seed-" in one for one in config.args)
    most = len(all_plans()) if wanted == "all" or named else int(wanted)
    mine = [item for item in items if plan_of(item)]
    left_out = [item for item in mine if plan_of(item).seed >= most]  # type: ignore[union-attr]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    kept = sorted((item for item in mine if item not in left_out), key=_world_first)
    last = [item for item in items if item.name == "test_the_house_is_clean_in_the_end"]
    items[:] = [item for item in items if not plan_of(item) and item not in last] + kept + last


def plan_of(item: pytest.Item) -> Plan | None:
    """The plan that a test plays."""
    found = getattr(item, "callspec", None)
    plan = found.params.get("plan") if found else None
    return plan if isinstance(plan, Plan) else None


def _world_first(item: pytest.Item) -> tuple[str, int]:
    plan = plan_of(item)
    assert plan
    return plan.world, plan.seed


@dataclass
class Stage:
    """One world, in a process of its own, with the plans that were chosen for it."""

    process: subprocess.Popen[str]
    log: Path
    told: dict[int, dict[str, Any]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def result(self, seed: int) -> dict[str, Any]:
        """What came of a plan, once it is over."""
        while seed not in self.told:
            self._read()
        return self.told[seed]

    def house(self) -> dict[str, Any]:
        """What is left when all are over, and what it took."""
        while "house" not in self.last:
            self._read()
        return self.last

    def _read(self) -> None:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"the stage ended early:\n{self.log.read_text()[-4000:]}"
        said = json.loads(line)
        if "result" in said:
            self.told[said["result"]["plan"]] = said["result"]
        else:
            self.last |= said


class Theatre:
    """The stages of this session: one at a time."""

    def __init__(self, plans: list[Plan], folder: Path) -> None:
        self.plans = plans
        self.stages: dict[str, Stage] = {}
        self._folder = folder

    def stage(self, world: str) -> Stage:
        """The world's, started when it is first asked for and after the one before is over."""
        if world not in self.stages:
            for before in self.stages.values():
                before.house()
            seeds = [str(plan.seed) for plan in self.plans if plan.world == world]
            log = self._folder / f"{world}.log"
            with log.open("w") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.chaos.stage", world, *seeds],
                    cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True,
                )  # fmt: skip
            self.stages[world] = Stage(process, log)
        return self.stages[world]

    def results(self) -> Iterator[tuple[Plan, Mapping[str, object]]]:
        """All that were played."""
        every = all_plans()
        for stage in self.stages.values():
            for seed, told in stage.told.items():
                yield every[seed], told

    def close(self) -> None:
        """End what still goes on, as after Ctrl-C."""
        for stage in self.stages.values():
            stage.process.terminate()
            stage.process.wait()
            if stage.process.stdout:
                stage.process.stdout.close()


@pytest.fixture(scope="session")
def theatre(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Plays what was chosen; writes the figures when it is told to."""
    plans = [plan for item in request.session.items if (plan := plan_of(item))]
    theatre = Theatre(plans, tmp_path_factory.mktemp("chaos"))
    yield theatre
    theatre.close()
    results = list(theatre.results())
    if os.environ.get("CHAOS_FIGURES") and len(results) == len(plans):  # figures of a part would say too much
        figures.write(results)


Played = Callable[[Plan], Mapping[str, Any]]


@pytest.fixture
def played(theatre: Theatre) -> Played:
    """Plays a plan, or waits for it: plans of one world go on side by side."""
    return lambda plan: theatre.stage(plan.world).result(plan.seed)
