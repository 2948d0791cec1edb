"""A real Prefect server, a real emulator with a quick engine, and a track whose names the base model cannot know."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prefect.testing.utilities import prefect_test_harness
from pydantic import SecretStr

from tasks.blocks import LocalStore, SpeechResource
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tests.azurite_kit import azurite as azurite
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import KEY, Caller, served, settings_for

if TYPE_CHECKING:
    from tests.flows.release_kit import Templates

SPOKEN = {
    "1.wav": "take me from xanadu to the xystus please",
    "2.wav": "xerxes street is near xanadu",
    "3.wav": "the old tower of xanadu is by the xystus",
    "4.wav": "we go home from xanadu to xerxes street now",
    "5.wav": "the xystus is in xanadu and not in xanadu street",
    "6.wav": "xanadu has a xystus and a tower",
    "7.wav": "is xerxes street open in xanadu",
    "8.wav": "xanadu is cold so bring xerxes a coat",
}
"""Eight blocks for the gate. Whoever learns one name more is better in each of them, so that the gain is no chance."""

WORDS = " ".join(SPOKEN.values()).split()
UNKNOWN = [word for word in WORDS if word.startswith("x")]
"""The names that the base model cannot know."""

NAMES = "xanadu and xerxes and the xystus are places\n"
DINOSAURS = "dinosaurs lived a long time ago\n"


@pytest.fixture(scope="session", autouse=True)
def prefect_server() -> Iterator[None]:
    """One Prefect server for all tests of flows."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


class World:
    """An emulator, a store, the blocks that lead to them, and a folder of tracks."""

    track = "places"

    def __init__(self, folder: Path, speech: Caller) -> None:
        self.folder = folder
        self.speech = speech
        self.data = folder / "data"
        self.store = LocalFolder(folder / "store")
        self.ledger = Ledger(self.store, self.track)

    async def save_blocks(self, **changes: object) -> None:
        """Save the blocks that the flows load by default."""
        resource = {"endpoint": str(self.speech.http.base_url), "key": SecretStr(KEY), **changes}
        await SpeechResource(**resource).asave("speechops", overwrite=True)
        await LocalStore(folder=self.store.folder).asave("speechops", overwrite=True)

    def write_track(
        self, text: str = NAMES, spoken: Mapping[str, str] = SPOKEN, settings: str = 'locale = "en-US"\n'
    ) -> None:
        """Write the track's files; what was there is replaced."""
        folder = self.data / self.track
        (folder / "training").mkdir(parents=True, exist_ok=True)
        (folder / "testing").mkdir(exist_ok=True)
        for old in (folder / "testing").glob("*.wav"):
            old.unlink()
        (folder / "track.toml").write_text(settings)
        (folder / "training" / "plain_text.txt").write_text(text)
        for name, said in spoken.items():
            (folder / "testing" / name).write_bytes(wav(said))
        rows = "".join(f"{name}\t{said}\n" for name, said in spoken.items())
        (folder / "testing" / "trans.txt").write_text(rows)

    def commit(self) -> str:
        """Commit the tracks to a repository of their own; the short commit."""
        git = ["git", "-C", str(self.data), "-c", "user.name=t", "-c", "user.email=t@example.org"]
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "data"]):
            subprocess.run([*git, *words], check=True)
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], check=True, capture_output=True, text=True)
        return head.stdout.strip()

    @property
    def arguments(self) -> dict[str, str]:
        """What the flows are called with."""
        return {"track": self.track, "data": str(self.data), "revision": "abc123"}

    async def fault(self, **fault: object) -> None:
        """Let the emulator fail."""
        answer = await self.speech.http.post("/_emulator/faults", json=fault)
        assert answer.status_code == 201, answer.text

    async def entities(self, kind: str) -> list[dict[str, object]]:
        """All entities of a kind that the emulator has."""
        return (await self.speech.get(f"/{kind}"))["values"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Everything that a flow needs, fresh for each test."""
    async with served(settings_for(tmp_path / "emulator")) as speech:
        world = World(tmp_path, speech)
        world.write_track()
        await world.save_blocks()
        yield world


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that the runs logged, as people read it."""
    return lambda: "\n".join(caplog.handler.format(record) for record in caplog.records)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> "Templates":
    """A track with releases, to copy: made once in a session, by the first worker that needs it."""
    from tests.flows.release_kit import Templates

    own = tmp_path_factory.getbasetemp()
    return Templates((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "releases")
