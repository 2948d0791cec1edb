"""Endpoints: where a model answers. The live endpoint keeps its id, unless the track wants a new one for each release."""

from contextlib import suppress
from datetime import timedelta

from prefect import task
from prefect.logging import get_run_logger
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.mistakes import Mistake
from domain.naming import Identity, fingerprint, live_endpoint_name, staging_endpoint_identity
from domain.ruling import ModelRef, Ruling
from domain.track import Track
from speech_client import (
    Conflict,
    CustomModel,
    Endpoint,
    EndpointUpdate,
    JobFailed,
    JobTimedOut,
    NewEndpoint,
    NotFound,
    SpeechClient,
    Status,
)
from tasks.acting import ForeignTrack, refuse_foreign
from tasks.blocks import load_speech
from tasks.entities import HASH_PROPERTY, Remote, find_or_create, provenance
from tasks.progress import watching
from tasks.retrying import REMOTE
from tasks.waking import wait_until_final


class ReleaseFailed(Mistake):
    """An endpoint does not answer as the evaluation did; the message says what was put back."""


@task(name="start-staging-endpoint", description="Find or create the short-lived endpoint for the candidate.", **REMOTE)
async def start_staging_endpoint(speech: str, ruling: Ruling) -> Remote:
    """An endpoint on which the candidate is tried before clients meet it; those that a crash left behind are removed."""
    candidate = ruling.subject.candidate
    refuse_foreign(ruling.subject.track.name)
    identity = staging_endpoint_identity(ruling.subject.track.name, candidate.path)
    async with (await load_speech(speech)).client() as client:
        await _remove_leftovers(client, ruling.subject.track.name, identity)
        endpoint, created = await _find_or_create(client, ruling, identity)
    return Remote.of(endpoint, created=created)


@task(name="start-live-endpoint", description="Let the candidate answer where clients ask.", **REMOTE)
async def start_live_endpoint(
    speech: str, ruling: Ruling, known: str | None, of_its_own: Identity | None = None
) -> Remote:
    """Create the track's endpoint, or change the model behind it. While that runs, the old model keeps answering.

    Args:
        speech: name of the Speech Resource block.
        ruling: whose candidate goes live.
        known: the endpoint that the ledger knows, as a path.
        of_its_own: the new endpoint that this release makes; then the known one stays as it is.

    Raises:
        ForeignTrack: the endpoint, or the model, is another track's.
    """
    track = ruling.subject.track.name
    refuse_foreign(track)
    identity = of_its_own or Identity(live_endpoint_name(track), fingerprint("live", track))
    async with (await load_speech(speech)).client() as client:
        _refuse_others(track, await client.models.get(ruling.subject.candidate.path))
        endpoint, created = None if of_its_own else await _known(client, known), False
        if endpoint is None:
            endpoint, created = await _find_or_create(client, ruling, identity)
        _refuse_others(track, endpoint)
        await _point_at(client, endpoint, ruling.subject.candidate)
    return Remote.of(endpoint, created=created)


@task(name="await-endpoint", description="Wait until the endpoint answers with its model.", **REMOTE)
async def await_endpoint(speech: str, track: Track, endpoint: Remote, model: ModelRef) -> None:
    """Wait until the endpoint is up with `model`. Right after a change Azure may still show it done, with the old one.

    Raises:
        JobFailed, JobTimedOut: it does not come up.
    """
    patience = track.patience.of("endpoint")
    resource = await load_speech(speech)
    async with (
        resource.client() as client,
        watching(f"{track.name}-endpoint", f"Endpoint '{endpoint.name}'", 1) as watch,
    ):
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_OldModel), wait=wait_fixed(5), stop=stop_after_delay(patience), reraise=True
        ):
            with attempt:
                entity = await client.endpoints.get(endpoint.path)
                entity = await wait_until_final(client, entity, patience=patience, on_poll=watch)
                if not _serves(entity, model):
                    raise _OldModel(entity)


@task(name="put-back", description="Give the endpoint its former model back.", **REMOTE)
async def put_back(speech: str, track: Track, endpoint: str, former: ModelRef) -> bool:
    """Point the live endpoint at the model that it had before, once the change that is under way is over.

    Returns:
        Whether there is such an endpoint (any more).

    Raises:
        ForeignTrack: it is another track's.
    """
    refuse_foreign(track.name)
    async with (await load_speech(speech)).client() as client:
        known = await _known(client, endpoint)
        if known is None:
            return False
        _refuse_others(track.name, known)
        await _point_at(client, await _settle(client, known, track.patience.of("endpoint")), former)
        return True


