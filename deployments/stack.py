"""The local stack: Speech emulator, Prefect server, blocks, deployments, worker and receiver, while a context lasts."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

from deployments.addresses import EMULATOR_PORT, LOOPBACK, PREFECT_PORT, RECEIVER_PORT, REPORTS_PORT, claim_ports
from deployments.doorway import origins_of
from deployments.home import Home, Running, opened_home
from deployments.joining import login_link
from deployments.processes import Child, Children, shown
from deployments.proxies import loopback_without_proxy
from domain.mistakes import Mistake

OnStep = Callable[[str], None]

_PREFECT = (sys.executable, "-m", "prefect")
_SPEECHOPS = (sys.executable, "-m", "deployments.cli")
_FOREIGN = ("PREFECT_API_", "PREFECT_SERVER_", "PREFECT_PROFILE", "PREFECT_HOME", "PREFECT_CLOUD_", "PREFECT_UI_")
_SETTINGS = {
    "DO_NOT_TRACK": "1",
    "NO_COLOR": "1",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PYTHONUNBUFFERED": "1",
}


_WORKER_RETRIES = "7"
"""Of the worker's client. With Prefect's five it gives up, and ends, after 13 minutes without a server; so it lasts 50."""


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What the stack is started with.

    Attributes:
        home: folder for everything that it keeps; made when missing.
        project: folder with prefect.yaml and the flows; flow runs work there.
        prefect_port: port of Prefect's API and UI; 0 takes a free one.
        emulator_port: port of the emulator; 0 takes a free one.
        reports_port: port of the report pages; 0 takes a free one.
        receiver_port: port of the receiver of web hooks; 0 takes a free one.
        with_worker: whether to register deployments, run them and receive web hooks. Without, flows are called directly.
        patience: seconds that each program may take to get ready.
    """

    home: Path = Path(".speechops")
    project: Path = Path()
    prefect_port: int = PREFECT_PORT
    emulator_port: int = EMULATOR_PORT
    reports_port: int = REPORTS_PORT
    receiver_port: int = RECEIVER_PORT
    with_worker: bool = True
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Stack:
    """The running stack.

    Attributes:
        home: the folder with its data and logs, absolute.
        prefect_url: address of Prefect's UI.
        prefect_auth: user and password of Prefect's server, with a colon between them.
        emulator_url: base address of the emulator.
        emulator_key: the emulator's key.
        reports_url: address of the report pages.
        receiver_url: address of the receiver of web hooks, which knows the secret in `home.hook_secret` as GitHub's.
        env: environment for programs that use this stack, such as flows run in another process.
    """

    home: Home
    prefect_url: str
    prefect_auth: str = field(repr=False)
    emulator_url: str
    emulator_key: str = field(repr=False)
    reports_url: str
    receiver_url: str
    env: dict[str, str] = field(repr=False)
    children: Children = field(repr=False)

    @property
    def prefect_api_url(self) -> str:
        """What `PREFECT_API_URL` must be to work with this stack."""
        return Running(prefect_url=self.prefect_url).api_url

    @property
    def login_link(self) -> str:
        """Opens the UI, logged in: for the eyes of whoever started the stack."""
        return login_link(self.prefect_url, self.prefect_auth)

    def client(self) -> "PrefectClient":
        """A client of the stack's Prefect server, whatever this process's settings name; use it as a context."""
        from prefect.client.orchestration import PrefectClient

        return PrefectClient(api=self.prefect_api_url, auth_string=self.prefect_auth)

    async def first_to_end(self) -> Child:
        """Wait until one of the stack's programs ends, which none should."""
        return await self.children.first_to_end()


def _silent(step: str) -> None:
    """Tell nobody."""


@asynccontextmanager
async def running_stack(settings: StackSettings, on_step: OnStep = _silent) -> AsyncIterator[Stack]:
    """Start everything, wait until it is ready, and stop it all (worker, server, emulator) at the end.

    Meanwhile NO_PROXY of this process names the loopback, so that its own clients reach the stack.

    Args:
        settings: where, and what.
        on_step: is told what is being started, in order to show progress.

    Raises:
        Mistake: a port or the folder is in use, there is no prefect.yaml, or a program did not start.
    """
    if settings.with_worker and not (settings.project / "prefect.yaml").is_file():
        raise Mistake(
            f"there is no prefect.yaml in {shown(settings.project.resolve())}/. Start in the project's folder, or name it with --project."
        )
    with opened_home(settings.home) as home, loopback_without_proxy():
        prefect_port, emulator_port, reports_port, receiver_port = claim_ports(
            {
                "--prefect-port": settings.prefect_port,
                "--emulator-port": settings.emulator_port,
                "--reports-port": settings.reports_port,
                "--receiver-port": settings.receiver_port,
            }
        )
        prefect_url = f"http://{LOOPBACK}:{prefect_port}"
        auth, key = home.read_prefect_auth(), home.read_emulator_key()
        env = _environment(home, Running(prefect_url=prefect_url))
        async with Children(home.logs, settings.project.resolve(), env) as children:
            emulator_url = f"http://{LOOPBACK}:{emulator_port}"
            reports_url = f"http://{LOOPBACK}:{reports_port}"
            receiver_url = f"http://{LOOPBACK}:{receiver_port}"
            env = env | {"PREFECT_API_AUTH_STRING": auth}
            stack = Stack(home, prefect_url, auth, emulator_url, key, reports_url, receiver_url, env, children)
            await _start_services(stack, settings, prefect_port, emulator_port, on_step)
            await _start_reports(stack, settings, reports_port)
            await _register(stack, settings, on_step)
            if settings.with_worker:
                on_step("Receiver of web hooks")
                await _start_receiver(stack, settings, receiver_port)
            with home.announced(Running(prefect_url=prefect_url)):
                yield stack


