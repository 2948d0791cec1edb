"""A Speech service that says what a test tells it to say, on a clock that a test can read."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from speech_client import Dataset, KeyCredential, SpeechClient

HOST = "https://westus.api.cognitive.microsoft.com"
API = f"{HOST}/speechtotext"
KEY = "canary-key-0123456789"


@dataclass
class FakeTime:
    """A monotonic clock that moves only when somebody sleeps."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@dataclass
class FakeService:
    """Answers each request with the next thing that was said for its method and path; the last one stays.

    What is said may be a status, a JSON body, a pair of both, a response, an exception, or a function of the request.
    """

    requests: list[httpx.Request] = field(default_factory=list)
    said: dict[tuple[str, str], deque[Any]] = field(default_factory=dict)

    def says(self, method: str, path: str, *answers: Any) -> None:
        self.said[method, path if path.startswith("http") else f"{API}/{path}"] = deque(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answers = self.said[request.method, str(request.url.copy_with(query=None))]
        return _response(answers.popleft() if len(answers) > 1 else answers[0], request)

    def calls(self, method: str, path: str = "") -> list[httpx.Request]:
        return [r for r in self.requests if r.method == method and path in str(r.url)]


def _response(answer: Any, request: httpx.Request) -> httpx.Response:
    match answer:
        case Exception():
            raise answer
        case httpx.Response():
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        case int():
            return httpx.Response(answer)
        case (int() as status, body):
            return httpx.Response(status, json=body)
        case dict() | list():
            return httpx.Response(200, json=answer)
        case _:
            return _response(answer(request), request)


def entity_body(
    collection: str = "datasets", name: str = "d1", status: str = "NotStarted", **more: Any
) -> dict[str, Any]:
    """Return an entity as Azure writes it."""
    return {
        "self": f"{API}/{collection}/{name}?api-version=2024-11-15",
        "displayName": f"trips-{name}",
        "locale": "en-US",
        "status": status,
    } | more


def dataset_body(name: str = "d1", status: str = "NotStarted", **more: Any) -> dict[str, Any]:
    return entity_body("datasets", name, status, kind="Language", **more)


def file_body(content_url: str = "https://store.blob.core.windows.net/f.json?sv=1&sig=canary-sig") -> dict[str, Any]:
    return {
        "self": f"{API}/transcriptions/t1/files/f1?api-version=2024-11-15",
        "name": "a.wav.json",
        "kind": "Transcription",
        "links": {"contentUrl": content_url},
    }


def error_body(code: str = "InvalidRequest", inner: str | None = None, message: str = "It is wrong.") -> dict[str, Any]:
    deeper = {"innerError": {"code": inner, "message": "The reason.", "target": "displayName"}} if inner else {}
    return {"code": code, "message": message} | deeper


class Build:
    """Builders, handed to tests as a fixture because test modules cannot import each other."""

    entity = staticmethod(entity_body)
    dataset = staticmethod(dataset_body)
    file = staticmethod(file_body)
    error = staticmethod(error_body)
    host: str = HOST
    api: str = API
    key: str = KEY

    def a_dataset(self, *args: Any, **more: Any) -> Dataset:
        return Dataset.model_validate(dataset_body(*args, **more))


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def connect(service: FakeService, time: FakeTime) -> Callable[..., SpeechClient]:
    """Make clients of the fake service."""

    def client(**changes: Any) -> SpeechClient:
        options: dict[str, Any] = {
            "transport": httpx.MockTransport(service),
            "sleep": time.sleep,
            "clock": time.clock,
        } | changes
        credential = options.pop("credential", None) or KeyCredential(KEY)
        return SpeechClient(options.pop("endpoint", HOST), credential, **options)

    return client


@pytest.fixture
async def speech(connect: Callable[..., SpeechClient]) -> AsyncIterator[SpeechClient]:
    async with connect() as client:
        yield client


@pytest.fixture(scope="session")
def spec() -> Path:
    """The folder of Microsoft's specification: $SPEECH_SPEC, or beside the project."""
    default = Path(__file__).parents[2] / "../shared/azure/2024-11-15"
    folder = Path(os.environ.get("SPEECH_SPEC", default))
    if not (folder / "speechtotext.json").is_file():
        pytest.skip("Microsoft's specification is not here; set SPEECH_SPEC to the folder of speechtotext.json")
    return folder


@pytest.fixture(scope="session")
def definitions(spec: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((spec / "speechtotext.json").read_text("utf-8"))["definitions"]
    return found
