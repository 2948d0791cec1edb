"""A model passed: put it live, verify it there, or put the old one back."""

from contextlib import suppress
from typing import cast

from prefect import flow
from prefect.logging import get_run_logger

from domain.approval import Hold
from domain.ledger import Release
from domain.track import check_name
from flows.consent import agreed, ended, is_top_level
from flows.going_live import go_live
from flows.naming import release_name
from tasks.code_releases import publish_github_release
from tasks.endpoints import (
    ReleaseFailed,
    await_endpoint,
    close_staging_endpoint,
    start_staging_endpoint,
)
from tasks.entities import Remote
from tasks.lines import speech_of
from tasks.listening import listen
from tasks.lost_history import check_history
from tasks.orchestrator import crash_if_cut_off, crashes_when_cut_off
from tasks.releases import Order, check_release, claim_release, record_release
from tasks.reports import report_release
from tasks.results import NOT_KEPT, ForeignResult
from tasks.retention import retire
from tasks.track_pages import publish_track_page
from tasks.turns import take_turn


@flow(
    name="deploy",
    description="Puts a model with a PASS verdict live: tries it on a staging endpoint, points the track's endpoint at it, "
    "verifies it there, and records the release. The endpoint's id stays, unless the track wants a new one each time.",
    flow_run_name=release_name,
    **NOT_KEPT,
)
@crashes_when_cut_off
async def deploy(
    track: str, model: str, verdict: str, speech: str = "speechops", store: str = "speechops", approval: str = ""
) -> Release:
    """Release a model. On its own it asks for an approval, and keeps to the release window, as training-update does.

    Args:
        track: Name of the track.
        model: Display name of the model on the Speech service.
        verdict: Digest of the ruling that let it pass, from the ledger or the verdict page.
        speech: Name of the Speech Resource block.
        store: Name of the store's block.
        approval: Id of an approval that was given for this model and this verdict; left empty, it asks if the track wants one.
    """
    check_name(track)
    await take_turn(f"track:{track}")
    speech = await speech_of(store, track, speech)
    if is_top_level():  # else the run that this is a part of has done so
        await check_history(speech, store, track)
    order = await agreed(await check_release(store, track, model, verdict, approval), speech, store)
    if isinstance(order, Hold):
        return cast("Release", ended(order))
    order = await try_on_staging(order, speech, store)
    await claim_release(store, order)
    live = await go_live(order, speech, store)
    release = await record_release(store, order, live)
    await report_release(speech, store, order, release, live)
    if order.ruling.subject.track.release.github_release:
        await publish_github_release(speech, store, track)
    await retire(speech, store, track)
    if is_top_level():  # the run that this is a part of writes the page at its end
        await publish_track_page(store, track)
    return release


async def deploy_within(track: str, model: str, verdict: str, speech: str, store: str, approval: str = "") -> Release:
    """`deploy` as a part of another run.

    When that run goes on after a crash or an approval, Prefect takes its first call of a subflow for the one that was first
    before. Where a result of that one is stored, as earlier versions did, Prefect answers with it: with that of another
    release, or with one that must not be read. Then it is called once more.
    """
    while True:
        with suppress(ForeignResult):
            release = await deploy(track, model, verdict, speech, store, approval)
            if getattr(release, "evidence", None) == verdict:
                return release
        get_run_logger().info("Prefect answered with what this run had stored before; '%s' is deployed anew", model)


async def try_on_staging(order: Order, speech: str, store: str) -> Order:
    """Let the candidate answer golden utterances where no client listens; the endpoint is removed again.

    A release that was begun has been here: clients may have the model already, so that only the live endpoint counts.

    Raises:
        ReleaseFailed: it does not answer as the evaluation did.
    """
    subject = order.ruling.subject
    if not subject.track.release.staging or order.is_begun(order.state) or order.is_done(order.state):
        return order
    staging = await start_staging_endpoint(speech, order.ruling)
    try:
        await await_endpoint(speech, subject.track, staging, subject.candidate)
        hearing = await listen(speech, store, order.ruling, staging, order.golden)
    finally:
        await close(speech, staging)
    if wrong := hearing.complaint(staging.name, subject.track.release):
        raise ReleaseFailed(f"{wrong}. Nothing has changed for clients.")
    return order.model_copy(update={"staging": hearing})


async def close(speech: str, staging: Remote) -> None:
    """Remove the staging endpoint. A release neither fails nor is told to have failed for that reason: retention tries again."""
    try:
        await close_staging_endpoint(speech, staging)
    except Exception as error:
        crash_if_cut_off(error)
        get_run_logger().warning("The staging endpoint '%s' is not removed yet, and charged: %s", staging.name, error)
