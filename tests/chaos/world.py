"""A whole stack of real programs: Prefect's server, workers, the receiver and the emulator, with repositories and a store."""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pydantic import SecretStr

from deployments.addresses import claim_ports
from deployments.applying import our_deployments
from deployments.deploying import deploy_flows, prepare_server
from deployments.project_file import read_project
from deployments.registration import POOL, register_block_types
from deployments.run_automations import Windows
from tasks.blocks import LocalStore, SpeechResource
from tasks.git_block import GitData
from tasks.store import LocalFolder
from tests.chaos.checkpoints import CONDUCTOR
from tests.chaos.conductor import Conductor
from tests.chaos.lanes import Lane
from tests.chaos.services import ROOT, Service
from tests.deployments.receiver.postgres_kit import postgres
from tests.emulator.service_kit import ENGINE, KEY, Caller

WINDOWS = Windows(
    settle=timedelta(seconds=10),
    vanished=timedelta(minutes=6),
    stuck=timedelta(minutes=6),
    retry=timedelta(seconds=30),
)
"""A tenth of what they are in production, and no less than Prefect takes."""

LANES = {"sqlite": 3, "postgres": 6}
"""Plans that are played at the same time, each in a repository of its own."""

_HOST = Path(__file__).with_name("engine_client.py")


@dataclass
class World:
    """The stack."""

    kind: str
    folder: Path
    client: PrefectClient
    http: httpx.AsyncClient
    services: dict[str, Service]
    conductor: Conductor
    lanes: list[Lane]
    deployments: dict[str, UUID]
    store: LocalFolder
    free: "asyncio.Queue[Lane]" = field(default_factory=asyncio.Queue)
    repairs: "set[asyncio.Task[None]]" = field(default_factory=set)
    """Outages that go on."""

    @property
    def workers(self) -> list[Service]:
        """One, or two."""
        return [service for name, service in self.services.items() if name.startswith("worker")]

    @property
    def speech(self) -> Caller:
        """Calls the emulator."""
        return Caller(self.http)

    @property
    def cpu_seconds(self) -> dict[str, float]:
        """What each service has used so far, its ended children included."""
        return {name: cpu_of(one.process.pid) for name, one in self.services.items() if one.process}

    @property
    def temporary(self) -> Path:
        """Where flow processes put what they need for a moment."""
        return self.folder / "tmp"


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[World]:
    """The stack of a kind, `sqlite` or `postgres`; all of it ends with the context."""
    async with AsyncExitStack() as stack:
        database = await _database(stack) if kind == "postgres" else ""
        ports = dict(zip(("server", "emulator", "receiver"), claim_ports({"a": 0, "b": 0, "c": 0}), strict=True))
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        secret = secrets.token_hex(16)
        for part in ("tmp", "logs", "prefect"):
            (folder / part).mkdir(parents=True)
        env = _environment(folder, urls["server"], secret, database)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        headers = {"Ocp-Apim-Subscription-Key": KEY}
        speech = await stack.enter_async_context(
            httpx.AsyncClient(base_url=urls["emulator"], headers=headers, timeout=30, trust_env=False)
        )
        services = _services(kind, folder, ports, env, http)
        stack.callback(lambda: [service.end() for service in services.values()])
        first = [services[name] for name in ("host", "server", "emulator")]
        await asyncio.gather(*(service.start() for service in first))
        own = {PREFECT_API_URL: env["PREFECT_API_URL"], PREFECT_CLIENT_MAX_RETRIES: 0}
        stack.enter_context(temporary_settings(own))
        client = await stack.enter_async_context(PrefectClient(api=env["PREFECT_API_URL"]))
        lanes = [Lane(f"lane{n}", folder / "lanes" / str(n), urls["receiver"], secret) for n in range(LANES[kind])]
        deployments = await _deploy(client, folder, urls["emulator"], lanes, env)
        conductor = Conductor(client, {one: name for name, one in deployments.items()})
        listener = await conductor.listen(folder / "conductor.sock")
        stack.callback(listener.close)
        rest = [service for service in services.values() if service not in first]
        await asyncio.gather(*(service.start() for service in rest))
        store = LocalFolder(folder / "store")
        world = World(kind, folder, client, speech, services, conductor, lanes, deployments, store)
        for lane in lanes:
            world.free.put_nowait(lane)
        yield world


async def _database(stack: AsyncExitStack) -> str:
    url = stack.enter_context(postgres())
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE prefect")
    await connection.close()
    return url


