"""The base models on offer. All of them decode with the one acoustic and language model that PocketSphinx ships.

Ids follow from the names, so they are the same on every machine. Real base models can be adapted for one year and used
for two; these have later dates, because a laptop should not outlive them.
"""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from emulator.entities import CustomModel, DatasetKind, Entity, Noun, Status, id_in
from emulator.errors import JobFailure
from emulator.store import Store
from emulator.training import BASE

LOCALE = "en-US"
LOCALES = (LOCALE,)
"""Locales with a recogniser; others are refused."""

ADAPTABLE_WITH = (DatasetKind.LANGUAGE, DatasetKind.ACOUSTIC, DatasetKind.PRONUNCIATION)
NEWEST_ADAPTABLE_WITH = (*ADAPTABLE_WITH, DatasetKind.LANGUAGE_MARKDOWN, DatasetKind.OUTPUT_FORMATTING)
"""Structured text needs the latest base model, says Microsoft's page."""
SHARED_FEATURES = {
    "supportsTranscriptionsSubmit": True,
    "supportsTranscriptionsTranscribe": True,
    "supportsEndpoints": True,
    "supportsTranscriptionsOnSpeechContainers": False,
    "supportedOutputFormats": ["Display", "Lexical"],
}
FEATURES_OF_CUSTOM_MODELS = {**SHARED_FEATURES, "supportsTranscriptionsTranscribe": False}
DESCRIPTION = "Emulated: PocketSphinx 5.1.1 with its own en-us model, like every base model of this emulator."


class BaseModel(Entity):
    """A model to adapt, or to measure against."""

    noun = Noun.MODELS

    @property
    def path(self) -> str:
        return f"/speechtotext/models/base/{self.id}"

    def can_be_adapted(self, now: datetime) -> bool:
        """Whether training with it is still possible."""
        return now < _date(self.properties["deprecationDates"]["adaptationDateTime"])


def _base_model(
    name: str,
    *,
    adaptation_until: str,
    transcription_until: str,
    adaptable_with: tuple[DatasetKind, ...] = ADAPTABLE_WITH,
) -> BaseModel:
    created = datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC)
    return BaseModel(
        id=str(uuid5(NAMESPACE_URL, f"https://speechops.invalid/models/base/{LOCALE}/{name}")),
        display_name=name,
        description=DESCRIPTION,
        locale=LOCALE,
        status=Status.SUCCEEDED,
        created_date_time=created,
        last_action_date_time=created,
        properties={
            "deprecationDates": {
                "adaptationDateTime": f"{adaptation_until}T00:00:00Z",
                "transcriptionDateTime": f"{transcription_until}T00:00:00Z",
            },
            "features": {**SHARED_FEATURES, "supportsAdaptationsWith": [kind.value for kind in adaptable_with]},
            "chargeForAdaptation": True,
        },
    )


BASE_MODELS = {
    model.id: model
    for model in (
        _base_model(
            "20260115",
            adaptation_until="2046-01-15",
            transcription_until="2047-01-15",
            adaptable_with=NEWEST_ADAPTABLE_WITH,
        ),
        _base_model("20250415", adaptation_until="2045-04-15", transcription_until="2046-04-15"),
        _base_model("20230115", adaptation_until="2024-01-15", transcription_until="2045-01-15"),
    )
}


def offered_base_models(store: Store) -> dict[str, BaseModel]:
    """By id: those that always are, and those that came out while this server runs."""
    return BASE_MODELS | {id_: model for id_, model in store.come_out.items() if isinstance(model, BaseModel)}


def bring_out(store: Store, name: str) -> BaseModel:
    """Offer a further base model, as Microsoft does a few times a year; its name, a date, says how new it is.

    Raises:
        ValueError: the name is not a date such as 20270115, or has a base model already.
    """
    try:
        released = datetime.strptime(name, "%Y%m%d")
    except ValueError:
        raise ValueError(f"{name} is no date") from None
    if any(model.display_name == name for model in offered_base_models(store).values()):
        raise ValueError(f"there is a base model {name} already")
    last = released.replace(day=1, year=released.year + 20)
    model = _base_model(
        name,
        adaptation_until=f"{last:%Y-%m-%d}",
        transcription_until=f"{last.replace(year=last.year + 1):%Y-%m-%d}",
        adaptable_with=NEWEST_ADAPTABLE_WITH,
    )
    store.come_out[model.id] = model
    return model


def default_base_model(store: Store, locale: str) -> BaseModel:
    """The newest one of a locale: what Azure takes when a request names none."""
    offered = (model for model in offered_base_models(store).values() if model.locale == locale)
    return max(offered, key=lambda model: model.created_date_time)


def find_model(store: Store, path: str) -> BaseModel | CustomModel | None:
    """The model at a path, base or custom."""
    if "/models/base/" in path:
        return offered_base_models(store).get(id_in(path))
    return store.find(CustomModel, id_in(path))


def recipe_key_of(store: Store, path: str) -> str:
    """Which built model decodes for the model at a path.

    Raises:
        JobFailure: it is gone, or was never trained.
    """
    model = find_model(store, path)
    if isinstance(model, BaseModel):
        return BASE.key
    if model is None or model.recipe_key is None:
        raise JobFailure("InvalidModel", f"The model {id_in(path)} does not exist or is not trained.")
    return model.recipe_key


def custom_model_expiry(created: datetime) -> datetime:
    """When a custom model ends: two years after the quarter of its creation (quarters end on the 15th of a month)."""
    ends = [datetime(created.year, month, 15, tzinfo=UTC) for month in (1, 4, 7, 10)]
    ends.append(datetime(created.year + 1, 1, 15, tzinfo=UTC))
    quarter_end = next(end for end in ends if created < end + timedelta(days=1))
    return quarter_end.replace(year=quarter_end.year + 2)


def is_deprecated(model: BaseModel | CustomModel, now: datetime) -> bool:
    """Whether the model is too old to recognise with."""
    return now >= _date(model.properties["deprecationDates"]["transcriptionDateTime"])


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text)
