"""Plays plans on one world, a few at a time: `python -m tests.chaos.stage sqlite 17 23`.

Prints one line of JSON for each plan that is over. It is a process of its own, so that a plan that failed can be played
again alone, by hand as in a test, and so that no test's warnings or captures are in its way.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from tests.chaos.crowds import Crowd
from tests.chaos.plans import Plan, all_plans
from tests.chaos.playing import CALM, Play, Result
from tests.chaos.world import World, opened

CROWDS = ("equal data", "storm")


async def play_all(kind: str, plans: Iterable[Plan], folder: Path) -> None:
    """Play plans on a new world; those with many tracks alone, at the end."""
    chosen = sorted(plans, key=lambda plan: plan.fault in CROWDS)
    began = monotonic()
    watch = asyncio.create_task(_end_with_parent())
    async with opened(kind, folder) as world:
        _say(up=monotonic() - began)
        await asyncio.gather(*(_play(world, plan) for plan in chosen if plan.fault not in CROWDS))
        for plan in chosen:
            if plan.fault in CROWDS:
                await _play(world, plan)
        calm = await Play(
            world, world.free.get_nowait(), Plan(len(all_plans()), world.kind, CALM, "training-update", 0)
        ).play()
        _say(
            house=calm.violations,
            log=calm.log,
            points=world.conductor.passed,
            cpu=world.cpu_seconds,
            seconds=monotonic() - began,
        )
    watch.cancel()


async def _end_with_parent() -> None:
    """Whoever started the stage may be killed: then nobody wants to know any more, and all programs have to go."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  (nothing tells of it)
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


async def _play(world: World, plan: Plan) -> None:
    lane = await world.free.get()
    try:
        play = (Crowd if plan.fault in CROWDS else Play)(world, lane, plan)
        try:
            result = await play.play()
        except Exception as error:  # of the harness: it must not take the other plans along
            result = play.result
            result.violations.append(f"{type(error).__name__}: {error}")
        _say(result=_as_json(result))
    finally:
        world.free.put_nowait(lane)


def _as_json(result: Result) -> dict[str, object]:
    return {**asdict(result), "plan": result.plan.seed}


def _say(**told: object) -> None:
    print(json.dumps(told), flush=True)


def main(kind: str, seeds: Iterable[int]) -> None:
    """Play, and leave nothing."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    every = all_plans()
    with (
        tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder,
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(play_all(kind, [every[seed] for seed in seeds], Path(folder) / "world"))


if __name__ == "__main__":
    main(sys.argv[1], map(int, sys.argv[2:]))
