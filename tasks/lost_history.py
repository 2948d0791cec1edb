"""A store that is lost, or that came back from an old backup, is seen by what the Speech service still has."""

from prefect import task

from domain.ledger import Entry, News, State
from domain.lineage.history import LIVE_KINDS
from domain.naming import live_endpoint_name
from speech_client import Endpoint, EntityReference, NotFound, SpeechClient
from tasks.blocks import load_speech, load_store
from tasks.ledger import Ledger
from tasks.reached import LostHistory, accept_by
from tasks.retrying import REMOTE
from tasks.store import Store

_BEGUN_ANEW = "begun-anew"


async def begin_anew(store: Store, track: str, by: str, reason: str) -> State:
    """Go on with a track's history although a part of it is lost; its first new entry tells so."""
    news = News(kind=_BEGUN_ANEW, flow_run="", revision="", facts={"by": by, "why": reason})
    return await Ledger(store, track).begin_anew(news)


@task(name="check-history", description="Does the history know what clients are using?", **REMOTE)
async def check_history(speech: str, store: str, track: str) -> None:
    """Refuse to work on a track whose live endpoint serves a model of this track that its history does not know.

    Whatever a run has begun is in the history before the endpoint changes, so such a history has lost its end, or is that of
    another store. A base model, or a model of somebody else's, was put there by a person: the watch tells of that.

    Raises:
        LostHistory: so it is.
    """
    keep = await load_store(store)
    ledger = Ledger(keep, track)
    state = await ledger.state()
    if state.pending:
        return
    async with (await load_speech(speech)).client() as client:
        for endpoint in await _live_endpoints(client, state, track):
            if endpoint.model is None or endpoint.model.id in _known_ids(state):
                continue
            name, is_ours = await _model(client, endpoint.model, track)
            if not _knows(await ledger.history(), name) and (is_ours or not state.release):
                raise _lost(state, str(keep), endpoint, name)


def _lost(state: State, store: str, endpoint: Endpoint, model: str) -> LostHistory:
    ends = f"ends with release {state.release.number}" if state.release else "knows of no release"
    return LostHistory(
        f"the history of track '{state.track}' in the store {store} {ends}, but the endpoint '{endpoint.display_name}' "
        f"(endpoints/{endpoint.id}) on the Speech service serves '{model}', which it does not know: the history is lost, too "
        "old, or in another store. Bring the store back from a backup, or correct the store's block. To go on without it on "
        f"purpose: {accept_by(state.track)}."
    )


async def _live_endpoints(client: SpeechClient, state: State, track: str) -> list[Endpoint]:
    """The endpoint that the head knows or, when it knows none, those that any history of this track has made."""
    if state.endpoint is None:
        live = live_endpoint_name(track)
        return [
            one
            async for one in client.endpoints.list()
            if (one.custom_properties or {}).get("track") == track and f"{one.display_name}-".startswith(f"{live}-")
        ]
    try:
        return [await client.endpoints.get(state.endpoint)]
    except NotFound:
        return []


def _known_ids(state: State) -> set[str]:
    return {path.rpartition("/")[2] for path in (*state.models_to_keep(), *(one.model for one in state.withdrawn))}


async def _model(client: SpeechClient, which: EntityReference, track: str) -> tuple[str, bool]:
    """A model's name, and whether it was trained for this track; one that is gone is known by its id only."""
    try:
        model = await client.model(which)
    except NotFound:
        return which.id, False
    return model.display_name, (model.custom_properties or {}).get("track") == track


def _knows(history: list[Entry], name: str) -> bool:
    """Whether a model was put live by this history, or somebody has begun it anew since and nothing went live yet."""
    last = next((one.kind for one in reversed(history) if one.kind in (*LIVE_KINDS, _BEGUN_ANEW)), "")
    return last == _BEGUN_ANEW or any(one.facts.get("model") == name for one in history)
