"""What a crash left behind, before anything else is decided: every flow that works on a track begins with it."""

from contextlib import suppress

from prefect.logging import get_run_logger

from domain.ledger import Pending, State
from domain.mistakes import Mistake
from flows.deploy import deploy_within
from flows.going_live import take_back
from flows.rollback import rollback
from speech_client import JobFailed, RequestRejected
from tasks.endpoints import ReleaseFailed
from tasks.lost_history import check_history
from tasks.owners import await_others
from tasks.releases import claim_release
from tasks.results import ForeignResult
from tasks.rollbacks import read_pending
from tasks.store_errors import StoreTrouble


async def finish_interrupted(track: str, speech: str, store: str) -> State:
    """Finish a release or rollback that was interrupted, or take it back.

    One that another run is at, and that lives, is waited for.

    Returns:
        The head, in which nothing is pending.

    Raises:
        ReleaseFailed: it could neither be finished nor taken back.
        LostHistory: clients use a model that the history does not know.
    """
    state = await await_others(store, track)
    while state.pending:
        await finish(track, state.pending, speech, store)
        state = await await_others(store, track)
    await check_history(speech, store, track)
    return state


async def finish(track: str, pending: Pending, speech: str, store: str) -> None:
    """Go on with what is pending; what cannot be gone on with is taken back, for nothing may stay in the way for ever."""
    try:
        await go_on(track, pending, speech, store)
    except StoreTrouble:
        raise  # whoever runs next goes on with it, once the store is well
    except (Mistake, RequestRejected, JobFailed) as error:
        get_run_logger().warning(
            "The %s of '%s' was interrupted, and failed now: %s", pending.kind, pending.model_name, error
        )
        if (await await_others(store, track)).pending:  # another run may have gone on with it meanwhile
            await abandon(track, str(error), speech, store)


async def go_on(track: str, pending: Pending, speech: str, store: str) -> None:
    """The same flow again: it finds what is done already.

    Prefect may answer for it, when this run was begun again and had made such a call before; then it is called once more.
    """
    if pending.kind == "rollback":
        with suppress(ForeignResult):
            await rollback(track, speech=speech, store=store)
    else:
        await deploy_within(track, pending.model_name, pending.evidence, speech, store, pending.approval)


async def abandon(track: str, reason: str, speech: str, store: str) -> None:
    """Give the endpoint its former model back, and close what was begun, unless that has happened.

    Raises:
        ReleaseFailed: the endpoint does not take it.
    """
    if order := await read_pending(store, track):
        await claim_release(store, order)
        now = await take_back(order, speech, store, reason)
        if await read_pending(store, track):
            raise ReleaseFailed(f"{reason} {now}")
