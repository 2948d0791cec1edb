"""Copies of models on other Speech resources: authorised there, ordered at home, found again whatever gets lost."""

from prefect import task
from prefect.logging import get_run_logger
from pydantic import BaseModel, ConfigDict

from domain.mistakes import Mistake
from domain.naming import Identity, model_identity_of
from domain.ruling import ModelRef, Subject
from domain.track import Track
from speech_client import F, ModelUpdate, NotFound, Operation, SpeechClient, Status
from tasks.blocks import SpeechResource, load_speech, load_store
from tasks.entities import HASH_PROPERTY, Remote, provenance
from tasks.retrying import FRESH, REMOTE
from tasks.store import Store
from tasks.waking import wait_until_final


class Copy(BaseModel):
    """A copy that is there, or the operation that makes it. Kept in the store while it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    """Path of the model at home."""
    recipe: str
    operation: str = ""
    """Id of the operation at home; empty when the copy was there already."""
    there: str = ""
    """Path of the copy, once it is known."""


@task(name="find-base-model", description="The first contact with a target: has it the model's base model?", **FRESH)
async def find_base(speech: str, track: Track, base: ModelRef) -> Remote:
    """The base model of the same name and locale at the target; a model works only where its base model is.

    Raises:
        Mistake: the target has none.
        SpeechError: the target cannot be reached or refuses us.
    """
    async with (await load_speech(speech)).client() as client:
        offered = [one async for one in client.base_models.list(filter=F.locale == track.locale)]
    found = [Remote.of(one) for one in offered if one.display_name == base.name]
    if not found:
        known = ", ".join(sorted(one.display_name for one in offered)) or "none"
        raise Mistake(
            f"the resource of block '{speech}' has no base model '{base.name}' for {track.locale} (it has: {known}), and a model "
            "works only where its base model is. Wait until that region offers it, or train from one that both offer "
            "([model] base in track.toml)."
        )
    return next((one for one in found if one.path == base.path), found[0])


@task(name="start-copy", description="Find the copy, or authorise it at the target and order it at home.", **REMOTE)
async def start_copy(home: str, there: str, store: str, line: Track, subject: Subject) -> Copy:
    """Find or start the copy of a model.

    The order goes out once, and the store notes its operation. Should its answer get lost, a copy that came of it all the
    same is found by its name and hash; if not, a second one is ordered: an unused model costs nothing.

    Args:
        home: name of the Speech Resource block that has the model.
        there: name of the target's.
        store: name of the store's block.
        line: the target's line.
        subject: whose candidate is to be copied.

    Raises:
        Mistake: both blocks lead to the same resource, or the block at home does not say its resource id.
    """
    source, target, keep = await load_speech(home), await load_speech(there), await load_store(store)
    refuse_same(home, source, there, target)
    model = subject.candidate
    async with source.client() as ours, target.client() as theirs:
        if found := await _found(theirs, line, subject):
            return Copy(model=model.path, recipe=subject.recipe, there=found)
        if noted := await _noted(ours, theirs, keep, line, subject):
            return noted
        authorization = await theirs.models.authorize_copy(source.resource_id)
        operation = await ours.models.copy(model.path, authorization)
    copy = Copy(model=model.path, recipe=subject.recipe, operation=operation.id)
    await keep.write(_key(line), copy.model_dump_json().encode())
    get_run_logger().info("'%s' is copied to the resource of block '%s'", model.name, there)
    return copy


@task(name="await-copy", description="Wait for the copy, and give it the name of its line.", **REMOTE)
async def await_copy(home: str, there: str, line: Track, subject: Subject, copy: Copy) -> Remote:
    """The copy at the target, named and marked as the line's own.

    Raises:
        JobFailed, JobTimedOut: there is no copy.
    """
    path, patience = copy.there, line.patience.of("model")
    if not path:
        async with (await load_speech(home)).client() as ours:
            operation = await wait_until_final(
                ours, await ours.operations.model_copy(copy.operation), patience=patience
            )
        path = _made(operation)
    identity = copy_identity(line, subject)
    async with (await load_speech(there)).client() as theirs:
        entity = await wait_until_final(theirs, await theirs.models.get(path), patience=patience)
        known = entity.custom_properties or {}
        if (entity.display_name, known.get("track")) != (identity.name, line.name):
            properties = provenance(identity, line.name, subject.revision)
            entity = await theirs.models.update(
                path, ModelUpdate(display_name=identity.name, custom_properties=properties)
            )
    return Remote.of(entity, created=bool(copy.operation))


def copy_identity(line: Track, subject: Subject) -> Identity:
    """What the copy is called at the target: like a model that the line had trained from the same recipe."""
    return model_identity_of(line.name, subject.base.name, subject.recipe)


def refuse_same(home: str, source: SpeechResource, there: str, target: SpeechResource) -> None:
    """A model is copied between two resources, and the one at home must be known to Azure by its full id.

    Raises:
        Mistake: they are one, or the id is missing.
    """
    if source.endpoint.rstrip("/").casefold() == target.endpoint.rstrip("/").casefold():
        raise Mistake(
            f"the Speech Resource blocks '{home}' and '{there}' lead to the same resource, so there is nothing to promote. Correct "
            "`speech` of the target in track.toml, or the block."
        )
    if not source.resource_id:
        raise Mistake(
            f"the Speech Resource block '{home}' does not say its resource_id, which Azure wants to know before it copies a "
            "model. Fill it in, from the resource's page 'Properties' in the Azure portal."
        )


async def _found(theirs: SpeechClient, line: Track, subject: Subject) -> str:
    """Path of the copy: under its name at the target or, when it was never given one, under its name at home."""
    for name in (copy_identity(line, subject).name, subject.candidate.name):
        async for one in theirs.models.list(filter=F.display_name == name):
            same = (one.custom_properties or {}).get(HASH_PROPERTY) == subject.recipe
            if same and one.status != Status.FAILED:
                return Remote.of(one).path
    return ""


async def _noted(ours: SpeechClient, theirs: SpeechClient, store: Store, line: Track, subject: Subject) -> Copy | None:
    """The copy that an earlier run ordered, unless it failed, or somebody has deleted what came of it."""
    stored = await store.read(_key(line))
    noted = Copy.model_validate_json(stored.data) if stored else None
    if noted is None or (noted.model, noted.recipe) != (subject.candidate.path, subject.recipe):
        return None
    try:
        operation = await ours.operations.model_copy(noted.operation)
        if operation.status == Status.SUCCEEDED:
            await theirs.models.get(_made(operation))
    except NotFound:
        return None
    return None if operation.status == Status.FAILED else noted


def _made(operation: Operation) -> str:
    reference = operation.result.reference if operation.result else None
    if reference is None:
        raise Mistake(
            "the copy of the model succeeded, but Azure does not say where it is. Run promote again: it looks."
        )
    return f"models/{reference.id}"


def _key(line: Track) -> str:
    return f"tracks/{line.name}/copy.json"
