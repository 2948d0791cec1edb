"""What the service keeps: one class per noun, with the properties of Microsoft's definitions.

A reference to another entity is kept as its path (`/speechtotext/models/<id>`); `addresses.py` turns it into the
`EntityReference` with the server and the api-version that the caller used.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Noun(StrEnum):
    """The collections, by their segment in the path."""

    DATASETS = "datasets"
    MODELS = "models"
    EVALUATIONS = "evaluations"
    ENDPOINTS = "endpoints"
    TRANSCRIPTIONS = "transcriptions"
    WEB_HOOKS = "webhooks"
    OPERATIONS = "operations"

    @property
    def singular(self) -> str:
        """The noun for one of them."""
        return "web hook" if self is Noun.WEB_HOOKS else self.value.removesuffix("s")


class Status(StrEnum):
    """A job's state, Azure's four."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Whether it will not change by itself."""
        return self in (Status.SUCCEEDED, Status.FAILED)


class DatasetKind(StrEnum):
    """What a dataset holds."""

    LANGUAGE = "Language"
    ACOUSTIC = "Acoustic"
    PRONUNCIATION = "Pronunciation"
    AUDIO_FILES = "AudioFiles"
    LANGUAGE_MARKDOWN = "LanguageMarkdown"
    OUTPUT_FORMATTING = "OutputFormatting"


class TextNormalizationKind(StrEnum):
    """Whether the service normalises the dataset's text."""

    DEFAULT = "Default"
    NONE = "None"


class Shape(BaseModel):
    """An object of the specification: snake_case here, camelCase outside."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True)


class Entity(Shape):
    """What all entities have in common."""

    noun: ClassVar[Noun]
    references: ClassVar[tuple[str, ...]] = ()
    """Fields that hold the path of another entity, or a list of such paths."""
    hidden: ClassVar[set[str]] = {"id"}
    """Fields that the service keeps for itself."""

    id: str
    display_name: str
    description: str | None = None
    custom_properties: dict[str, str] | None = None
    locale: str
    status: Status = Status.NOT_STARTED
    created_date_time: datetime
    last_action_date_time: datetime
    properties: dict[str, Any] = Field(default_factory=dict)
    """Named as Azure names them: they go out as they are."""

    @property
    def path(self) -> str:
        """Where the entity lives, without host and api-version."""
        return path_of(self.noun, self.id)

    def used(self) -> set[str]:
        """Ids of the entities that must not be deleted while this one exists."""
        return set()

    def at(self, status: Status, now: datetime) -> Self:
        """The entity in another state since now."""
        return self.model_copy(update={"status": status, "last_action_date_time": now})

    def with_properties(self, **properties: Any) -> Self:
        """The entity with some properties replaced; None removes one."""
        merged = {**self.properties, **properties}
        kept = {name: value for name, value in merged.items() if value is not None}
        return self.model_copy(update={"properties": kept})


class Dataset(Entity):
    """Data for training or testing."""

    noun = Noun.DATASETS
    hidden = {"id", "committed"}

    kind: DatasetKind
    content_url: str | None = None
    committed: bool = False
    """Whether the data are there to be imported: by `contentUrl`, or by a committed block list."""


class CustomModel(Entity):
    """A base model adapted with datasets."""

    noun = Noun.MODELS
    references = ("base_model", "datasets")
    hidden = {"id", "recipe_key"}

    base_model: str
    datasets: list[str]
    recipe_key: str | None = None
    """Which built model decodes for it, once trained."""

    def used(self) -> set[str]:
        return {id_in(reference) for reference in self.datasets}


class Evaluation(Entity):
    """Two models measured on one dataset."""

    noun = Noun.EVALUATIONS
    references = ("model1", "model2", "dataset", "transcription1", "transcription2")

    model1: str
    model2: str
    dataset: str
    transcription1: str | None = None
    transcription2: str | None = None

    def used(self) -> set[str]:
        return {id_in(reference) for reference in (self.model1, self.model2, self.dataset)}


class Endpoint(Entity):
    """A model that answers requests."""

    noun = Noun.ENDPOINTS
    references = ("model",)
    hidden = {"id", "live_model"}

    model: str
    live_model: str | None = None
    """The model that answers now; differs from `model` while an update runs or after it failed."""

    def used(self) -> set[str]:
        return {id_in(reference) for reference in (self.model, self.live_model) if reference}


class Transcription(Entity):
    """Recognised audio: a batch that was submitted, or one of the two that an evaluation makes."""

    noun = Noun.TRANSCRIPTIONS
    references = ("model", "dataset")
    hidden = {"id", "content_urls", "content_container_url", "submitted"}

    model: str | None = None
    dataset: str | None = None
    content_urls: list[str] | None = Field(default=None, repr=False)
    content_container_url: str | None = Field(default=None, repr=False)
    submitted: bool = False
    """Whether it has a time to live; those of an evaluation go with it."""

    def at(self, status: Status, now: datetime) -> Self:
        """At its end, well or badly, it forgets where the recordings were: the addresses may hold a SAS."""
        forgotten = {"content_urls": None, "content_container_url": None} if status.is_final else {}
        return super().at(status, now).model_copy(update=forgotten)

    def used(self) -> set[str]:
        """Only while it is under way."""
        if self.status.is_final:
            return set()
        mapping = self.properties.get("languageIdentification", {}).get("speechModelMapping", {})
        references = [self.model, self.dataset, *(reference["self"] for reference in mapping.values())]
        return {id_in(reference) for reference in references if reference}


class WebHook(Entity):
    """An address that is told of events."""

    noun = Noun.WEB_HOOKS
    hidden = {"id", "locale", "base", "secret"}

    locale: str = ""
    """Web hooks have none."""
    web_url: str
    events: dict[str, bool]
    base: str
    """The service's address by which the hook was created: notifications name entities by it."""
    secret: str = Field(default="", repr=False)
    """Signs what is sent; never given back."""