async def _start_services(
    stack: Stack, settings: StackSettings, prefect_port: int, emulator_port: int, on_step: OnStep
) -> None:
    on_step("Speech emulator")
    emulator = [sys.executable, "-m", "emulator", "--host", LOOPBACK, "--port", str(emulator_port)]
    await stack.children.start(
        "the Speech emulator", "emulator", [*emulator, "--data", str(stack.home.emulator)],
        SPEECH_EMULATOR_KEY=stack.emulator_key,
    )  # fmt: skip
    await stack.children.start(
        "the Prefect server", "prefect-server", [sys.executable, "-m", "deployments.prefect_program", str(prefect_port)],
        PREFECT_SERVER_API_AUTH_STRING=stack.prefect_auth,
        PREFECT_SERVER_CORS_ALLOWED_ORIGINS=",".join(origins_of(prefect_port)),
    )  # fmt: skip
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        await stack.children.until(lambda: _emulator_answers(http, stack), "the Speech emulator", settings.patience)
        on_step("Prefect server (the first start takes 10 to 20 seconds)")
        await stack.children.until(lambda: _prefect_answers(http, stack), "the Prefect server", settings.patience)


async def _start_reports(stack: Stack, settings: StackSettings, port: int) -> None:
    command = [*_SPEECHOPS, "reports", "--store", str(stack.home.store), "--port", str(port)]
    await stack.children.start("the report pages", "reports", command)
    ready = f"{stack.reports_url}/reports"  # the front page leads elsewhere as soon as there are tracks
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        await stack.children.until(lambda: _is_ok(http, ready), "the report pages", settings.patience)


async def _start_receiver(stack: Stack, settings: StackSettings, port: int) -> None:
    command = [*_SPEECHOPS, "receiver", "--port", str(port), "--data", str(stack.home.receiver)]
    secret = stack.home.read_hook_secret()
    await stack.children.start(
        "the receiver", "receiver", command, SPEECHOPS_GITHUB_SECRET=secret, PREFECT_API_AUTH_STRING=stack.prefect_auth
    )
    ready = f"{stack.receiver_url}/readyz"
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        await stack.children.until(lambda: _is_ok(http, ready), "the receiver", settings.patience)


async def _register(stack: Stack, settings: StackSettings, on_step: OnStep) -> None:
    # Imported late, for it imports Prefect (one to two seconds), which `speechops --help` need not wait for.
    from deployments.deploying import deploy_flows, prepare_server
    from deployments.left_behind import end_left_behind
    from deployments.project_file import read_project
    from deployments.registration import ENGINE, POOL, Registration

    async with Registration(stack.client()) as registration:
        on_step("Blocks and work pool")
        await registration.save_blocks(stack.emulator_url, stack.emulator_key, stack.home.store, stack.reports_url)
        if not settings.with_worker:
            return
        await prepare_server(registration.client, [POOL], ENGINE)
        await end_left_behind(registration.client, POOL)
        worker = [*_PREFECT, "worker", "start", "--pool", POOL, "--name", registration.worker]
        login = {"PREFECT_API_AUTH_STRING": stack.prefect_auth}
        retries = stack.env.get("PREFECT_CLIENT_MAX_RETRIES", _WORKER_RETRIES)
        await stack.children.start("the worker", "worker", worker, **login, PREFECT_CLIENT_MAX_RETRIES=retries)
        on_step("Deployments and automations")
        run = partial(stack.children.run, "`prefect deploy`", "deploy", **login)
        await deploy_flows(registration.client, read_project(settings.project), run)
        on_step("Worker")
        await stack.children.until(registration.worker_is_online, "the worker", settings.patience)


def _environment(home: Home, running: Running) -> dict[str, str]:
    """This process's environment, without what would lead to another Prefect server."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    place = {"PREFECT_API_URL": running.api_url, "PREFECT_UI_URL": running.ui_url}
    return {**own, **_SETTINGS, "PREFECT_HOME": str(home.prefect), **place}


async def _emulator_answers(http: httpx.AsyncClient, stack: Stack) -> bool:
    url = f"{stack.emulator_url}/speechtotext/models/base"
    query = {"api-version": "2024-11-15", "top": "1"}
    return await _is_ok(http, url, params=query, headers={"Ocp-Apim-Subscription-Key": stack.emulator_key})


async def _prefect_answers(http: httpx.AsyncClient, stack: Stack) -> bool:
    return await _is_ok(http, f"{stack.prefect_api_url}/health")


async def _is_ok(
    http: httpx.AsyncClient, url: str, params: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> bool:
    try:
        return (await http.get(url, params=params, headers=headers)).is_success
    except httpx.TransportError:
        return False
