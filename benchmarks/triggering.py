"""From a web hook to our code: how long until Prefect has the flow run, and until data-update runs.

Each push is told to the receiver of a local stack, after a pause of another length each time, so that the worker's polling is
met at every phase. Nothing has to run for these pushes, so that nothing else is busy. The peer is the same stack with a process
worker as Prefect ships it.
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from prefect.client.orchestration import PrefectClient
from pydantic import SecretStr

from deployments import registration
from deployments import stack as stacks
from deployments.flow_runs import update_since, watched
from deployments.post_receive import Teller
from deployments.receiver.deliveries import Push
from deployments.stack import Stack, StackSettings, running_stack
from tasks.git_block import GitData

PROJECT = Path(__file__).parents[1]
OURS = dict(stacks._SETTINGS)
AS_SHIPPED = {name: value for name, value in OURS.items() if not name.startswith("PREFECT_WORKER_")}


async def main() -> None:
    """Measure both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=12)
    pushes = parser.parse_args().pushes
    print(f"{'':28}{'run created':>20}{'our code runs':>20}   seconds after the hook, median and worst of {pushes}")
    for name, settings, command in (
        ("worker as `speechops up`", OURS, registration.ENGINE),
        ("process worker as shipped", AS_SHIPPED, None),
    ):
        stacks._SETTINGS.clear()
        stacks._SETTINGS.update(settings)
        registration.ENGINE = command  # type: ignore[assignment]
        created, running = zip(*await measure(pushes), strict=True)
        print(f"{name:28}{shown(created):>20}{shown(running):>20}", flush=True)


async def measure(pushes: int) -> list[tuple[float, float]]:
    """Seconds until the run was created, and until it ran, for each push."""
    with tempfile.TemporaryDirectory() as scratch:
        repository = Path(scratch) / "data.git"
        git(Path(scratch), "init", "--quiet", "--bare", "--initial-branch=main", str(repository))
        settings = StackSettings(
            home=Path(scratch) / "home", project=PROJECT,
            prefect_port=0, emulator_port=0, reports_port=0, receiver_port=0,
        )  # fmt: skip
        async with running_stack(settings) as stack, stack.client() as client:
            await GitData(address=repository.as_uri()).asave("bench", client=client)
            await one(stack, client, repository)  # the first one warms caches
            return [await one(stack, client, repository) for _ in range(pushes)]


async def one(stack: Stack, client: PrefectClient, repository: Path) -> tuple[float, float]:
    """Tell of a push, and follow its run to the end."""
    await asyncio.sleep(random.uniform(1, 11))
    push = commit(repository)
    secret = SecretStr(stack.home.read_hook_secret())
    began = datetime.now(UTC)
    await asyncio.to_thread(Teller(stack.receiver_url, secret, push.repository, push.address).tell, push)
    run = await watched(client, await update_since(client, "bench", began), lambda task, state: None)
    if run.created is None or run.start_time is None:
        raise RuntimeError(f"the run of data-update ended as {run.state_name}")
    return (run.created - began).total_seconds(), (run.start_time - began).total_seconds()


def commit(repository: Path) -> Push:
    """A new commit on main, in a bare repository."""
    tree = git(repository, "hash-object", "-t", "tree", "-w", "--stdin")
    before = subprocess.run(
        ["git", "-C", repository, "rev-parse", "--verify", "main"], capture_output=True, text=True, check=False
    ).stdout.strip()
    parents = ("-p", before) if before else ()
    after = git(
        repository,
        "-c",
        "user.name=b",
        "-c",
        "user.email=b@b",
        "commit-tree",
        tree,
        "-m",
        str(random.random()),
        *parents,
    )
    git(repository, "update-ref", "refs/heads/main", after)
    return Push(
        repository="bench", address=repository.as_uri(), ref="refs/heads/main", before=before or "0" * 40, after=after
    )


def git(folder: Path, *words: str) -> str:
    """Run git."""
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True, input="")
    return done.stdout.strip()


def shown(seconds: tuple[float, ...]) -> str:
    """Median and worst."""
    return f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"


if __name__ == "__main__":
    asyncio.run(main())
