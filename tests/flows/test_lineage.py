"""What the flows leave behind can be looked at, explained, verified, and forgotten."""

from collections.abc import Callable

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from deployments.forgetting import Wish, forget
from domain.ledger import News
from flows.training_update import training_update
from tasks.blocks import LocalStore
from tasks.ledger import Ledger
from tasks.lineage import read_why
from tasks.track_pages import publish_track_page
from tasks.uses import read_uses
from tasks.verifying import verify_store
from tests.flows.conftest import SPOKEN, World


def label(world: World) -> None:
    """Say who speaks in the testing recordings."""
    rows = "".join(f"{name}\tspeaker-{name[0]}\n" for name in SPOKEN)
    (world.data / world.track / "testing" / "utterances.tsv").write_text(f"file\tspeaker\n{rows}")


async def links(key: str) -> list[str]:
    """The link artifacts of that key, as the UI shows them."""
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
    return [str(one.data) for one in found]


async def test_after_a_release_its_page_its_reasons_and_its_hashes_agree_and_a_speaker_can_be_forgotten(
    world: World,
) -> None:
    """Written by the flow; a recording leads to what is live; and forgetting it leaves clients and the next run alone."""
    world.track = "lineage"
    world.write_track()
    label(world)
    await LocalStore(folder=world.store.folder, reports_url="http://reports.example/").asave(
        "speechops", overwrite=True
    )

    report = await training_update(**world.arguments)

    await page_agrees(world)
    why = await read_why(world.store, "lineage")
    assert why.verdict is not None
    assert why.verdict.digest == report.decision.digest
    assert (await read_uses(world.store, "1.wav")).live == ("lineage",)
    assert [one for one in (await verify_store(world.store)).checks if one.state != "ok"] == []
    await forgets(world)
    assert (await training_update(**world.arguments)).released


async def page_agrees(world: World) -> None:
    """The track's page and the index are there, linked in the UI, and quote nobody."""
    page = await world.store.read("pages/lineage.html")
    assert page is not None
    assert b"1.0.0 LIVE" in page.data
    assert b"xanadu" not in page.data
    assert await world.store.exists("pages/index.html")
    assert set(await links("lineage-page")) == {"[Track lineage](http://reports.example/pages/lineage.html)"}


async def forgets(world: World) -> None:
    """Dataset and evaluations, with their transcripts, are removed from the service too; the live model stays."""
    (endpoint,) = await world.entities("endpoints")
    wish = Wish("speaker-1", "", True, True, "Data protection", "speechops", world.data)

    result = await forget(str(world.store.folder), wish)

    assert result.is_done
    assert await world.entities("evaluations") == []
    assert [one["kind"] for one in await world.entities("datasets")] == ["Language"]
    assert await world.entities("endpoints") == [endpoint]
    assert (await Ledger(world.store, world.track).history())[-1].kind == "forget"
    assert not (await verify_store(world.store)).is_broken


@flow
async def only_the_page(track: str) -> str:
    """A flow that ends with the page."""
    await publish_track_page("speechops", track)
    return "done"


async def test_a_page_that_cannot_be_written_holds_no_flow_up(world: World, logged: Callable[[], str]) -> None:
    """What lies in its way is told in the log, and the flow goes on."""
    await world.ledger.append(News(kind="x", flow_run="", revision=""))
    (world.store.folder / "pages" / "places.html").mkdir(parents=True)

    assert await only_the_page("places") == "done"
    assert "The page of track 'places' could not be made: cannot read 'pages/places.html'" in logged()
