"""Promoting: the live model goes to another resource, is tested again there, and goes live on an endpoint of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger
from pydantic import SecretStr

from domain.ledger import News, Release, State, Withdrawn
from domain.mistakes import Mistake
from domain.promotion import PromotionReport
from domain.ruling import Decision, ModelRef
from domain.track import Track
from emulator.settings import RESOURCE_ID
from flows.promote import Judged, promote, put_live
from flows.rollback import rollback
from flows.watch import watch
from tasks.blocks import SpeechResource
from tasks.ledger import Ledger
from tasks.model_copies import await_copy, find_base, refuse_same, start_copy
from tasks.promotions import plan_promotion
from tasks.vault import read_ruling
from tests.emulator.service_kit import KEY, Caller, held, served, settings_for
from tests.flows.conftest import World
from tests.flows.release_kit import QUICK, SPOKEN, TEXTS, Templates, copied

TARGET_ID = RESOURCE_ID.replace("speech-emulator", "speech-prod")
PROD = '{ name = "prod", speech = "places-prod" }'
GONE = '{ name = "gone", speech = "places-gone" }'


@dataclass
class Pair:
    """A track with three releases at home, and another resource that has nothing yet."""

    home: World
    prod: Caller

    def target(self, *targets: str, settings: str = QUICK) -> None:
        """Name the track's promotion targets."""
        self.home.write_track(TEXTS[2], SPOKEN, f"promotion = [{', '.join(targets or (PROD,))}]\n{settings}")

    async def promoted(self, **parameters: str) -> PromotionReport:
        """Run the flow."""
        return await promote(self.home.track, data=str(self.home.data), **parameters)

    async def first(self) -> Release:
        """The oldest release at home."""
        return (await self.home.ledger.state()).previous_releases[-1]

    async def line(self) -> State:
        """The head of the track at the target."""
        return await Ledger(self.home.store, "places-prod").state()

    async def there(self, kind: str) -> list[dict[str, object]]:
        """All entities of a kind at the target."""
        return (await self.prod.get(f"/{kind}"))["values"]


