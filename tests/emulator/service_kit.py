"""What tests of the service share: a caller, data to upload, and ways to run the emulator."""

import asyncio
import base64
import contextlib
import io
import os
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from emulator.app import create_app
from emulator.clock import Clock, exact_utc_now
from emulator.settings import Settings
from tests.contract.emulator_spec import check, check_any, is_here
from tests.emulator.fake_engine import wav

KEY = "a-key-for-tests"
VERSION = "2024-11-15"
ENGINE = "tests.emulator.fake_engine"


async def judge_any(response: httpx.Response) -> None:
    """Hold every answer under /speechtotext against Microsoft's specification, in whatever test it is given."""
    if response.request.url.path.startswith("/speechtotext/") and is_here():
        await response.aread()
        check_any(response)


class Caller:
    """Calls operations by their path, waits, and uploads."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        http.event_hooks["response"].append(judge_any)

    async def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> httpx.Response:
        """One request under /speechtotext."""
        parameters = {"api-version": VERSION, **(query or {})}
        return await self.http.request(method, f"/speechtotext{path}", params=parameters, **kwargs)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The body of a GET that must succeed."""
        answer = await self.call("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The body of a create that must succeed."""
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def refused(self, method: str, path: str, status: int, **kwargs: Any) -> dict[str, Any]:
        """The error of a request that must be refused so."""
        answer = await self.call(method, path, **kwargs)
        assert answer.status_code == status, answer.text
        error: dict[str, Any] = answer.json()
        return error

    async def final(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """The entity once its job has ended."""
        while True:
            answer = await self.http.get(entity["self"])
            found: dict[str, Any] = answer.json()
            if found["status"] in ("Succeeded", "Failed"):
                return found
            await asyncio.sleep(0.01)

    async def state(self) -> dict[str, Any]:
        """The counters of what was really done."""
        counters: dict[str, Any] = (await self.http.get("/_emulator/state")).json()["counters"]
        return counters

    async def dataset(self, kind: str, content: bytes, **body: Any) -> dict[str, Any]:
        """A dataset, uploaded in one block and imported."""
        fields = {"displayName": f"my {kind}", "locale": "en-US", "kind": kind, **body}
        dataset = await self.post("/datasets", **fields)
        await self.upload(dataset, content)
        return await self.final(dataset)

    async def upload(self, dataset: Mapping[str, Any], content: bytes) -> None:
        """Put one block and commit it."""
        path = path_of(dataset)
        block = block_id(0)
        put = await self.call("PUT", f"{path}/blocks", query={"blockid": block}, content=content)
        assert put.status_code == 201, put.text
        commit = await self.call("POST", f"{path}/blocks:commit", json=[{"kind": "Latest", "id": block}])
        assert commit.status_code == 200, commit.text

    async def model(self, *datasets: Mapping[str, Any], **body: Any) -> dict[str, Any]:
        """A trained model."""
        references = [{"self": dataset["self"]} for dataset in datasets]
        model = await self.post("/models", displayName="my model", locale="en-US", datasets=references, **body)
        return await self.final(model)

    async def base_model(self) -> dict[str, Any]:
        """The newest base model."""
        models = (await self.get("/models/base"))["values"]
        newest: dict[str, Any] = max(models, key=lambda model: model["createdDateTime"])
        return newest

    async def evaluation(self, one: Mapping[str, Any], two: Mapping[str, Any], on: Mapping[str, Any]) -> dict[str, Any]:
        """A finished evaluation."""
        return await self.final(await self.start_evaluation(one, two, on))

    async def start_evaluation(
        self, one: Mapping[str, Any], two: Mapping[str, Any], on: Mapping[str, Any]
    ) -> dict[str, Any]:
        """An evaluation that has only been created."""
        references = {"model1": one, "model2": two, "dataset": on}
        bodies = {name: {"self": entity["self"]} for name, entity in references.items()}
        return await self.post("/evaluations", displayName="my evaluation", locale="en-US", **bodies)

    async def contents(self, entity: Mapping[str, Any]) -> dict[str, bytes]:
        """The files of an entity by name, read without a key."""
        files = (await self.get(f"{path_of(entity)}/files", top=1000))["values"]
        found = {}
        for file in files:
            answer = await self.http.get(file["links"]["contentUrl"], headers={"Ocp-Apim-Subscription-Key": ""})
            assert answer.status_code == 200, answer.text
            found[file["name"]] = answer.content
        return found


def judge(answer: httpx.Response) -> None:
    """Assert that Microsoft's specification declares this answer, where the specification is at hand."""
    if is_here():
        check(answer)


def path_of(entity: Mapping[str, Any]) -> str:
    """`/datasets/<id>` from an entity's `self`."""
    return str(httpx.URL(entity["self"]).path).removeprefix("/speechtotext")


def id_of(entity: Mapping[str, Any]) -> str:
    """The id in an entity's `self`."""
    return path_of(entity).rsplit("/", 1)[-1]


def block_id(number: int) -> str:
    """A block id like the SDKs make them."""
    return base64.b64encode(f"{number:08}".encode()).decode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def recordings(*spoken: str, **extra: bytes) -> bytes:
    """An Acoustic archive in Microsoft's form: flat, trans.txt with BOM."""
    files = {f"{number}.wav": wav(text) for number, text in enumerate(spoken)}
    lines = "\r\n".join(f"{number}.wav\t{text}" for number, text in enumerate(spoken))
    return zipped({**files, "trans.txt": b"\xef\xbb\xbf" + lines.encode(), **extra})


def settings_for(data: Path, **changes: Any) -> Settings:
    """An emulator that works in its own process, and tries notifications again at once."""
    values = {"data": data, "key": SecretStr(KEY), "speed": "instant", "workers": 0, "retry_after": 0, "engine": ENGINE}
    known = {"notification_retry_seconds": 0, "allowed_hosts": ("speech.test", "creator.test", "other.test")}
    return Settings(**{**values, **known, **changes})


@contextlib.asynccontextmanager
async def in_process(settings: Settings, clock: Clock = exact_utc_now) -> AsyncIterator[Caller]:
    """The application without a network."""
    app = create_app(settings, clock)
    headers = {"Ocp-Apim-Subscription-Key": KEY}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://speech.test", headers=headers) as http:
            yield Caller(http)


class Running:
    """An emulator as users start it: a process of its own."""

    def __init__(self, data: Path, *options: str, engine: str = ENGINE, workers: int = 1, port: int = 0) -> None:
        self.url = f"http://127.0.0.1:{port or free_port()}"
        command = [sys.executable, "-m", "emulator", "--port", self.url.rsplit(":", 1)[1], "--data", str(data)]
        command += f"--key {KEY} --speed instant --retry-after 0 --workers {workers} --engine {engine}".split()
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ.copy()
        )

    async def ready(self) -> None:
        """Wait until it answers."""
        async with httpx.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"{self.url}/_emulator/health")).status_code == 200:
                        return
                assert self.process.poll() is None, self.process.communicate()[0]
                await asyncio.sleep(0.05)

    def kill(self) -> str:
        """SIGKILL; the result is what it had printed."""
        self.process.kill()
        return self.process.communicate()[0]

    def stop(self) -> str:
        """SIGTERM; the result is what it had printed."""
        self.process.terminate()
        return self.process.communicate(timeout=20)[0]


