"""Take a model back: an earlier one goes live again, on the same endpoint, at once."""

from prefect import flow

from domain.ledger import Release
from domain.track import check_name
from flows.going_live import go_live
from flows.naming import rollback_name
from tasks.acting import act_on
from tasks.endpoints import ReleaseFailed
from tasks.lines import speech_of
from tasks.listening import Verified
from tasks.orchestrator import crashes_when_cut_off
from tasks.owners import await_others
from tasks.releases import Order, record_release
from tasks.reports import report_release
from tasks.results import NOT_KEPT
from tasks.retention import retire
from tasks.rollbacks import Choice, Wish, choose_rollback, claim_rollback, name_next_best, report_rollback
from tasks.track_pages import publish_track_page


@flow(
    name="rollback",
    description="Takes the live model back: the one before it, or the one that is named, goes live again on the same "
    "endpoint. Waits for no training, asks for no approval, minds no release window.",
    flow_run_name=rollback_name,
    **NOT_KEPT,
)
@crashes_when_cut_off
async def rollback(
    track: str, to: str = "", reason: str = "", by: str = "", speech: str = "speechops", store: str = "speechops"
) -> Release:
    """Go back to an earlier release.

    Args:
        track: Name of the track.
        to: Version of the release to go back to, such as 1.2.0; left empty, the one before, one step only, however often it is asked for. Naming a model that was taken back makes it welcome again.
        reason: Why, in a few words; history and reports show it.
        by: Who asks for it.
        speech: Name of the Speech Resource block; a promoted track knows its own.
        store: Name of the store's block.
    """
    check_name(track)
    act_on(track)  # without its turn, for a training can hold that for days
    speech = await speech_of(store, track, speech)
    choice = await claimed(Wish.of(track, to, reason, by), speech, store)
    if choice.order is None:
        return await report_rollback(choice)
    live = await go_back(choice.order, speech, store)
    release = await record_release(store, choice.order, live)
    await report_release(speech, store, choice.order, release, live)
    await retire(speech, store, track)
    await publish_track_page(store, track)
    return await report_rollback(choice, release)


async def claimed(wish: Wish, speech: str, store: str) -> Choice:
    """Choose what to do and claim it in the head; chosen anew for as long as others are faster."""
    while True:
        head = await await_others(store, wish.track)
        choice = await choose_rollback(speech, store, head, wish)
        if choice.order is None or await claim_rollback(store, choice.order):
            return choice


async def go_back(order: Order, speech: str, store: str) -> Verified:
    """Point the endpoint at the earlier model and verify it.

    Raises:
        ReleaseFailed: it does not answer as it should; the message says what clients have now, and the next best choice.
    """
    try:
        return await go_live(order, speech, store)
    except ReleaseFailed as error:
        best = await name_next_best(speech, order.state, order.ruling.subject.candidate.path)
        raise ReleaseFailed(f"{error} {best}") from error
