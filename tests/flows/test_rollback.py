"""Rolling back: the model before goes live again, at once, on the same endpoint; the bad one does not come back by itself."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow_async

from domain.ledger import Release
from domain.mistakes import Mistake
from flows.deploy import deploy
from flows.rollback import rollback
from flows.training_update import training_update
from tasks.endpoints import ReleaseFailed
from tests.emulator.service_kit import path_of
from tests.flows.conftest import World
from tests.flows.release_kit import RECOGNITION, SPOKEN, STAGED, Templates, copied, live_model


@pytest.fixture
async def world(templates: Templates, tmp_path: Path) -> AsyncIterator[World]:
    """A track with three releases."""
    async with copied(templates.live, tmp_path) as world:
        yield world


async def releases(world: World) -> list[Release]:
    """All releases, oldest first."""
    state = await world.ledger.state()
    return [*reversed(state.previous_releases), *([state.release] if state.release else [])]


async def deleted(world: World, model: str) -> None:
    """Somebody deletes a model, and the evaluations that are in the way."""
    for evaluation in await world.entities("evaluations"):
        await world.speech.call("DELETE", path_of(evaluation))
    answer = await world.speech.call("DELETE", f"/{model}")
    assert answer.status_code == 204, answer.text


async def test_a_release_is_taken_back_in_one_step(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The drill: one rollback; the endpoint's id stays, history says why and who, the benchmark is the old model."""
    _, second, third = await releases(world)

    begun = time.monotonic()
    release = await rollback(world.track, reason="names are wrong", by="ada")
    with capsys.disabled():
        print(f"\n  rollback on the emulator: {time.monotonic() - begun:.1f} s")

    state = await world.ledger.state()
    assert (release.number, release.kind, release.model) == (4, "rollback", second.model)
    assert (release.endpoint, release.version, release.by) == (third.endpoint, second.version, "ada")
    assert await live_model(world) == second.model == state.benchmark.model
    assert [one.number for one in state.previous_releases] == [3, 2, 1]
    assert [(one.model, one.reason) for one in state.withdrawn] == [(third.model, "names are wrong")]
    told = {entry.kind: entry.facts for entry in await world.ledger.history()}
    assert told["rollback"]["why"] == told["rollback-started"]["why"] == "names are wrong"


async def test_a_model_that_was_taken_back_does_not_come_back_by_itself(world: World) -> None:
    """The same data are pushed again: refused with reason and remedy, nothing is trained; and nobody can deploy it."""
    _, second, third = await releases(world)
    await rollback(world.track, reason="it mishears xerxes")
    done = await world.speech.state()

    state = await training_update(**world.arguments, return_state=True)

    assert state.name == "Refused"
    assert "it mishears xerxes" in state.message
    assert f"speechops rollback {world.track} --to {third.version}" in state.message
    assert (await live_model(world), await world.speech.state()) == (second.model, done)
    with pytest.raises(Mistake, match="was taken back"):
        await deploy(world.track, third.model_name, third.evidence)


async def test_other_training_data_release_after_a_rollback(world: World) -> None:
    """Only the model that was taken back is unwelcome, not the next one."""
    await rollback(world.track)
    world.write_track("xanadu and xerxes and a xystus are all places\n", SPOKEN, STAGED)

    assert (await training_update(**world.arguments)).released


async def test_naming_a_model_that_was_taken_back_makes_it_welcome_again(world: World) -> None:
    """It was a mistake to take it back: it is live again, and the model before can still be gone back to."""
    _, second, third = await releases(world)
    await rollback(world.track)

    again = await rollback(world.track, to=third.version)

    assert (again.model, again.version, (await world.ledger.state()).withdrawn) == (third.model, third.version, ())
    assert (await rollback(world.track)).model == second.model


async def test_two_calls_are_one_rollback(world: World) -> None:
    """Two people wake up: the second one's run, begun before the first was done, must not go back one more."""
    _, second, _ = await releases(world)
    async with get_client() as client:
        late = await client.create_flow_run(rollback, parameters={"track": world.track, "by": "bob"})
    await rollback(world.track, by="ada")

    state = await run_flow_async(rollback, flow_run=late, parameters=late.parameters, return_type="state")

    assert state.name == "Already live"
    assert await live_model(world) == second.model


async def test_going_back_ends_at_the_first_release(world: World) -> None:
    """Back is back in time: never forward to what was taken back; the message has what can be named."""
    first, second, third = await releases(world)
    assert [(await rollback(world.track)).model for _ in range(2)] == [second.model, first.model]

    with pytest.raises(Mistake, match=rf"no earlier release .*--to {third.version}"):
        await rollback(world.track)
    with pytest.raises(Mistake, match=r"has no release '9\.9\.9'. There are: 1\.2\.0"):
        await rollback(world.track, to="9.9.9")


async def test_a_deleted_model_is_refused_with_the_next_best_choice(world: World) -> None:
    """Somebody deleted it in Speech Studio: the message has the command for the one before."""
    first, second, _ = await releases(world)
    await deleted(world, second.model)

    with pytest.raises(Mistake, match=rf"is deleted\. Next best: .*speechops rollback places --to {first.version}"):
        await rollback(world.track, to=second.version)

    assert (await rollback(world.track)).model == first.model


async def test_a_model_that_the_service_calls_expired_is_not_gone_back_to(world: World) -> None:
    """By the service's clock, which may be ahead of ours: clients have what they had."""
    before = await live_model(world)
    await world.speech.http.post("/_emulator/clock", json={"offset_seconds": timedelta(days=5 * 365).total_seconds()})

    with pytest.raises(ReleaseFailed, match=r"ModelDeprecated.* is back"):
        await rollback(world.track)

    assert await live_model(world) == before
    assert (await world.ledger.state()).pending is None


async def test_what_was_live_comes_back_when_the_old_model_does_not_answer(world: World) -> None:
    """The verification on the live id fails: clients have what they had, and the message says what else can be done."""
    first, _, third = await releases(world)
    await world.fault(method="POST", path=RECOGNITION, kind="deaf", times=1)

    with pytest.raises(ReleaseFailed, match=rf"is back\. Next best: .* --to {first.version}"):
        await rollback(world.track)

    assert await live_model(world) == third.model
    state = await world.ledger.state()
    assert (state.pending, state.withdrawn, state.last.kind) == (None, (), "rollback-failed")
