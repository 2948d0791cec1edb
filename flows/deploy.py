"""A model passed: put it live, verify it there, or put the old one back."""

from prefect import flow

from domain.ledger import Release
from domain.naming import live_endpoint_name
from domain.track import check_name
from flows.naming import release_name
from tasks.endpoints import (
    ReleaseFailed,
    await_endpoint,
    close_staging_endpoint,
    listen,
    put_back,
    start_live_endpoint,
    start_staging_endpoint,
)
from tasks.entities import Remote
from tasks.releases import Order, check_release, claim_release, record_failed_release, record_release
from tasks.reports import report_release
from tasks.turns import take_turn


@flow(
    name="deploy",
    description="Puts a model with a PASS verdict live: tries it on a staging endpoint, points the track's endpoint at it, "
    "verifies it there, and records the release. The endpoint's id never changes.",
    flow_run_name=release_name,
    persist_result=True,
)
async def deploy(track: str, model: str, verdict: str, speech: str = "speechops", store: str = "speechops") -> Release:
    """Release a model.

    Args:
        track: Name of the track.
        model: Display name of the model on the Speech service.
        verdict: Digest of the ruling that let it pass, from the ledger or the verdict page.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
    """
    check_name(track)
    await take_turn(f"track:{track}")
    order = await check_release(store, track, model, verdict)
    if order.ruling.subject.track.release.staging:
        await try_on_staging(order, speech, store)
    await claim_release(store, order)
    live = await go_live(order, speech, store)
    release = await record_release(store, order, live)
    await report_release(speech, order, release, live)
    return release


async def try_on_staging(order: Order, speech: str, store: str) -> None:
    """Let the candidate answer golden utterances where no client listens; the endpoint is removed again.

    Raises:
        ReleaseFailed: it does not answer as the evaluation did.
    """
    subject = order.ruling.subject
    staging = await start_staging_endpoint(speech, order.ruling)
    try:
        await await_endpoint(speech, subject.track, staging, subject.candidate)
        wrong = await listen(speech, store, order.ruling, staging, order.golden)
    finally:
        await close_staging_endpoint(speech, staging)
    if wrong:
        raise ReleaseFailed(f"{wrong}. Nothing has changed for clients.")


async def go_live(order: Order, speech: str, store: str) -> Remote:
    """Point the track's endpoint at the candidate and verify it there.

    Raises:
        ReleaseFailed: it could not be verified, for whatever reason; the message says what clients have now.
    """
    try:
        return await switch(order, speech, store)
    except Exception as error:
        now = await take_back(order, speech, store, str(error))
        raise ReleaseFailed(f"{error} {now}") from error


async def switch(order: Order, speech: str, store: str) -> Remote:
    """Change the live endpoint, wait, and listen."""
    subject = order.ruling.subject
    live = await start_live_endpoint(speech, order.ruling, order.state.endpoint)
    await await_endpoint(speech, subject.track, live, subject.candidate)
    if wrong := await listen(speech, store, order.ruling, live, order.golden):
        raise ReleaseFailed(f"{wrong}.")
    return live


async def take_back(order: Order, speech: str, store: str, reason: str) -> str:
    """Clients must not keep a model that nobody has verified. Returns what they have now."""
    former, endpoint, track = order.former, order.state.endpoint, order.ruling.subject.track
    if former is None or endpoint is None:
        await record_failed_release(store, order, reason)
        return "There is no former model to put back: do not use the endpoint yet."
    try:
        await put_back(speech, track, endpoint, former)
        await await_endpoint(speech, track, Remote(path=endpoint, name=live_endpoint_name(track.name)), former)
    except Exception as error:
        return f"The former model '{former.name}' could not be put back ({error}). Run training-update again at once."
    await record_failed_release(store, order, reason)
    return f"The former model '{former.name}' is back."
