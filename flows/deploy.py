"""A model passed: put it live, verify it there, or put the old one back."""

from prefect import flow

from domain.ledger import Release
from domain.track import check_name
from flows.going_live import go_live
from flows.naming import release_name
from tasks.endpoints import (
    ReleaseFailed,
    await_endpoint,
    close_staging_endpoint,
    listen,
    start_staging_endpoint,
)
from tasks.releases import Order, check_release, claim_release, record_release
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