def _environment(folder: Path, server: str, secret: str, database: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SPEECHOPS_"))}
    env = own | {
        "DO_NOT_TRACK": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PREFECT_API_URL": f"{server}/api",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_LOGGING_COLORS": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "SPEECHOPS_RUNS_LOOK_SECONDS": "4",
        "SPEECHOPS_RUNS_VANISHED_SECONDS": "40",
        "SPEECHOPS_RUNS_STUCK_SECONDS": "60",
        "SPEECHOPS_RUNS_ASLEEP_SECONDS": "130",
        "SPEECHOPS_RUNS_AGAIN_SECONDS": "3",
        "SPEECHOPS_DATA": str(folder / "receiver"),
        "SPEECHOPS_GITHUB_SECRET": secret,
        "TMPDIR": str(folder / "tmp"),
        CONDUCTOR: str(folder / "conductor.sock"),
    }
    if database:
        env["SPEECHOPS_OUTBOX_URL"] = database
        env["PREFECT_API_DATABASE_CONNECTION_URL"] = database.replace(
            "postgresql://speechops@/postgres", "postgresql+asyncpg://speechops@/prefect"
        )
    return env


def _services(
    kind: str, folder: Path, ports: dict[str, int], env: dict[str, str], http: httpx.AsyncClient
) -> dict[str, Service]:
    def answers(name: str, path: str, **headers: str) -> Callable[[], "asyncio.Future[bool]"]:
        return partial(_answers, http, f"http://127.0.0.1:{ports[name]}{path}", headers)  # type: ignore[return-value]

    async def always() -> bool:
        return True

    async def hosted() -> bool:
        return (folder / "host.sock").exists()

    def service(name: str, *words: str, ready: Callable[[], object], whole: bool = True) -> Service:
        return Service(name, words, env, folder / "logs" / f"{name}.log", ready, whole)  # type: ignore[arg-type]

    port = {name: str(number) for name, number in ports.items()}
    prefect = ("-m", "prefect")
    words = ("--data", str(folder / "emulator"), "--key", KEY, "--engine", ENGINE, "--port", port["emulator"])
    emulator = ("-m", "emulator", *words, "--speed", "instant", "--retry-after", "0", "--workers", "1")
    start = (*prefect, "server", "start", "--host", "127.0.0.1", "--port", port["server"], "--no-ui")
    worker = (*prefect, "worker", "start", "--pool", POOL, "--name")
    services = [
        service("host", "-m", "tests.chaos.engine_host", str(folder / "host.sock"), ready=hosted),
        service("server", *start, ready=answers("server", "/api/health")),
        service("emulator", *emulator, ready=answers("emulator", "/_emulator/health")),
        service(
            "receiver", "-m", "tests.chaos.receiver_program", port["receiver"], ready=answers("receiver", "/readyz")
        ),
    ]
    names = ["worker-1", "worker-2"] if kind == "postgres" else ["worker-1"]
    services += [service(name, *worker, name, ready=always, whole=False) for name in names]
    return {one.name: one for one in services}


async def _answers(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> bool:
    with suppress(httpx.TransportError):
        return (await http.get(url, headers=headers)).is_success
    return False


async def _deploy(
    client: PrefectClient, folder: Path, emulator: str, lanes: list[Lane], env: dict[str, str]
) -> dict[str, UUID]:
    """What `speechops up` does on its server, with our short cut as the work pool's command."""
    await register_block_types(client)
    speech = SpeechResource(endpoint=emulator, key=SecretStr(KEY))
    for block in (speech, LocalStore(folder=folder / "store")):
        await block.asave("speechops", overwrite=True, client=client)
    for lane in lanes:
        lane.make()
        await GitData(address=lane.origin.as_uri(), lfs=False).asave(lane.name, overwrite=True, client=client)
    await prepare_server(client, [POOL], f"{sys.executable} -I -S {_HOST} {folder / 'host.sock'}")

    async def run(words: object) -> None:
        program = await asyncio.create_subprocess_exec(*words, cwd=ROOT, env=env, stdout=asyncio.subprocess.DEVNULL)  # type: ignore[misc]
        assert await program.wait() == 0

    await deploy_flows(client, read_project(ROOT), run, WINDOWS)
    return {name.partition("/")[0]: one for name, one in (await our_deployments(client)).items()}


def cpu_of(pid: int) -> float:
    """Seconds of a process and of its children that have ended; of one life only, and only where there is /proc."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def removed(folder: Path) -> None:
    """Nothing of a world is kept, unless somebody wants to look."""
    shutil.rmtree(folder, ignore_errors=True)
