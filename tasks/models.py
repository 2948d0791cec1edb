"""Models: which base model to train from, the candidate's training, and what becomes of a refused candidate."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.logging import get_run_logger

from domain.base_models import BaseModelFacts, choose_base_model
from domain.ledger import State
from domain.naming import Identity, model_identity
from domain.ruling import ModelRef, Subject
from domain.track import Track
from speech_client import BaseModel, Conflict, F, NewModel, NotFound
from tasks.blocks import load_speech
from tasks.entities import Remote, find_or_create, provenance
from tasks.progress import watching
from tasks.retrying import FRESH, REMOTE
from tasks.snapshots import Snapshot
from tasks.waking import wait_until_final


@task(
    name="choose-base-model",
    description="The first contact with the Speech service: which base model to train from.",
    **FRESH,
)
async def choose_base(speech: str, snapshot: Snapshot, state: State, *, anew: bool = False) -> Remote:
    """The base model that the track names, or the one it has used so far (unless `anew`), or the newest.

    Not repeated as a task: a wrong key or address should be told within seconds.

    Raises:
        Mistake: the service offers none that fits.
        SpeechError: the service cannot be reached or refuses us.
    """
    track = snapshot.track
    kinds = frozenset(packed.kind for packed in snapshot.training)
    async with (await load_speech(speech)).client() as client:
        offered = [facts_of(model) async for model in client.base_models.list(filter=F.locale == track.locale)]
    pinned = None if anew else state.base_model
    chosen = choose_base_model(offered, track.locale, track.model.base, pinned, kinds, datetime.now(UTC))
    if state.base_model not in (None, chosen.path):
        get_run_logger().warning("The base model changes from %s to %s", state.base_model, chosen.name)
    return Remote(path=chosen.path, name=chosen.name)


@task(name="start-model", description="Find or create the candidate by its recipe.", **REMOTE)
async def start_model(speech: str, snapshot: Snapshot, base: Remote, datasets: Sequence[Remote]) -> Remote:
    """Start training, unless the very same recipe has been trained already."""
    track = snapshot.track
    identity = candidate_identity(snapshot, base)
    async with (await load_speech(speech)).client() as client:

        def draft(name: str) -> NewModel:
            return NewModel(
                display_name=name,
                locale=track.locale,
                description=f"Candidate of track '{track.name}', trained on data at {snapshot.revision}",
                base_model=client.reference(base.path),
                datasets=[client.reference(dataset.path) for dataset in datasets],
                custom_model_weight_percent=track.model.weight_percent,
                custom_properties=provenance(identity, track.name, snapshot.revision),
            )

        model, created = await find_or_create(client.models, identity, draft)
    get_run_logger().info("%s '%s'", "Training" if created else "Found", model.display_name)
    return Remote.of(model, created=created)


@task(name="await-model", description="Wait until the candidate is trained.", **REMOTE)
async def await_model(speech: str, track: Track, model: Remote) -> None:
    """Wait for the training.

    Raises:
        JobFailed, JobTimedOut: there is no usable model.
    """
    resource = await load_speech(speech)
    async with resource.client() as client, watching(f"{track.name}-model", f"Training '{model.name}'", 1) as watch:
        entity = await client.models.get(model.path)
        await wait_until_final(client, entity, patience=track.patience.of("model"), on_poll=watch)


@task(name="find-model", description="Is the model that passed still there?", **REMOTE)
async def model_exists(speech: str, model: ModelRef) -> bool:
    """Whether the Speech service still has a model; people delete things in Speech Studio."""
    async with (await load_speech(speech)).client() as client:
        try:
            await client.models.get(model.path)
        except NotFound:
            return False
    return True


@task(name="discard-candidate", description="Delete a refused candidate and its evaluations.", **REMOTE)
async def discard_candidate(speech: str, subject: Subject, state: State) -> None:
    """Delete a candidate that the gate refused, after the evaluations that use it; never a model that was live.

    The ledger keeps the evidence and remembers the verdict, so that the same recipe is not trained again.
    """
    candidate = subject.candidate
    if candidate.path in state.models_to_keep():
        return
    async with (await load_speech(speech)).client() as client:
        ours = [one async for one in client.evaluations.list() if one.display_name.startswith(f"{subject.track.name}-")]
        try:
            for one in ours:
                if candidate.path.rpartition("/")[2] in (one.model1.id, one.model2.id):
                    await client.evaluations.delete(one)
            await client.models.delete(candidate.path)
        except Conflict as error:
            get_run_logger().warning("The refused candidate '%s' stays: %s", candidate.name, error)
            return
    get_run_logger().info("The refused candidate '%s' is deleted", candidate.name)


def candidate_identity(snapshot: Snapshot, base: Remote) -> Identity:
    """The candidate's name and hash, from its recipe: base model, training data, weight."""
    hashes = (packed.content_hash for packed in snapshot.training)
    track = snapshot.track
    return model_identity(track.name, base.id, base.name, hashes, track.model.weight_percent)


def facts_of(model: BaseModel) -> BaseModelFacts:
    """What matters of a base model, as the rules want it."""
    properties = model.properties
    dates = properties.deprecation_dates if properties else None
    features = properties.features if properties else None
    return BaseModelFacts(
        path=Remote.of(model).path,
        name=model.display_name,
        created=model.created_date_time or datetime.fromtimestamp(0, UTC),
        adaptable_until=dates.adaptation_date_time if dates else None,
        adapts_with=frozenset(map(str, features.supports_adaptations_with or ())) if features else frozenset(),
        supports_endpoints=features is None or features.supports_endpoints is not False,
    )
