"""`speechops deploy` and `speechops automations`: what they do with the server that the environment names, and show."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.deploying import Done, deploy_flows, missing_blocks, prepare_server
from deployments.joining import joined
from deployments.project_file import read_project
from deployments.run_automations import Windows
from domain.mistakes import Mistake

_LAST_LINES: Final = 12


async def deploy(folder: Path, pool: str, settle: int) -> list[Done]:
    """Put everything of a project on the server.

    Args:
        folder: with prefect.yaml.
        pool: work pool to use instead of the one that prefect.yaml names; empty for that.
        settle: seconds in which no further blob may change before the data are looked at.

    Raises:
        Mistake: the server cannot be used, or prefect.yaml cannot.
    """
    project = read_project(folder, pool)

    async def run(command: Sequence[str]) -> None:
        await run_command(command, project.folder)

    async with server() as client:
        done = await prepare_server(client, project.pools)
        done += await deploy_flows(client, project, run, Windows(settle=timedelta(seconds=settle)))
        return done + await missing_blocks(client, project)


@asynccontextmanager
async def server() -> AsyncIterator[PrefectClient]:
    """A client of the server that the environment, or the Prefect profile, names.

    Raises:
        Mistake: none is named, it does not answer, or it refuses.
    """
    if not PREFECT_API_URL.value():
        raise Mistake(
            'no Prefect server is named. For that of `speechops up`, type eval "$(speechops env)"; for another one, set '
            "PREFECT_API_URL, such as https://prefect.example.org/api, or use `prefect cloud login`."
        )
    try:
        with joined():
            async with get_client() as client:
                yield client
    except httpx.TransportError as error:
        raise Mistake(
            f"the Prefect server at {address()} does not answer ({type(error).__name__}). Is it running, and is "
            "PREFECT_API_URL right?"
        ) from None
    except PrefectHTTPStatusError as error:
        raise Mistake(
            f"the Prefect server at {address()} refused {error.request.method} {error.request.url.path} "
            f"({error.response.status_code}). With 401 or 403, see PREFECT_API_KEY or PREFECT_API_AUTH_STRING; for the "
            'server of `speechops up`, type eval "$(speechops env)".'
        ) from None


def address() -> str:
    """The server's address, without a password that may stand in it."""
    parts = urlsplit(PREFECT_API_URL.value() or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


async def run_command(command: Sequence[str], folder: Path) -> None:
    """Run a command in a folder, silently.

    Raises:
        Mistake: it failed; the message is the end of what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()][-_LAST_LINES:]
        raise Mistake("`prefect deploy` failed; the end of what it said:" + "".join(f"\n  | {line}" for line in lines))


def show_done(done: Sequence[Done], console: Console) -> None:
    """A table of what was done on which server."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("what", "name", "outcome"):
        table.add_column(name, overflow="fold", no_wrap=name == "what")
    for one in done:
        table.add_row(Text(one.kind), Text(one.name), Text(one.outcome))
    console.print(Text(f"On {address()}:"), soft_wrap=True)
    console.print(table)
