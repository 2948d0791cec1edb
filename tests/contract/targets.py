"""The services that the same tests run against: the emulator always, a real Speech resource when we may use one.

`pytest -m azure tests/contract` with SPEECH_ENDPOINT and SPEECH_KEY (or, without a key, a Microsoft Entra identity that
azure-identity finds, and the custom domain of the resource as SPEECH_ENDPOINT).
"""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from azure.identity.aio import DefaultAzureCredential

import speech_client as sc
from tests.contract.emulator_spec import check, operation_of
from tests.contract.request_judge import check_request
from tests.emulator.service_kit import KEY, served, settings_for

PREFIX = "speechops-contract-"
"""All that these tests make is named so; they look at, change and delete nothing else."""
TARGETS = [
    pytest.param("emulator"),
    pytest.param("azure", marks=[pytest.mark.azure, pytest.mark.timeout(3600)]),  # Azure imports when it has time
]


@dataclass
class Judge(httpx.AsyncBaseTransport):
    """A transport that judges each request and each answer by Microsoft's specification."""

    inner: httpx.AsyncBaseTransport
    seen: set[str] = field(default_factory=set)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, if it is one that the specification knows."""
        is_operation = "/speechtotext/" in request.url.path
        if is_operation:
            await request.aread()
            check_request(request)
        response = await self.inner.handle_async_request(request)
        if is_operation:
            response.request = request
            await response.aread()
            check(response)
            self.seen.add(operation_of(request).name)
        return response

    async def aclose(self) -> None:
        """Close what it sends by."""
        await self.inner.aclose()


@dataclass(frozen=True)
class Target:
    """A client of the service, what was seen of it, and a name that nobody else has."""

    client: sc.SpeechClient
    seen: set[str]
    name: str = field(default_factory=lambda: f"{PREFIX}{uuid4()}")


@contextlib.asynccontextmanager
async def connected(kind: str, folder: Path) -> AsyncIterator[Target]:
    """Yield the target; at its end every dataset and web hook of its name is gone."""
    async with contextlib.AsyncExitStack() as stack:
        if kind == "azure":
            endpoint, credential = await _azure(stack)
        else:
            caller = await stack.enter_async_context(served(settings_for(folder)))
            endpoint, credential = str(caller.http.base_url), sc.KeyCredential(KEY)
        judge = Judge(httpx.AsyncHTTPTransport())
        client = await stack.enter_async_context(sc.SpeechClient(endpoint, credential, transport=judge))
        target = Target(client, judge.seen)
        stack.push_async_callback(_clean, target)
        yield target


def require_wish(kind: str, config: pytest.Config) -> None:
    """Skip what would reach Azure unless `-m azure` asks for it: credentials alone in the environment are no wish."""
    if kind == "azure" and "azure" not in str(config.getoption("markexpr")):
        pytest.skip("a real Speech resource is used with -m azure only")


async def _azure(stack: contextlib.AsyncExitStack) -> tuple[str, sc.Credential]:
    endpoint, key = os.environ.get("SPEECH_ENDPOINT"), os.environ.get("SPEECH_KEY")
    if not endpoint:
        pytest.skip("no Speech resource: set SPEECH_ENDPOINT, and SPEECH_KEY or sign in to Microsoft Entra ID")
    if key:
        return endpoint, sc.KeyCredential(key)
    return endpoint, sc.EntraCredential(await stack.enter_async_context(DefaultAzureCredential()))


async def _clean(target: Target) -> None:
    """Delete what has the target's own name; it is unique, so nothing else has it. What stays is said."""
    left = []
    for noun in (target.client.datasets, target.client.web_hooks):
        mine = [entity async for entity in noun.list(filter=sc.F.display_name == target.name)]
        for entity in mine:
            assert entity.display_name == target.name, "the filter was ignored; nothing is deleted"
            try:
                await noun.delete(entity)
            except sc.Conflict as refused:
                left.append(str(refused))
    assert not left, f"delete these by hand: {left}"
