"""Data sources and deliveries for the dispatcher's tests."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from deployments.receiver.deliveries import Blob, Delivery, Job, News, PullRequest, Push, Source, Subject
from deployments.receiver.dispatcher import Dispatcher
from deployments.receiver.outbox import Outbox
from deployments.receiver.prefect_server import PrefectServer
from deployments.receiver.reconciling import Patience
from domain.plan import Plan
from domain.pushes import PushRules
from tasks.data_source import DataSource, Opened
from tests.deployments.receiver.hook_kit import FakeClock
from tests.deployments.receiver.prefect_kit import FakePrefect, client_of

ADDRESS = "https://h/o/r.git"


@dataclass
class FakeSource:
    """Reads what it is told to; nothing of it is ever opened here."""

    name: str
    address: str = ""
    container: str = ""
    rules: PushRules = field(default_factory=PushRules)

    def is_repository(self, address: str) -> bool:
        """By the very address."""
        return address == self.address

    def holds_blob(self, account: str, container: str, blob: str) -> bool:
        """By its container."""
        return container == self.container

    async def newest(self, ref: str = "") -> str:
        """Not asked for."""
        raise NotImplementedError

    async def plan(self, before: str, after: str, occasion: str = "") -> Plan:
        """Not asked for."""
        raise NotImplementedError

    async def plan_retest(self, revision: str, tag: str, occasion: str = "") -> Plan:
        """Not asked for."""
        raise NotImplementedError

    def opened(self, revision: str, track: str = "") -> AbstractAsyncContextManager[Opened]:
        """Not asked for."""
        raise NotImplementedError


MAPS = FakeSource("maps", ADDRESS)
CALLS = FakeSource("calls", container="calls")


def push(ref: str = "refs/heads/main", address: str = ADDRESS) -> Push:
    """To main of the repository that `maps` reads."""
    return Push(repository="o/r", address=address, ref=ref, before="0" * 40, after="1" * 40)


def blob(name: str = "a.wav") -> Blob:
    """In the container that `calls` reads."""
    return Blob(account="account", container="calls", blob=name)


def job() -> Job:
    """A model is there."""
    return Job(entity="models/1", event="ModelCompletion")


def pull_request() -> PullRequest:
    """To be checked."""
    return PullRequest(repository="o/r", address=ADDRESS, number=7, head="0badc0de", wanted="checks")


class Dispatching:
    """A dispatcher with an outbox and a stand-in for Prefect; its patience counts from one clock."""

    def __init__(self, folder: Path, clock: FakeClock, *sources: DataSource) -> None:
        self.clock = clock
        self.prefect = FakePrefect(clock)
        self.sources = list(sources)
        self.loaded = 0
        self.outbox = Outbox(folder / "outbox.sqlite3", clock)
        self.restart()

    def restart(self, patience: Patience | None = None) -> None:
        """A new process: nothing is in its memory."""
        server = PrefectServer(client_of(self.prefect))
        self.dispatcher = Dispatcher(self.outbox, server, self._load, patience, self.clock)

    async def _load(self) -> list[DataSource]:
        self.loaded += 1
        return self.sources

    def take(self, *subjects: Subject) -> list[Delivery]:
        """Store deliveries, as the receiver does."""
        number = self.outbox.count_pending()
        news = [News("", [f"{self.clock.now} {number} {at}"], subject) for at, subject in enumerate(subjects)]
        return list(self.outbox.store(Source.GITHUB, news, "hash").accepted)

    async def after(self, seconds: float = 0) -> None:
        """Let time pass, and then turn."""
        self.clock.move(seconds=seconds)
        await self.dispatcher.turn()

    def state(self, delivery: Delivery) -> str:
        """What was noted of it, or that it waits."""
        return self.outbox.state_of(delivery.id)[1] or "waits"
