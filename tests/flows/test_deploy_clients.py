"""What clients notice while models go live and are taken back: nothing but better text, and never an error."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

import flows.deploy
import flows.going_live
from domain.ledger import Entry, Release, State
from domain.ruling import Ruling
from flows.deploy import deploy
from flows.rollback import rollback
from tasks.endpoints import ReleaseFailed
from tasks.release_cards import read_card
from tasks.vault import keep_ruling, read_ruling
from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import KEY
from tests.flows.conftest import World
from tests.flows.release_kit import RECOGNITION, SPOKEN, Templates, copied
from tests.flows.test_overlaps_and_crashes import crash, then

SAID = SPOKEN["2.wav"]
OLD, NEW = "xerxes street is near xanadu and a uh", SAID
"""What the live model and the next one hear of it. The base model hears none of the names."""

IMPOSSIBLE = 1e-6
"""Seconds: no answer comes so quickly."""


class Client:
    """Transcribes the same recording through one endpoint, again and again, and keeps every answer."""

    def __init__(self, http: httpx.AsyncClient, endpoint: str) -> None:
        self._http = http
        self._cid = endpoint.rpartition("/")[2]
        self.answers: list[tuple[int, str]] = []

    async def ask(self) -> str:
        """One request; the text."""
        answer = await self._http.post(
            "/speech/recognition/conversation/cognitiveservices/v1",
            params={"cid": self._cid, "language": "en-US", "format": "detailed"},
            content=wav(SAID),
            headers={"Content-Type": "audio/wav; codecs=audio/pcm; samplerate=16000"},
        )
        text = answer.json()["NBest"][0]["Lexical"] if answer.status_code == 200 else answer.text
        self.answers.append((answer.status_code, text))
        return str(text)

    async def run(self) -> None:
        """Ask until somebody cancels it."""
        while True:
            await self.ask()
            await asyncio.sleep(0.02)

    @property
    def heard(self) -> set[tuple[int, str]]:
        """The different answers."""
        return set(self.answers)


@asynccontextmanager
async def asking(world: World, endpoint: str | None) -> AsyncIterator[Client]:
    """A client that asks from before until after."""
    url, headers = str(world.speech.http.base_url), {"Ocp-Apim-Subscription-Key": KEY}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        client = Client(http, endpoint or "")
        await client.ask()
        task = asyncio.create_task(client.run())
        try:
            yield client
            await client.ask()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def world(templates: Templates, tmp_path: Path) -> AsyncIterator[World]:
    """A track with two releases, and a third model that passed."""
    async with copied(templates.ready, tmp_path) as world:
        yield world


async def the_third(world: World, **release: object) -> tuple[str, str]:
    """The model that passed, and its verdict under other settings of `[release]`."""
    facts = next(one.facts for one in reversed(await world.ledger.history()) if "outcome" in one.facts)
    return await under(world, await read_ruling(world.store, facts["ruling"]), **release)


async def under(world: World, ruling: Ruling, **release: object) -> tuple[str, str]:
    """A ruling under other settings of `[release]`: its model and its digest."""
    track = ruling.subject.track
    settings = track.release.model_copy(update=release)
    changed = ruling.subject.model_copy(update={"track": track.model_copy(update={"release": settings})})
    return ruling.subject.candidate.name, await keep_ruling(world.store, ruling.model_copy(update={"subject": changed}))


async def after(world: World, number: int) -> tuple[State, Release]:
    """The head, once that release is live."""
    state = await world.ledger.state()
    assert state.release is not None
    assert (state.release.number, state.pending) == (number, None)
    return state, state.release


async def last(world: World, kind: str) -> Entry:
    """The newest entry of that kind in the history."""
    return next(entry for entry in reversed(await world.ledger.history()) if entry.kind == kind)


async def endpoints(world: World) -> set[str]:
    """Paths of all endpoints."""
    found = await world.entities("endpoints")
    return {"endpoints/" + str(one["self"]).partition("?")[0].rpartition("/")[2] for one in found}


async def test_clients_notice_nothing_but_better_text(world: World) -> None:
    """A release through staging, and a rollback: the same id answers all the time, with the old or the new model."""
    before = await world.ledger.state()
    model, verdict = await the_third(world)

    async with asking(world, before.endpoint) as client:
        await deploy(world.track, model, verdict)
        assert await client.ask() == NEW
        await rollback(world.track, reason="drill")

    assert client.answers[-1] == (200, OLD)
    assert client.heard == {(200, OLD), (200, NEW)}
    _, release = await after(world, 4)
    assert release.endpoint == before.endpoint


async def test_clients_see_no_error_while_a_release_fails(world: World) -> None:
    """The new model is too slow on the live endpoint: it is taken back, while somebody asks all the time."""
    before = await world.ledger.state()
    model, verdict = await the_third(world, staging=False, maximum_latency_seconds=IMPOSSIBLE)

    async with asking(world, before.endpoint) as client:
        with pytest.raises(ReleaseFailed, match=r"95 of 100 answers take up to .* is back"):
            await deploy(world.track, model, verdict)

    assert client.answers[-1] == (200, OLD)
    assert client.heard <= {(200, OLD), (200, NEW)}
    state, _ = await after(world, 2)
    assert (state.endpoint, state.last.kind) == (before.endpoint, "release-failed")


async def test_a_slow_model_does_not_get_past_staging(world: World) -> None:
    """Clients never meet it, and the staging endpoint is removed."""
    model, verdict = await the_third(world, maximum_latency_seconds=IMPOSSIBLE)

    with pytest.raises(ReleaseFailed, match=r"95 of 100 answers .* Nothing has changed for clients"):
        await deploy(world.track, model, verdict)

    assert await endpoints(world) == {(await world.ledger.state()).endpoint}


async def test_a_release_with_an_endpoint_of_its_own(world: World) -> None:
    """Clients of the former id keep the former model; a rollback and a release in the other mode leave the new id alone."""
    before = await world.ledger.state()
    model, verdict = await the_third(world, mode="new-endpoint")

    async with asking(world, before.endpoint) as former:
        await deploy(world.track, model, verdict)

    assert former.heard == {(200, OLD)}
    state, third = await after(world, 3)
    assert await endpoints(world) == {before.endpoint, state.endpoint}
    async with asking(world, state.endpoint) as client:
        await again_with_stable_id(world, third)
        _, fourth = await after(world, 4)
        assert await client.ask() == OLD
        await rollback(world.track, reason="drill")
    assert client.answers[-1] == (200, NEW)
    assert client.heard == {(200, NEW), (200, OLD)}
    now, fifth = await after(world, 5)
    assert (now.endpoint, fourth.version) == (state.endpoint, before.release.version)
    assert (fifth.model, fifth.version) == (third.model, third.version)


async def again_with_stable_id(world: World, live: Release) -> None:
    """Release the model before once more, as if it had won against the live one."""
    (second, *_) = (await world.ledger.state()).previous_releases
    ruling = await read_ruling(world.store, second.evidence)
    won = ruling.subject.model_copy(update={"benchmark": live.ref})
    model, verdict = await under(world, ruling.model_copy(update={"subject": won}), mode="stable-id")
    await deploy(world.track, model, verdict)


@pytest.mark.parametrize("broken", ["its job", "its answers"])
async def test_a_new_endpoint_that_fails_is_removed(world: World, broken: str) -> None:
    """Clients never knew of it, and nobody pays for it; the next try makes it."""
    before = await world.ledger.state()
    slow = {"maximum_latency_seconds": IMPOSSIBLE} if broken == "its answers" else {}
    model, verdict = await the_third(world, mode="new-endpoint", staging=False, **slow)
    if broken == "its job":
        await world.fault(job="endpoint")

    with pytest.raises(ReleaseFailed, match=f"Clients keep '{before.release.model_name}'"):
        await deploy(world.track, model, verdict)

    assert await endpoints(world) == {before.endpoint}
    state, _ = await after(world, 2)
    assert state.last.kind == "release-failed"
    await deploy(*(world.track, *await the_third(world, mode="new-endpoint", staging=False)))
    assert len(await endpoints(world)) == 2


async def test_the_record_says_how_the_endpoints_answered(world: World) -> None:
    """Version, latencies, and a card as evidence that holds nothing of what people said."""
    model, verdict = await the_third(world)

    release = await deploy(world.track, model, verdict)

    entry = await last(world, "release")
    card = await read_card(world.store, release.card)
    assert (release.version, card.version, entry.facts["version"]) == ("1.2.0",) * 3
    assert entry.facts["golden"]["staging"]["latency"]["where"].startswith("places-staging-")
    assert release.latency == card.live.latency
    assert (card.live.wer, card.live.text_difference, card.live.recordings) == (0.0, 0.0, 1)
    assert (card.wer_after, card.testing_recordings, card.verdict) == (0.0, 8, verdict)
    assert SAID not in card.model_dump_json() + entry.model_dump_json()


async def test_an_interrupted_release_is_verified_where_clients_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when clients have the new model, which then answers wrongly: they get the old one back, at once."""
    before = await world.ledger.state()
    model, verdict = await the_third(world)
    with monkeypatch.context() as patch:
        then(patch, flows.going_live, "start_live_endpoint", crash)
        with pytest.raises(KeyboardInterrupt):
            await deploy(world.track, model, verdict)
    await world.fault(method="POST", path=RECOGNITION, kind="deaf")

    with pytest.raises(ReleaseFailed, match="is back"):
        await deploy(world.track, model, verdict)

    state, _ = await after(world, 2)
    async with asking(world, state.endpoint) as client:
        assert await client.ask() == OLD
    assert await endpoints(world) == {before.endpoint}


async def test_an_endpoint_that_is_gone_blocks_nothing(world: World) -> None:
    """Somebody deleted it, and the release fails, too: nothing stays pending, and the next release makes an endpoint."""
    before = await world.ledger.state()
    await world.speech.call("DELETE", f"/{before.endpoint}")
    with pytest.raises(ReleaseFailed, match="is gone"):
        await deploy(*(world.track, *await the_third(world, staging=False, maximum_latency_seconds=IMPOSSIBLE)))
    await after(world, 2)

    await deploy(*(world.track, *await the_third(world, staging=False)))

    state, _ = await after(world, 3)
    assert await endpoints(world) == {state.endpoint} != {before.endpoint}


async def test_a_staging_endpoint_that_cannot_be_removed_fails_no_release(
    world: World, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    """The model is good; the log says what is still charged."""

    async def refused() -> None:
        raise RuntimeError("the key may not delete")

    then(monkeypatch, flows.deploy, "close_staging_endpoint", refused)

    await deploy(*(world.track, *await the_third(world)))

    await after(world, 3)
    assert "charged: the key may not delete" in logged()
