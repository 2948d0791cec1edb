"""The part of a release during which clients may notice something: change the endpoint, verify, or put the old model back."""

from prefect.logging import get_run_logger

from domain.naming import live_endpoint_name
from tasks.endpoints import ReleaseFailed, await_endpoint, put_back, remove_new_endpoint, start_live_endpoint
from tasks.entities import Remote
from tasks.listening import Verified, listen
from tasks.orchestrator import crash_if_cut_off
from tasks.releases import Order, check_ownership, record_failed_release
from tasks.track_pages import publish_track_page


async def go_live(order: Order, speech: str, store: str) -> Verified:
    """Point the track's endpoint at the order's model and verify it there.

    Raises:
        ReleaseFailed: it could not be verified, for whatever reason; the message says what clients have now.
    """
    try:
        return await switch(order, speech, store)
    except Exception as error:
        crash_if_cut_off(error)
        await check_ownership(store, order)
        now = await take_back(order, speech, store, str(error))
        await publish_track_page(store, order.ruling.subject.track.name)
        raise ReleaseFailed(f"{error} {now}") from error


async def switch(order: Order, speech: str, store: str) -> Verified:
    """Change the live endpoint, wait, and listen."""
    subject = order.ruling.subject
    live = await start_live_endpoint(speech, order.ruling, order.state.endpoint, order.new_endpoint)
    await await_endpoint(speech, subject.track, live, subject.candidate)
    hearing = await listen(speech, store, order.ruling, live, order.golden)
    if wrong := hearing.complaint(live.name, subject.track.release):
        raise ReleaseFailed(f"{wrong}.")
    return Verified(**live.model_dump(), hearing=hearing)


async def take_back(order: Order, speech: str, store: str, reason: str) -> str:
    """Clients must not keep a model that nobody has verified. Returns what they have now."""
    if order.is_done(order.state):
        return f"It had been released before, and is still live. To go back: `speechops rollback {order.ruling.subject.track.name}`."
    if order.new_endpoint:
        return await drop_new_endpoint(order, speech, store, reason)
    former, endpoint, track = order.former, order.state.endpoint, order.ruling.subject.track
    if former is None or endpoint is None:
        await record_failed_release(store, order, reason)
        return "There is no former model to put back: do not use the endpoint yet."
    try:
        there = await put_back(speech, track, endpoint, former)
        if there:
            await await_endpoint(speech, track, Remote(path=endpoint, name=live_endpoint_name(track.name)), former)
    except Exception as error:
        crash_if_cut_off(error)
        return f"The former model '{former.name}' could not be put back ({error}). Run training-update again at once."
    await record_failed_release(store, order, reason)
    gone = "The endpoint that clients know is gone, so nothing could be put back: the next release makes one."
    return f"The former model '{former.name}' is back." if there else gone


async def drop_new_endpoint(order: Order, speech: str, store: str, reason: str) -> str:
    """No client knows the endpoint that this release made: they have what they had. Returns how to say that."""
    left, track = "", order.ruling.subject.track
    if order.new_endpoint:
        try:
            await remove_new_endpoint(speech, track, order.new_endpoint)
        except Exception as error:
            crash_if_cut_off(error)
            get_run_logger().warning("'%s' could not be removed: %s", order.new_endpoint.name, error)
            left = (
                f" The endpoint '{order.new_endpoint.name}' could not be removed, and is charged: `speechops orphans`."
            )
    await record_failed_release(store, order, reason)
    return (f"Clients keep '{order.former.name}'." if order.former else "There was no release before it.") + left
