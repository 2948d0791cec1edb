"""Ten faults, every create, three list lags: one logical create ends as exactly one entity, whatever is lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from domain.naming import Identity
from speech_client import (
    EntityReference,
    KeyCredential,
    NewDataset,
    NewEndpoint,
    NewEvaluation,
    NewModel,
    NewTranscription,
    NewWebHook,
    SpeechClient,
    TransientError,
)
from tasks.entities import HASH_PROPERTY, SETTLE_SECONDS, find_or_create
from tests.emulator.receiver import Receiver
from tests.emulator.service_kit import KEY, Caller, lines, recordings, served, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAGS = (0.0, 0.5, 2.0)
PATIENCE_SECONDS = 0.3
"""How long the client waits for an answer that never comes."""


@dataclass(frozen=True)
class Fault:
    """What happens to the first request that creates."""

    kind: str
    when: str

    @property
    def commits(self) -> bool:
        """Whether the entity exists although nobody is told."""
        return self.when == "after"

    def __str__(self) -> str:
        return f"{self.kind} {self.when}"


FAULTS = [Fault(kind, "before") for kind in ("429", "500", "503", "reset", "hang")]
FAULTS += [Fault(kind, "after") for kind in ("500", "503", "reset", "hang", "slow")]


@dataclass(frozen=True)
class World:
    """A running emulator with what the creates refer to."""

    speech: Caller
    base: EntityReference
    text: EntityReference
    test: EntityReference
    hook: str
    """An address that answers the challenge of a web hook."""

    async def control(self, verb: str, route: str, /, **body: Any) -> Any:
        """One call of the emulator's own routes."""
        answer = await self.speech.http.request(verb, f"/_emulator/{route}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class Create:
    """One of the operations that create: where it is sent, and how it is made."""

    noun: str
    path: str
    collection: Callable[[SpeechClient], Any]
    draft: Callable[[World, dict[str, Any]], Any]


class Submitted:
    """The transcriptions: their create is called submit."""

    def __init__(self, speech: SpeechClient) -> None:
        self.list = speech.transcriptions.list
        self.create = speech.transcriptions.submit


CREATES = {
    "dataset": Create(
        "datasets",
        "/datasets",
        lambda speech: speech.datasets,
        lambda world, common: NewDataset(kind="Language", **common),
    ),
    "model": Create(
        "models",
        "/models",
        lambda speech: speech.models,
        lambda world, common: NewModel(base_model=world.base, datasets=(world.text,), **common),
    ),
    "evaluation": Create(
        "evaluations",
        "/evaluations",
        lambda speech: speech.evaluations,
        lambda world, common: NewEvaluation(model1=world.base, model2=world.base, dataset=world.test, **common),
    ),
    "endpoint": Create(
        "endpoints",
        "/endpoints",
        lambda speech: speech.endpoints,
        lambda world, common: NewEndpoint(model=world.base, **common),
    ),
    "transcription": Create(
        "transcriptions",
        "/transcriptions:submit",
        Submitted,
        lambda world, common: NewTranscription(dataset=world.test, **common),
    ),
    "web hook": Create(
        "webhooks",
        "/webhooks",
        lambda speech: speech.web_hooks,
        lambda world, common: NewWebHook(
            web_url=world.hook,
            events={"ping": True},
            **{name: value for name, value in common.items() if name != "locale"},
        ),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One emulator for all: the cases differ in their names."""
    settings = settings_for(tmp_path_factory.mktemp("emulator"))
    receiver = Receiver()
    async with served(settings) as speech:
        text = await speech.dataset("Language", lines("xanadu"))
        test = await speech.dataset("Acoustic", recordings("good morning"))
        base = await speech.base_model()
        yield World(speech, *(EntityReference(self_url=one["self"]) for one in (base, text, test)), receiver.url)
    receiver.close()


@dataclass
class Case:
    """One create under one fault. Its pauses move the emulator's clock instead of taking time."""

    world: World
    create: Create
    fault: Fault
    identity: Identity
    settle_seconds: float
    before: int = 0
    """How many entities of the noun there were."""
    fired: int = 0

    @classmethod
    async def begin(
        cls, world: World, noun: str, fault: Fault, lag: float, settle_seconds: float = SETTLE_SECONDS
    ) -> "Case":
        """Set the lag and the fault."""
        identity = Identity(f"{noun}-{fault}-{lag}-{settle_seconds}", "f" * 64)
        case = cls(world, CREATES[noun], fault, identity, settle_seconds)
        case.before = await case.count()
        path = f"/speechtotext{case.create.path}$"
        await world.control("PUT", "list-lag", seconds=lag)
        await world.control("DELETE", "faults")
        await world.control("POST", "faults", method="POST", path=path, **case.as_body())
        return case

    def as_body(self) -> dict[str, Any]:
        """The fault as the emulator's control takes it; the slow answer comes after the client has given up."""
        late = {"seconds": 2 * PATIENCE_SECONDS} if self.fault.kind == "slow" else {}
        return {"kind": self.fault.kind, "when": self.fault.when, **late}

    async def created(self) -> Any:
        """The entity, found or created. A create that failed for a moment is asked for again at once: the worst case."""
        endpoint = str(self.world.speech.http.base_url)
        async with SpeechClient(endpoint, KeyCredential(KEY), sleep=self.rest, timeout=PATIENCE_SECONDS) as speech:
            try:
                entity = await self._create(speech)
            except TransientError:
                entity = await self._create(speech)
        [fault] = await self.world.control("GET", "faults")
        self.fired = fault["fired"]
        return entity

    async def _create(self, speech: SpeechClient) -> Any:
        collection = self.create.collection(speech)
        entity, _ = await find_or_create(
            collection, self.identity, self.draft, settle_seconds=self.settle_seconds, sleep=self.settle
        )
        return entity

    def draft(self, name: str) -> Any:
        """The request under a name."""
        properties = {HASH_PROPERTY: self.identity.content_hash}
        return self.create.draft(self.world, {"display_name": name, "locale": "en-US", "custom_properties": properties})

    async def rest(self, seconds: float) -> None:
        """Let the service's time pass."""
        await self.world.control("POST", "clock", advance_seconds=seconds)

    async def settle(self, seconds: float) -> None:
        """The pause after a lost answer: what was going to be committed is, for the machine may be slow just now."""
        while self.fault.commits and not await self.committed():  # noqa: ASYNC110  a server does it
            await asyncio.sleep(0.01)
        await self.rest(seconds)

    async def committed(self) -> bool:
        """Whether the service has the entity, listed or not."""
        return await self.count() > self.before

    async def count(self) -> int:
        """How many entities of the noun the service has, listed or not."""
        state = await self.world.control("GET", "state")
        return sum(state["entities"][self.create.noun].values())

    async def found(self) -> list[str]:
        """What lists show under the name."""
        query = {"filter": f"displayName eq '{self.identity.name}'"}
        return [one["self"] for one in (await self.world.speech.get(f"/{self.create.noun}", **query))["values"]]


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("noun", CREATES)
async def test_one_logical_create_is_one_entity(world: World, noun: str, fault: Fault, lag: float) -> None:
    """Whoever creates as the tasks do ends with the one entity that there is, and so does whoever comes again."""
    case = await Case.begin(world, noun, fault, lag)

    entity = await case.created()

    assert case.fired == 1
    await case.rest(max(LAGS))  # until lists show everything
    assert (await case.created()).self_url == entity.self_url
    assert await case.found() == [entity.self_url]


async def test_without_the_settle_time_there_would_be_two(world: World) -> None:
    """That the matrix can fail: a list that lags hides what a lost answer was about."""
    case = await Case.begin(world, "model", Fault("reset", "after"), 2.0, settle_seconds=0.0)

    await case.created()

    await case.rest(max(LAGS))
    assert len(await case.found()) == 2