@contextlib.asynccontextmanager
async def running(data: Path, *options: str, **kwargs: Any) -> AsyncIterator[tuple[Running, Caller]]:
    """A started emulator and a caller; it is killed at the end if it still runs."""
    emulator = Running(data, *options, **kwargs)
    headers = {"Ocp-Apim-Subscription-Key": KEY}
    try:
        await emulator.ready()
        async with httpx.AsyncClient(base_url=emulator.url, headers=headers, timeout=30) as http:
            yield emulator, Caller(http)
    finally:
        if emulator.process.poll() is None:
            emulator.kill()


@contextlib.asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Caller]:
    """The application over real HTTP, in a thread: starts quicker than a process of its own."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        await asyncio.sleep(0.01)
    headers = {"Ocp-Apim-Subscription-Key": KEY}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
        yield Caller(http)
    server.should_exit = True
    await asyncio.to_thread(thread.join)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def lines(*texts: str) -> bytes:
    """Text data."""
    return "".join(f"{text}\n" for text in texts).encode()


@contextlib.contextmanager
def held(data: Path, what: str) -> Iterator[None]:
    """Keep the fake engine from going on: "training", "decoding", or a word that is said."""
    door = data / "cache" / f"hold-{what}"
    door.parent.mkdir(parents=True, exist_ok=True)
    door.touch()
    try:
        yield
    finally:
        door.unlink(missing_ok=True)
