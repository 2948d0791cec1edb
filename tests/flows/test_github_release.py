"""A release on GitHub: made after a model went live, never in its way, and made up for by the next run."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.deploy import deploy
from tasks.git_block import GitData
from tasks.vault import keep_ruling, read_ruling
from tests.flows.conftest import World
from tests.flows.release_kit import Templates, copied
from tests.tasks.code_host_kit import HEAD, TOKEN, FakeGitHubReleases, listening

SOURCE = "maps-on-github"


@pytest.fixture
async def world(templates: Templates, tmp_path: Path) -> AsyncIterator[World]:
    """A track with two releases, and a third model that passed."""
    async with copied(templates.ready, tmp_path) as world:
        yield world


async def the_third(world: World) -> tuple[str, str]:
    """The model that passed, as if its data came from GitHub, and its verdict."""
    facts = next(one.facts for one in reversed(await world.ledger.history()) if "outcome" in one.facts)
    ruling = await read_ruling(world.store, facts["ruling"])
    settings = ruling.subject.track.release.model_copy(update={"staging": False, "github_release": True})
    track = ruling.subject.track.model_copy(update={"release": settings})
    subject = ruling.subject.model_copy(update={"track": track, "source": SOURCE, "revision": HEAD[:12]})
    return subject.candidate.name, await keep_ruling(world.store, ruling.model_copy(update={"subject": subject}))


async def on_github(api: str) -> None:
    """Save the data source's block."""
    address = "https://github.com/acme/speech"
    await GitData(address=address, api=api, token=SecretStr(TOKEN)).asave(SOURCE, overwrite=True)


async def test_what_is_live_is_a_release_on_github(world: World) -> None:
    """Programs read the endpoint's id from the file; deploying again makes no second one."""
    fake = FakeGitHubReleases()
    with listening(fake) as url:
        fake.uploads = url
        await on_github(url)
        model, verdict = await the_third(world)
        release = await deploy(world.track, model, verdict)
        await deploy(world.track, model, verdict)

    (made,) = fake.releases
    (file,) = made["assets"]
    assert (made["tag_name"], made["target_commitish"]) == (f"places-v{release.version}", HEAD)
    assert (file["got"]["endpoint"], file["got"]["verdict"]) == (release.endpoint.rpartition("/")[2], verdict)
    assert file["got"]["endpoint"] in file["got"]["address"]
    assert TOKEN not in str(made)


async def test_github_is_never_in_the_way(world: World, logged: Callable[[], str]) -> None:
    """It refuses: the model is live all the same, the log says what is missing, and the next run makes up for it."""
    fake = FakeGitHubReleases()
    with listening(fake) as url:
        fake.uploads = url
        await on_github(url)
        model, verdict = await the_third(world)
        fake.broken = [("POST", (403, {}, {"message": TOKEN}))]
        release = await deploy(world.track, model, verdict)
        assert (release.number, fake.releases) == (3, [])
        await deploy(world.track, model, verdict)

    assert len(fake.releases) == 1
    assert "not on GitHub" in logged()
    assert "right to write contents" in logged()
    assert TOKEN not in logged()
