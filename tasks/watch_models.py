"""What the Speech service says of the models that matter to a track: when they end, and whether there is a newer base."""

from collections.abc import Iterable
from datetime import UTC, datetime

from prefect import task

from domain.rollback import earlier
from domain.ruling import ModelRef
from domain.watch.base_news import newer_base
from domain.watch.calendar import calendar_findings
from domain.watch.commands import Commands
from domain.watch.expiry import Ending, ModelDates, endings
from domain.watch.findings import Part
from speech_client import BaseModel, F, NotFound, SpeechClient
from tasks.blocks import load_speech
from tasks.models import facts_of
from tasks.retrying import REMOTE
from tasks.watch_records import Record


@task(name="read-calendar", description="When do the models that matter end?", **REMOTE)
async def read_calendar(speech: str, record: Record, days: tuple[int, ...], commands: Commands) -> Part:
    """The dates of the live model, the benchmark, the release before and the base model, with warnings."""
    async with (await load_speech(speech)).client() as client:
        models = [await _dates(client, ref, roles) for ref, roles in _models(record).items()]
    rows = endings(models, datetime.now(UTC))
    return Part(name="expiry", told=_told(rows), findings=calendar_findings(rows, days, commands), expiry=rows)


@task(name="find-newer-base", description="Is there a newer base model than the live model's?", **REMOTE)
async def find_newer_base(speech: str, record: Record) -> ModelRef | None:
    """The newest base model from which the track's data could be trained, if it is newer than the live model's."""
    subject = record.ruling.subject
    async with (await load_speech(speech)).client() as client:
        offered = [facts_of(one) async for one in client.base_models.list(filter=F.locale == subject.track.locale)]
    kinds = {one.kind for one in subject.training}
    found = newer_base(offered, subject.base.path, kinds, datetime.now(UTC))
    return ModelRef(path=found.path, name=found.name) if found else None


def _models(record: Record) -> dict[ModelRef, tuple[str, ...]]:
    """The models that matter, each once, with what they are to the track."""
    state = record.state
    benchmark = state.benchmark and ModelRef(path=state.benchmark.model, name=state.benchmark.model_name)
    previous = [ModelRef(path=one.model, name=one.model_name) for one in earlier(state, record.release.model)[:1]]
    named = [("live", record.release.ref), ("benchmark", benchmark), *(("previous", one) for one in previous)]
    known: dict[ModelRef, tuple[str, ...]] = {}
    for role, ref in (*named, ("base", record.base)):
        if ref:
            known[ref] = (*known.get(ref, ()), role)
    return known


async def _dates(client: SpeechClient, model: ModelRef, roles: tuple[str, ...]) -> ModelDates:
    known = ModelDates(roles=roles, model=model.name, path=model.path)
    try:
        if model.path.startswith("models/base/"):
            return known.model_copy(update=_base_dates(await client.base_models.get(model.path)))
        entity = await client.models.get(model.path)
    except NotFound:
        return known.model_copy(update={"gone": True})
    dates = entity.properties.deprecation_dates if entity.properties else None
    return known.model_copy(update={"transcribes_until": dates.transcription_date_time if dates else None})


def _base_dates(entity: BaseModel) -> dict[str, datetime | None]:
    dates = entity.properties.deprecation_dates if entity.properties else None
    if dates is None:
        return {}
    return {"transcribes_until": dates.transcription_date_time, "adapts_until": dates.adaptation_date_time}


def _told(rows: Iterable[Ending]) -> str:
    dated = [row for row in rows if row.days is not None and row.use == "transcription"]
    if not dated:
        return "the service names no date"
    first = min(dated, key=lambda row: row.days or 0)
    return f"{first.what} ends first, on {first.at:%Y-%m-%d} ({first.days} days)"
