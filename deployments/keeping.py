"""The program behind `speechops keep-runs`: a `RunKeeper` alone, for a Prefect server without a receiver."""

import asyncio
import contextlib
import logging

import typer
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from deployments.deploy_command import address
from deployments.lost_runs import RunPatience
from deployments.proxies import loopback_without_proxy
from deployments.run_keeper import RunKeeper
from domain.mistakes import Mistake


def keep_runs() -> None:
    """Look after the runs of the server that the environment, or the Prefect profile, names, until the process is stopped.

    Raises:
        Mistake: none is named, or a setting is wrong.
    """
    if not PREFECT_API_URL.value():
        raise Mistake(
            "no Prefect server is named. Set PREFECT_API_URL, such as http://127.0.0.1:4200/api, or use `prefect cloud login`."
        )
    patience = RunPatience.read()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("deployments.run_keeper").setLevel(logging.INFO)
    typer.echo(f"Runs on the Prefect server at {address()} are looked after every {patience.look_seconds:g} seconds")
    with loopback_without_proxy(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_keep(patience))


async def _keep(patience: RunPatience) -> None:
    async with get_client() as client:
        await RunKeeper(client, patience).run()
