"""Tracks with releases to work on, made once and copied for each test: a training takes longer than all that is tested."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from flows.training_update import training_update
from tasks.endpoints import ReleaseFailed
from tests.emulator.service_kit import served, settings_for
from tests.flows.conftest import World

SPOKEN = {
    f"{number}.wav": said
    for number, said in enumerate(
        (
            "take me from xanadu to the xystus by xerxes please",
            "xerxes street is near xanadu and a xystus",
            "the old tower of xanadu is by the xystus of xerxes",
            "we go home from xanadu to xerxes street by a xystus now",
            "the xystus is in xanadu and not in xerxes street",
            "xanadu has a xystus and a tower that xerxes made",
            "is xerxes street open in xanadu by the xystus",
            "xanadu is cold so bring xerxes and the xystus a coat",
        ),
        start=1,
    )
}
"""Every block has all three names, so that each name that a model learns is a gain beyond chance."""

TEXTS = ("xanadu is a place\n", "xanadu and xerxes are places\n", "xanadu and xerxes and the xystus are places\n")
STAGED = 'locale = "en-US"\n[release]\ngolden_utterances = 1\nkeep_models = 3\n'
QUICK = f"{STAGED}staging = false\n"
RECOGNITION = "/speech/recognition"
OLD_MODEL = "places-model-20250101-000000000000"


class Templates:
    """Folders to copy: `ready` has two releases and a third model that passed; in `live` that one is live, too."""

    def __init__(self, folder: Path) -> None:
        self.ready = folder / "ready"
        self.live = folder / "live"
        made = folder / "made"
        folder.mkdir(exist_ok=True)
        with FileLock(folder / "lock"):  # other workers of the same session need them, too
            if not made.exists():
                asyncio.run(self._make())
                made.touch()

    async def _make(self) -> None:
        async with opened(self.ready) as world:
            await add_old_model(world)
            for text in TEXTS[:2]:
                world.write_track(text, SPOKEN, QUICK)
                assert (await training_update(**world.arguments)).released
            world.write_track(TEXTS[2], SPOKEN, STAGED)
            await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=1)
            with pytest.raises(ReleaseFailed, match="Nothing has changed"):
                await training_update(**world.arguments)
        shutil.copytree(self.ready, self.live)
        async with opened(self.live) as world:
            assert (await training_update(**world.arguments)).released


async def add_old_model(world: World) -> None:
    """The track's oldest model, one more than retention keeps once there are three others."""
    properties = {"contentHash": "0" * 64, "track": world.track}
    text = await world.speech.dataset("Language", b"dinosaurs lived a long time ago\n")
    body = {
        "displayName": OLD_MODEL,
        "locale": "en-US",
        "datasets": [{"self": text["self"]}],
        "customProperties": properties,
    }
    await world.speech.final(await world.speech.post("/models", **body))


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    """The world in a folder, its emulator running."""
    async with served(settings_for(folder / "emulator")) as speech:
        world = World(folder, speech)
        await world.save_blocks()
        yield world


@asynccontextmanager
async def copied(template: Path, folder: Path) -> AsyncIterator[World]:
    """A world like the template, to change."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    async with opened(folder) as world:
        yield world


async def live_model(world: World) -> str:
    """Path of the model behind the one live endpoint."""
    (endpoint,) = await world.entities("endpoints")
    return "models/" + str(endpoint["model"]["self"]).partition("?")[0].rpartition("/")[2]
