"""What speechops has left on a Speech service, by all that the store and the Prefect server know; and its removal."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from pydantic import BaseModel, ConfigDict

from deployments.deploy_command import server
from deployments.stores import opened_store
from domain.ledger import State
from domain.mistakes import Mistake
from domain.orphans import Known, Orphan, find_orphans, total_cost
from domain.retention import Held
from domain.temporary import pull_of
from domain.track import TRACK_NAME
from speech_client import Conflict, SpeechClient, SpeechError
from tasks.blocks import load_speech
from tasks.holdings import read_holdings, remove
from tasks.ledger import Ledger
from tasks.owners import Owners
from tasks.retention import keep_models, wanted
from tasks.store import Store
from tasks.temporary import busy_pulls

_HEAD = "/state.json"


class Orphans(BaseModel):
    """The orphans, and what those that are still there cost per month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orphans: tuple[Orphan, ...]
    monthly_cost: float
    hosting_price: float
    """Per endpoint and hour: what the cost was worked out with."""


async def find_and_remove(speech: str, store: str, hosting_price: float, *, delete: bool) -> Orphans:
    """Find the orphans and, when asked, delete those that can be deleted safely.

    Raises:
        Mistake: the Prefect server, the store or the Speech service cannot be used.
    """
    keep = await opened_store(store)
    async with server() as prefect:
        resource = await load_speech(speech)
        try:
            async with resource.client() as client:
                found = await _find(client, keep, prefect, hosting_price)
                found = tuple([await _removed(client, one) for one in found]) if delete else found
        except SpeechError as error:
            raise Mistake(f"the Speech service did not answer as it should: {error}") from None
    return Orphans(orphans=found, monthly_cost=total_cost(found), hosting_price=hosting_price)


async def _find(client: SpeechClient, store: Store, prefect: PrefectClient, price: float) -> tuple[Orphan, ...]:
    held = await read_holdings(client)
    names = {one.track for one in held if TRACK_NAME.fullmatch(one.track)}
    owners = Owners(prefect, None)
    known = [await _known(client, store, owners, head) for head in await _heads(store, names)]
    pulls = await busy_pulls(prefect)
    if pulls is None:
        held = [one for one in held if pull_of(one.name, {"track": one.track}) is None]
    return find_orphans(held, {one.head.track: one for one in known}, price, datetime.now(UTC), pulls or ())


async def _heads(store: Store, names: Iterable[str]) -> list[State]:
    """The heads of the tracks that the store knows."""
    heads = await asyncio.gather(*(Ledger(store, name).state() for name in sorted(names)))
    return [head for head in heads if head.last]


async def _known(client: SpeechClient, store: Store, owners: Owners, head: State) -> Known:
    return Known(
        head=head,
        keep_models=await keep_models(store, head),
        wanted=await wanted(client, store, head),
        busy=await owners.has_others(f"turn:track:{head.track}"),
    )


async def _removed(client: SpeechClient, orphan: Orphan) -> Orphan:
    if not orphan.deletable:
        return orphan
    held = Held(kind=orphan.kind, path=orphan.path, name=orphan.name, track=orphan.track)
    try:
        await remove(client, held)
    except Conflict as error:
        return orphan.model_copy(update={"why": f"{orphan.why}; the service keeps it: {error}"})
    return orphan.model_copy(update={"deleted": True})
