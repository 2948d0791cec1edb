"""Programs of the local stack answer this machine's callers, and no web page that is not theirs."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.doorway import AddressedDirectly, behind_doorway, origins_of
from deployments.receiver.app import create_app
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings


@pytest.fixture
def app() -> FastAPI:
    """Something worth reading."""
    app = FastAPI()

    @app.get("/secret")
    @app.post("/secret")
    def secret() -> str:
        return "the key"

    @app.websocket("/events")
    async def events(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("an event")

    return app


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:4200"}, 200),
        ({"Host": "evil.example:4200"}, 400),
        ({"Host": "localhost.evil.example"}, 400),
        ({"Origin": "http://127.0.0.1:4200"}, 200),
        ({"Host": "127.0.0.1:14200", "Origin": "http://127.0.0.1:14200"}, 200),  # through a tunnel
        ({"Origin": "http://localhost:4200"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8888"}, 403),
        ({"Origin": "https://127.0.0.1:4200"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 400),
    ],
)
async def test_host_and_origin_decide(app: FastAPI, headers: dict[str, str], status: int) -> None:
    """For reading, for a simple POST, and for a websocket, which CORS does not cover."""
    guarded = behind_doorway(app, origins_of(4200))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://127.0.0.1:4200") as caller:
        assert (await caller.get("/secret", headers=headers)).status_code == status
        assert (await caller.post("/secret", headers=headers)).status_code == status

    opened = {"type": "websocket.accept", "subprotocol": None, "headers": []}
    sent = await socket_messages(guarded, {"Host": "127.0.0.1:4200", **headers})
    assert (sent[0] == opened) if status == 200 else (sent[0]["status"] == status)


async def socket_messages(app: ASGIApp, headers: dict[str, str]) -> list[Message]:
    """What a server is to send to whoever opens the websocket."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "path": "/events", "headers": raw, "query_string": b""}
    with contextlib.suppress(RuntimeError):  # starlette, of a message that it did not expect
        await app({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    return sent


async def test_the_lifespan_is_the_applications_own() -> None:
    """Prefect's server starts its services there."""
    told = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(scope["type"])

    await behind_doorway(app)({"type": "lifespan"}, lambda: None, lambda message: None)

    assert told == ["lifespan"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("10.1.2.3:4290", 200),
        ("[::1]", 200),
        ("localhost", 200),
        ("Receiver:4290", 200),
        ("evil.example", 400),
        ("[", 400),
    ],
)
async def test_names_that_may_be_anybodys_are_refused_on_some_paths(app: FastAPI, host: str, status: int) -> None:
    """Others are open to every name."""
    guarded = AddressedDirectly(app, ("/secret",), ("receiver",))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://x") as caller:
        assert (await caller.get("/secret", headers={"Host": host})).status_code == status
        assert (await caller.get("/openapi.json", headers={"Host": "evil.example"})).status_code == 200


@pytest.fixture
async def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A receiver that its proxy calls by its public name."""
    monkeypatch.setenv("SPEECHOPS_ALLOWED_HOSTS", "receiver, hooks")
    outbox = Outbox(tmp_path / "outbox.sqlite3")
    app = create_app(ReceiverSettings.read(), outbox)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hooks.example.org") as caller:
        yield caller
    outbox.close()


async def test_the_receivers_figures_are_not_for_its_public_name(receiver: httpx.AsyncClient) -> None:
    """Hooks, which are signed, and health are; Prometheus asks by an address, or by a name in SPEECHOPS_ALLOWED_HOSTS."""
    assert (await receiver.get("/metrics")).status_code == 400
    assert (await receiver.get("/healthz")).status_code == 200
    assert (await receiver.post("/hooks/github")).status_code == 401
    for host in ("10.0.0.7:4290", "receiver", "hooks:4290"):
        assert (await receiver.get("/metrics", headers={"Host": host})).status_code == 200
