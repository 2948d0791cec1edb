"""What the flows leave behind can be looked at, explained, verified, and forgotten."""

from datetime import UTC, datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from deployments.forgetting import Wish, forget
from flows.training_update import training_update
from tasks.blocks import LocalStore
from tasks.lineage import read_why
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


async def test_after_a_release_its_page_its_reasons_and_its_hashes_agree(world: World) -> None:
    """Written by the flow; everything that it left behind is sound; a recording leads to what is live."""
    world.track = "lineage"
    world.write_track()
    label(world)
    await LocalStore(folder=world.store.folder, reports_url="http://reports.example/").asave(
        "speechops", overwrite=True
    )

    report = await training_update(**world.arguments)

    page = await world.store.read("pages/lineage.html")
    assert page is not None
    assert b"1.0.0 LIVE" in page.data
    assert b"xanadu" not in page.data
    assert await world.store.exists("pages/index.html")
    assert set(await links("lineage-page")) == {"[Track lineage](http://reports.example/pages/lineage.html)"}
    why = await read_why(world.store, "lineage")
    assert why.verdict is not None
    assert why.verdict.digest == report.decision.digest
    assert (await read_uses(world.store, "1.wav")).live == ("lineage",)
    result = await verify_store(world.store)
    assert [one for one in result.checks if one.state != "ok"] == []


async def test_a_page_that_cannot_be_written_holds_no_release_up(world: World) -> None:
    """What lies in its way is told in the log; the model is live, and the history says so."""
    (world.store.folder / "pages" / "places.html").mkdir(parents=True)

    report = await training_update(**world.arguments)

    assert report.released


async def test_what_the_service_has_of_a_speaker_goes_too(world: World) -> None:
    """Dataset and evaluations, with their transcripts; the model that is live stays, and clients notice nothing."""
    label(world)
    await training_update(**world.arguments)
    (endpoint,) = await world.entities("endpoints")
    wish = Wish("speaker-1", "", True, True, "Data protection", "speechops", world.data)

    result = await forget(str(world.store.folder), wish)

    assert result.is_done
    assert await world.entities("evaluations") == []
    assert [one["kind"] for one in await world.entities("datasets")] == ["Language"]
    assert await world.entities("endpoints") == [endpoint]
    (entry,) = [one for one in await world.ledger.history() if one.kind == "forget"]
    assert entry.at <= datetime.now(UTC)
    assert not (await verify_store(world.store)).is_broken

    again = await training_update(**world.arguments)

    assert again.released
    assert (await world.ledger.state()).pending is None
