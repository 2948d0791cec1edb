"""The part of a release during which clients may notice something: change the endpoint, verify, or put the old model back."""

from domain.naming import live_endpoint_name
from tasks.endpoints import ReleaseFailed, await_endpoint, listen, put_back, start_live_endpoint
from tasks.entities import Remote
from tasks.releases import Order, record_failed_release


async def go_live(order: Order, speech: str, store: str) -> Remote:
    """Point the track's endpoint at the order's model and verify it there.

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
