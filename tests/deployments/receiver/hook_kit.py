"""A receiver in process, and senders that sign as the real ones do; payloads after the published schemas."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deployments.receiver.app import create_app
from deployments.receiver.outbox import Outbox
from deployments.receiver.settings import ReceiverSettings

PAYLOADS = Path(__file__).parents[2] / "data" / "hooks"
SECRET = "the-secret-of-today"
OLD_SECRET = "the-secret-of-yesterday"
FORGED = "a-guess-of-somebody"
VARIABLES = (
    "SPEECHOPS_GITHUB_SECRET",
    "SPEECHOPS_GITLAB_SECRET",
    "SPEECHOPS_AZURE_DEVOPS_PASSWORD",
    "SPEECHOPS_EVENTGRID_SECRET",
    "SPEECHOPS_SPEECH_SECRET",
)
OPEN = {variable.removeprefix("SPEECHOPS_").lower(): f"{SECRET},{OLD_SECRET}" for variable in VARIABLES}


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 15, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Move on."""
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Sent:
    """One request of a sender."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Receiver:
    """A receiver with its outbox, and a client that talks to it."""

    outbox: Outbox
    client: httpx.AsyncClient

    async def take(self, sent: Sent) -> httpx.Response:
        """Let it answer."""
        return await self.client.post(sent.path, content=sent.body, headers=sent.headers)

    async def figure(self, name: str) -> float:
        """One figure of `/metrics`."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).rpartition(" ")[2])


@contextmanager
def receiving(folder: Path, clock: FakeClock, **settings: Any) -> Iterator[Receiver]:
    """A receiver on a folder; what is not given is open with `SECRET` and `OLD_SECRET`."""
    outbox = Outbox(folder / "outbox.sqlite3", clock, patience=0)
    app = create_app(ReceiverSettings(data=folder, **(OPEN | settings)), outbox)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    try:
        yield Receiver(outbox, httpx.AsyncClient(transport=transport, base_url="http://localhost"))
    finally:
        outbox.close()


def payload(name: str) -> Any:
    """A payload as the sender's documentation has it."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def as_body(value: Any) -> bytes:
    """JSON as a sender would write it; bytes stay what they are."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def github(value: Any, secret: str = SECRET, event: str = "push", delivery: str = "d-1") -> Sent:
    """From GitHub."""
    body = as_body(value)
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    named = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "Content-Type": "application/json"}
    return Sent("/hooks/github", body, named | {"X-Hub-Signature-256": signature})


def gitlab(value: Any, secret: str = SECRET, event: str = "e-1", **headers: str) -> Sent:
    """From GitLab."""
    named = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": event, "X-Gitlab-Token": secret}
    return Sent("/hooks/gitlab", as_body(value), named | {key.replace("_", "-"): text for key, text in headers.items()})


def azure_devops(value: Any, secret: str = SECRET) -> Sent:
    """From Azure DevOps."""
    credentials = base64.b64encode(f"speechops:{secret}".encode()).decode()
    return Sent("/hooks/azure-devops", as_body(value), {"Authorization": f"Basic {credentials}"})


def event_grid(value: Any, secret: str = SECRET) -> Sent:
    """From Event Grid."""
    return Sent(f"/hooks/eventgrid?secret={secret}", as_body(value), {"Content-Type": "application/json"})


def speech(value: Any, secret: str = SECRET, event: str = "ModelCompletion") -> Sent:
    """From the Speech service."""
    body = as_body(value)
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    named = {"X-MicrosoftSpeechServices-Event": event, "X-MicrosoftSpeechServices-Signature": signature}
    return Sent("/hooks/speech", body, named)


SENDERS = {
    "github": (github, "github-push"),
    "gitlab": (gitlab, "gitlab-push"),
    "azure-devops": (azure_devops, "azure-devops-push"),
    "eventgrid": (event_grid, "eventgrid-blob-created"),
    "speech": (speech, "speech-model-completion"),
}
"""Each source's way to send, and a payload of its own."""
