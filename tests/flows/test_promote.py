"""Promoting: the live model goes to another resource, is tested again there, and goes live on an endpoint of its own."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.ledger import State
from domain.mistakes import Mistake
from domain.promotion import PromotionReport
from domain.ruling import ModelRef
from domain.track import Track
from emulator.settings import RESOURCE_ID
from flows.promote import promote
from flows.rollback import rollback
from tasks.blocks import SpeechResource
from tasks.ledger import Ledger
from tasks.model_copies import find_base
from tests.emulator.service_kit import KEY, Caller, free_port, served, settings_for
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
    """Copied, tested and verified there, on an endpoint of its own; at home nothing changes but the history."""
    before = await pair.home.ledger.state()
    report = await pair.promoted()
    (region,), after, line = report.regions, await pair.home.ledger.state(), await pair.line()

    assert (region.outcome, region.home_wer, region.there_wer) == ("Released", 0.0, 0.0)
    assert region.former_wer is not None
    assert region.former_wer > 0
    (endpoint,), (model,) = await pair.there("endpoints"), await pair.there("models")
    assert endpoint["displayName"] == "places-prod-live"
    assert str(model["displayName"]).startswith("places-prod-model-")
    assert model["customProperties"]["track"] == "places-prod"
    assert line.release is not None
    assert line.release.recipe == before.release.recipe
    kinds = [entry.kind for entry in await Ledger(pair.home.store, "places-prod").history()]
    assert kinds == ["promotion", "release-started", "release"]
    assert (after.release, after.last.kind, after.last.facts["target"]) == (before.release, "promotion", "prod")


async def test_a_second_promotion_does_nothing_again(pair: Pair) -> None:
    """No copy, no upload, no evaluation, no entry in any history."""
    await pair.promoted()
    done, home, line = await pair.prod.state(), await pair.home.ledger.state(), await pair.line()
    report = await pair.promoted()

    assert [region.outcome for region in report.regions] == ["Already live"]
    assert await pair.prod.state() == done
    assert (await pair.home.ledger.state(), await pair.line()) == (home, line)


async def test_a_region_that_is_down_does_not_stop_the_others(pair: Pair) -> None:
    """One verdict for each; the run says which is missing, and the next run makes only that one."""
    closed = SpeechResource(endpoint=f"http://127.0.0.1:{free_port()}", key=SecretStr(KEY))
    await closed.asave("places-gone", overwrite=True)
    pair.target(GONE, PROD)
    state = await promote(pair.home.track, data=str(pair.home.data), return_state=True)
    report = await state.aresult(raise_on_failure=False)

    assert (state.name, state.is_failed()) == ("Incomplete", True)
    assert [(region.target, region.outcome) for region in report.regions] == [("gone", "Failed"), ("prod", "Released")]
    assert "127.0.0.1" in report.regions[0].told
    assert "gone: Failed" in state.message


async def test_what_failed_halfway_is_gone_on_with(pair: Pair) -> None:
    """The evaluation there fails: the next run finds the copy, and copies nothing again."""
    answer = await pair.prod.http.post("/_emulator/faults", json={"job": "evaluation"})
    assert answer.status_code == 201
    state = await promote(pair.home.track, data=str(pair.home.data), return_state=True)
    assert state.name == "Incomplete"
    assert await pair.there("endpoints") == []

    report = await pair.promoted()

    assert report.worst == "Released"
    assert (await pair.home.speech.state())["model_copies"] == 1
    assert len(await pair.there("models")) == 1


async def test_a_promoted_model_can_be_taken_back_there(pair: Pair) -> None:
    """Rollback works on the line as on any track; promoted again it is refused, with the reason."""
    first, *_ = reversed([*(await pair.home.ledger.state()).previous_releases])
    await pair.promoted(version=first.version)
    newer = await pair.promoted()
    assert newer.worst == "Released"

    back = await rollback("places-prod", reason="names are wrong", speech="places-prod")
    refused = await pair.promoted()

    assert (back.number, back.recipe) == (3, first.recipe)
    (region,) = refused.regions
    assert region.outcome == "Refused"
    assert "names are wrong" in region.told
    assert "speechops rollback places-prod --to" in region.told


async def test_a_worse_model_is_refused_there(pair: Pair) -> None:
    """What is live at the target is better than the earlier version: nothing changes for its clients."""
    await pair.promoted()
    first, *_ = reversed([*(await pair.home.ledger.state()).previous_releases])
    before = await pair.line()
    report = await pair.promoted(version=first.version)

    assert report.worst == "Refused"
    assert report.regions[0].told.startswith("FAIL: WER rose")
    assert (await pair.line()).release == before.release


async def test_a_model_that_was_taken_back_at_home_is_not_promoted(pair: Pair) -> None:
    """What is too bad for home is too bad for prod."""
    bad = (await pair.home.ledger.state()).release
    await rollback(pair.home.track, reason="names are wrong")

    with pytest.raises(Mistake, match=r"was taken back at home \(names are wrong\)"):
        await pair.promoted(version=bad.version)


async def test_a_target_without_the_base_model_is_told(pair: Pair) -> None:
    """A model works only where its base model is; the message says what the region has."""
    track = Track(name="places-prod", locale="en-US")
    newer = ModelRef(path="models/base/00000000-0000-0000-0000-000000000000", name="20991231")

    with pytest.raises(Mistake, match=r"no base model '20991231' for en-US \(it has: .*2025"):
        await find_base.fn("places-prod", track, newer)


@pytest.mark.parametrize(
    ("parameters", "targets", "message"),
    [
        ({"target": "west"}, (PROD,), r"no promotion target 'west' \(known: prod\)"),
        ({}, ('{ name = "prod", speech = "speechops" }',), "lead to the same resource"),
        ({}, ('{ name = "prod", speech = "nowhere" }',), "no Speech Resource block named 'nowhere'"),
        (
            {},
            (f'{{ name = "{"x" * 31}", speech = "s" }}', f'{{ name = "{"x" * 31}", speech = "s" }}'),
            "name of its own",
        ),
        ({"version": "9.9.9"}, (PROD,), "no release '9.9.9'"),
    ],
)
async def test_mistakes_are_told_with_a_remedy(
    pair: Pair, parameters: dict[str, str], targets: tuple[str, ...], message: str, logged: Callable[[], str]
) -> None:
    """Before anything is copied."""
    pair.target(*targets)
    state = await promote(pair.home.track, data=str(pair.home.data), return_state=True, **parameters)

    assert state.is_failed()
    assert re.search(message, logged())
    assert await pair.there("models") == []