@task(name="remove-new-endpoint", description="Delete the endpoint that a failed release made for itself.", **REMOTE)
async def remove_new_endpoint(speech: str, track: Track, identity: Identity) -> None:
    """Delete an endpoint that no client knows, by its identity: whoever made it may not have lived to tell its id.

    Raises:
        Conflict: the service does not let it go.
    """
    refuse_foreign(track.name)
    async with (await load_speech(speech)).client() as client:
        for endpoint in [one async for one in client.endpoints.list()]:
            ours = (endpoint.custom_properties or {}).get(HASH_PROPERTY) == identity.content_hash
            if ours and endpoint.display_name.startswith(identity.name):
                await _settle(client, endpoint, track.patience.of("endpoint"))
                await client.endpoints.delete(endpoint)


@task(name="close-staging-endpoint", description="Delete the short-lived endpoint.", **REMOTE)
async def close_staging_endpoint(speech: str, endpoint: Remote) -> None:
    """Delete an endpoint, for hosting is charged by the hour. What cannot be deleted now, the next release deletes."""
    async with (await load_speech(speech)).client() as client:
        await _remove(client, endpoint.path, endpoint.name)


async def _settle(client: SpeechClient, endpoint: Endpoint, patience: timedelta) -> Endpoint:
    """The endpoint once the change that is under way is over, however that ends."""
    with suppress(JobFailed):
        return await wait_until_final(client, endpoint, patience=patience)
    return await client.endpoints.get(endpoint)


async def _known(client: SpeechClient, path: str | None) -> Endpoint | None:
    if path is None:
        return None
    try:
        return await client.endpoints.get(path)
    except NotFound:
        get_run_logger().warning("The endpoint %s of the ledger is gone: clients need a new one", path)
        return None


async def _find_or_create(client: SpeechClient, ruling: Ruling, identity: Identity) -> tuple[Endpoint, bool]:
    subject = ruling.subject

    def draft(name: str) -> NewEndpoint:
        return NewEndpoint(
            display_name=name,
            locale=subject.track.locale,
            description=f"Endpoint of track '{subject.track.name}'",
            model=client.reference(subject.candidate.path),
            custom_properties=provenance(identity, subject.track.name, subject.revision),
        )

    return await find_or_create(client.endpoints, identity, draft)


async def _remove_leftovers(client: SpeechClient, track: str, wanted: Identity) -> None:
    for endpoint in [one async for one in client.endpoints.list()]:
        ours = (endpoint.custom_properties or {}).get("track") == track
        staging = endpoint.display_name.startswith(f"{track}-staging-")
        if ours and staging and not endpoint.display_name.startswith(wanted.name):
            await _remove(client, endpoint.id, endpoint.display_name)


async def _remove(client: SpeechClient, which: str, name: str) -> None:
    try:
        await client.endpoints.delete(which)
    except Conflict as error:
        get_run_logger().warning("The staging endpoint '%s' cannot be deleted yet, and is charged: %s", name, error)


async def _point_at(client: SpeechClient, endpoint: Endpoint, model: ModelRef) -> None:
    if _serves(endpoint, model) and endpoint.status != Status.FAILED:
        return
    await client.endpoints.update(endpoint, EndpointUpdate(model=client.reference(model.path)))
    get_run_logger().info("'%s' changes to '%s'", endpoint.display_name, model.name)


def _refuse_others(track: str, entity: Endpoint | CustomModel) -> None:
    """What was made for one track never serves another; what does not say for which was not made by us."""
    made_for = (entity.custom_properties or {}).get("track", track)
    if made_for != track:
        raise ForeignTrack(
            f"'{entity.display_name}' ({entity.collection}/{entity.id}) on the Speech service was made for track '{made_for}', not "
            f"'{track}'. Nothing has changed. Run `speechops verify`, and `speechops why {track}`: they say what the record has."
        )


class _OldModel(JobTimedOut):
    """The endpoint is up, but still with another model."""


def _serves(endpoint: Endpoint, model: ModelRef) -> bool:
    return endpoint.model is not None and endpoint.model.id == model.path.rpartition("/")[2]