@pytest.fixture
async def pair(templates: Templates, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two emulated resources, and the blocks that lead to them."""
    async with copied(templates.live, tmp_path / "home") as home:
        prod = settings_for(tmp_path / "prod", resource_id=TARGET_ID, region="eastus")
        async with served(prod) as target:
            await home.save_blocks(resource_id=RESOURCE_ID)
            block = SpeechResource(endpoint=str(target.http.base_url), key=SecretStr(KEY))
            await block.asave("places-prod", overwrite=True)
            pair = Pair(home, target)
            pair.target()
            yield pair


async def test_the_live_model_goes_live_at_the_target(pair: Pair) -> None:
    """Copied, tested and verified there, on an endpoint of its own; a second promotion does nothing; a watch looks after it."""
    before = await pair.home.ledger.state()
    report = await pair.promoted()
    (region,), home, line = report.regions, await pair.home.ledger.state(), await pair.line()

    assert (region.outcome, region.home_wer, region.there_wer) == ("Released", 0.0, 0.0)
    assert region.former_wer > 0
    (endpoint,), (model,) = await pair.there("endpoints"), await pair.there("models")
    assert endpoint["displayName"] == "places-prod-live"
    assert str(model["displayName"]).startswith("places-prod-model-")
    assert model["customProperties"]["track"] == "places-prod"
    assert line.release.recipe == before.release.recipe
    kinds = [entry.kind for entry in await Ledger(pair.home.store, "places-prod").history()]
    assert kinds == ["promotion", "release-started", "release"]
    assert (home.release, home.last.kind, home.last.facts["target"]) == (before.release, "promotion", "prod")

    done = await pair.prod.state()
    again = await pair.promoted()

    assert again.worst == "Already live"
    assert await pair.prod.state() == done
    assert (await pair.home.ledger.state(), await pair.line()) == (home, line)

    seen = await watch("places-prod", data=str(pair.home.data))

    assert seen.findings == ()
    assert {look.name for look in seen.looks} >= {"accuracy", "live endpoint", "expiry"}


async def test_a_region_that_fails_does_not_stop_the_others(pair: Pair) -> None:
    """One refuses us, in the other the evaluation fails: each says why, and the next run goes on with the copy that is there."""
    refused = SpeechResource(endpoint=str(pair.prod.http.base_url), key=SecretStr("a wrong key"))
    await refused.asave("places-gone", overwrite=True)
    pair.target(GONE, PROD)
    assert (await pair.prod.http.post("/_emulator/faults", json={"job": "evaluation"})).status_code == 201
    first = await promote(pair.home.track, data=str(pair.home.data), return_state=True)
    second = await promote(pair.home.track, data=str(pair.home.data), return_state=True)
    report = await second.aresult(raise_on_failure=False)

    assert (first.name, second.name, second.is_failed()) == ("Incomplete", "Incomplete", True)
    assert "gone: Failed (" in first.message
    assert "prod: Failed (" in first.message
    assert [(region.target, region.outcome) for region in report.regions] == [("gone", "Failed"), ("prod", "Released")]
    assert (await pair.home.speech.state())["model_copies"] == 1
    assert len(await pair.there("models")) == 1


async def test_a_copy_that_was_ordered_is_never_ordered_again(pair: Pair) -> None:
    """Killed right after the order, or before the copy had its name: the next run waits for that one, and takes it."""
    place = {"data": str(pair.home.data), "source": "", "store": "speechops"}
    plan = await plan_promotion.fn(pair.home.track, "", "", **place)
    line = plan.lines[0].track
    order = partial(start_copy.fn, "speechops", "places-prod", "speechops", line, plan.subject)
    with disable_run_logger(), held(pair.home.folder.parent / "prod", "training"):
        first, second = await order(), await order()
    with disable_run_logger():
        copy = await await_copy.fn("speechops", "places-prod", line, plan.subject, second)
        third = await order()

    assert first == second
    assert first.operation
    assert third.there == copy.path
    assert (await pair.home.speech.state())["model_copies"] == len(await pair.there("models")) == 1


@pytest.mark.slow
async def test_what_is_live_there_is_the_best_that_was_promoted_and_can_be_taken_back(pair: Pair) -> None:
    """A worse version is refused; a rollback finds the resource by itself; what it took back is refused from then on."""
    first = await pair.first()
    assert (await pair.promoted(version=first.version)).worst == "Released"
    assert (await pair.promoted()).worst == "Released"

    (worse,) = (await pair.promoted(version=first.version)).regions
    back = await rollback("places-prod", reason="names are wrong")
    (refused,) = (await pair.promoted()).regions

    assert (worse.outcome, worse.told.startswith("FAIL: WER rose")) == ("Refused", True)
    assert (back.number, back.recipe) == (3, first.recipe)
    assert refused.outcome == "Refused"
    assert "names are wrong" in refused.told
    assert "speechops rollback places-prod --to" in refused.told


async def test_what_cannot_be_promoted_is_told_before_anything_is_copied(pair: Pair) -> None:
    """Taken back at home, an unknown version, one resource for both, no resource id, no base model: each with a remedy."""
    bad, at = await pair.first(), datetime.now(UTC)
    withdrawn = Withdrawn(**bad.model_dump(include={"model", "model_name", "recipe", "version"}), reason="bad", at=at)
    await pair.home.ledger.append(
        News(kind="rollback", flow_run="", revision=""), lambda _: {"withdrawn": (withdrawn,)}
    )
    place = {"data": str(pair.home.data), "source": "", "store": "speechops"}
    home = SpeechResource(endpoint="http://home", resource_id="")

    with pytest.raises(Mistake, match=r"was taken back at home \(bad\)"):
        await plan_promotion.fn(pair.home.track, "", bad.version, **place)
    with pytest.raises(Mistake, match=r"no release '9\.9\.9'"):
        await plan_promotion.fn(pair.home.track, "", "9.9.9", **place)
    with pytest.raises(Mistake, match="lead to the same resource"):
        refuse_same("a", home, "b", SpeechResource(endpoint="http://HOME/"))
    with pytest.raises(Mistake, match="does not say its resource_id"):
        refuse_same("a", home, "b", SpeechResource(endpoint="http://other"))
    with pytest.raises(Mistake, match=r"no base model '20991231' for en-US \(it has: .*2025"):
        await find_base.fn(
            "places-prod", Track(name="x", locale="en-US"), ModelRef(path="models/base/x", name="20991231")
        )


async def test_a_copy_that_is_not_what_it_is_at_home_is_refused(pair: Pair) -> None:
    """It passed there, but has another WER than at home: something went wrong on the way, and nobody's clients get it."""
    release = (await pair.home.ledger.state()).release
    ruling = await read_ruling(pair.home.store, release.evidence)
    plan = await plan_promotion.fn(pair.home.track, "", "", str(pair.home.data), "", "speechops")
    state, decision = await pair.line(), Decision(digest=release.evidence, ruling=ruling)
    judged = Judged(line=plan.lines[0], state=state, decision=decision)

    region = await put_live(plan.model_copy(update={"wer": 0.006}), judged, "speechops")

    assert region.outcome == "Refused"
    assert region.told.startswith("the copy has a WER of 0.0%, the model at home 0.6%")


async def test_a_line_shares_its_history_with_nobody(pair: Pair) -> None:
    """Neither with a track that trains, nor with a line of another track whose name is put together alike."""
    place = {"data": str(pair.home.data), "source": "", "store": "speechops"}
    ledger = Ledger(pair.home.store, "places-prod")
    await ledger.append(News(kind="promotion", flow_run="", revision="", facts={"home": "other"}))

    with pytest.raises(Mistake, match="which is no promotion of 'places'"):
        await plan_promotion.fn(pair.home.track, "", "", **place)
    (pair.home.data / "places-prod").mkdir()
    (pair.home.data / "places-prod" / "track.toml").write_text(QUICK)
    with pytest.raises(Mistake, match="'places-prod' is a track of its own"):
        await plan_promotion.fn(pair.home.track, "", "", **place)