class ModelCopy(Entity):
    """A custom model on its way to another resource, at its source: an `Operation` of the specification."""

    noun = Noun.OPERATIONS

    display_name: str = ""
    locale: str = ""
    """Operations have neither."""
    model: str
    target: str
    """`http://host:port` of the target resource."""
    authorization: str = Field(repr=False)
    """The id of the target's authorization: whoever has it may copy."""
    result: str | None = None
    """The new model's address, once it is there."""

    @property
    def path(self) -> str:
        return f"/speechtotext/operations/models/copy/{self.id}"

    def used(self) -> set[str]:
        return set() if self.status.is_final else {id_in(self.model)}


class FileKind(StrEnum):
    """What a file of an entity holds."""

    DATASET_REPORT = "DatasetReport"
    AUDIO = "Audio"
    LANGUAGE_DATA = "LanguageData"
    PRONUNCIATION_DATA = "PronunciationData"
    ACOUSTIC_DATA_ARCHIVE = "AcousticDataArchive"
    ACOUSTIC_DATA_TRANSCRIPTION = "AcousticDataTranscriptionV2"
    TRANSCRIPTION = "Transcription"
    TRANSCRIPTION_REPORT = "TranscriptionReport"
    EVALUATION_DETAILS = "EvaluationDetails"
    MODEL_REPORT = "ModelReport"
    OUTPUT_FORMATTING_DATA = "OutputFormattingData"


class StoredFile(Shape):
    """A file of an entity; its bytes lie under `content` in the data folder."""

    id: str
    name: str
    kind: FileKind
    size: int
    content: str
    created_date_time: datetime
    duration_milliseconds: int | None = None


class Recording(Shape):
    """One accepted row of an audio dataset: audio by content hash, and what is said in it."""

    name: str
    sha256: str
    seconds: float
    transcript: str = ""

    @property
    def content(self) -> str:
        """Where its bytes lie in the data folder."""
        return audio_content(self.sha256)


def path_of(noun: Noun, entity_id: str) -> str:
    """`/speechtotext/<noun>/<id>`."""
    return f"/speechtotext/{noun}/{entity_id}"


def id_in(path: str) -> str:
    """The id at the end of a path."""
    return path.rsplit("/", 1)[-1]


def audio_content(sha256: str) -> str:
    """Where audio of that hash lies in the data folder."""
    return f"audio/{sha256}.wav"
