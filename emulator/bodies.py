"""What callers send: the writable properties of Microsoft's definitions, checked. Other members are ignored, as there."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError

from emulator.entities import DatasetKind, TextNormalizationKind
from emulator.languages import LanguageIdentificationMode
from emulator.presentation import ProfanityFilterMode, PunctuationMode


def _limited(properties: dict[str, Any] | None) -> dict[str, Any] | None:
    if properties is None:
        return None
    if len(properties) > 10:
        raise ValueError("at most 10 custom properties are allowed")
    for name, value in properties.items():
        if not 1 <= len(name) <= 64:
            raise ValueError("the name of a custom property has 1 to 64 characters")
        if value is not None and len(value) > 256:
            raise ValueError("the value of a custom property has at most 256 characters")
    return properties


Name = Annotated[str, Field(min_length=1)]
CustomProperties = Annotated[dict[str, str] | None, AfterValidator(_limited)]
CustomPropertiesPatch = Annotated[dict[str, str | None] | None, AfterValidator(_limited)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        try:
            self.model_dump_json()
        except PydanticSerializationError:
            raise ValueError("half a character cannot be kept") from None  # JSON's escapes allow "\ud800" alone
        return self


class ReferenceBody(Body):
    """`EntityReference`."""

    address: str = Field(alias="self")


class Described(Body):
    """What every create has."""

    display_name: Name
    description: str | None = None
    custom_properties: CustomProperties = None


class NewEntity(Described):
    """What every create has but that of a web hook."""

    locale: Name


class DatasetOptions(Body):
    """The writable part of `DatasetProperties`."""

    text_normalization_kind: TextNormalizationKind = TextNormalizationKind.DEFAULT


class NewDataset(NewEntity):
    """`Dataset`; without `contentUrl` the data come in blocks."""

    kind: DatasetKind
    content_url: str | None = None
    properties: DatasetOptions = DatasetOptions()


class ModelOptions(Body):
    """The writable part of `CustomModelProperties`."""

    custom_model_weight_percent: int | None = Field(default=None, ge=1, le=100)


class NewModel(NewEntity):
    """`CustomModel`; without `baseModel` the newest one of the locale."""

    base_model: ReferenceBody | None = None
    datasets: tuple[ReferenceBody, ...] = ()
    properties: ModelOptions = ModelOptions()


class NewEvaluation(NewEntity):
    """`Evaluation`."""

    model1: ReferenceBody
    model2: ReferenceBody
    dataset: ReferenceBody


class EndpointOptions(Body):
    """The writable part of `EndpointProperties`."""

    logging_enabled: bool = False


class NewEndpoint(NewEntity):
    """`Endpoint`; without `model` the newest base model of the locale."""

    model: ReferenceBody | None = None
    properties: EndpointOptions = EndpointOptions()


class Diarization(Body):
    """`DiarizationProperties`, and `TranscribeDiarizationProperties`."""

    enabled: StrictBool = False
    max_speakers: int | None = Field(default=None, ge=2, le=35, strict=True)


class LanguageIdentification(Body):
    """`LanguageIdentificationProperties`."""

    candidate_locales: tuple[str, ...]
    speech_model_mapping: dict[str, ReferenceBody] = Field(default_factory=dict)
    mode: LanguageIdentificationMode = LanguageIdentificationMode.CONTINUOUS


class TranscriptionOptions(Body):
    """The writable part of `TranscriptionProperties`."""

    word_level_timestamps_enabled: StrictBool = False
    display_form_word_level_timestamps_enabled: StrictBool = False
    channels: tuple[StrictInt, ...] = (0, 1)
    punctuation_mode: PunctuationMode = PunctuationMode.DICTATED_AND_AUTOMATIC
    profanity_filter_mode: ProfanityFilterMode = ProfanityFilterMode.MASKED
    destination_container_url: str | None = Field(default=None, repr=False)
    time_to_live_hours: StrictInt
    language_identification: LanguageIdentification | None = None
    diarization: Diarization | None = None


class NewTranscription(NewEntity):
    """`Transcription`; without `model` the newest base model of the locale."""

    content_urls: list[str] | None = Field(default=None, repr=False)
    content_container_url: str | None = Field(default=None, repr=False)
    dataset: ReferenceBody | None = None
    model: ReferenceBody | None = None
    properties: TranscriptionOptions


class TranscribeDefinition(Body):
    """`TranscribeDefinition`."""

    locales: tuple[str, ...] = ()
    models: dict[str, str] = Field(default_factory=dict)
    profanity_filter_mode: ProfanityFilterMode = ProfanityFilterMode.MASKED
    diarization: Diarization | None = None
    channels: tuple[StrictInt, ...] | None = None


class Patch(Body):
    """`DatasetUpdate`, `ModelUpdate`, `EvaluationUpdate`, `TranscriptionUpdate`: null removes a value."""

    display_name: Name | None = None
    description: str | None = None
    custom_properties: CustomPropertiesPatch = None


class EndpointOptionsPatch(Body):
    """`EndpointPropertiesUpdate`: Azure calls it `contentLoggingEnabled` here and `loggingEnabled` on the endpoint."""

    content_logging_enabled: bool | None = None


class EndpointPatch(Patch):
    """`EndpointUpdate`."""

    model: ReferenceBody | None = None
    properties: EndpointOptionsPatch = EndpointOptionsPatch()


class BlockReference(Body):
    """`CommitBlocksEntry`."""

    kind: Annotated[str, Field(pattern="^(Committed|Uncommitted|Latest)$")]
    id: str


class WebHookOptions(Body):
    """The writable part of `WebHookProperties`, and `WebHookPropertiesUpdate`."""

    secret: str | None = Field(default=None, repr=False)


class NewWebHook(Described):
    """`WebHook`."""

    web_url: str
    events: dict[str, StrictBool]
    properties: WebHookOptions = WebHookOptions()


class WebHookPatch(Patch):
    """`WebHookUpdate`; null removes a kind of event."""

    web_url: str | None = None
    events: dict[str, StrictBool | None] = Field(default_factory=dict)
    properties: WebHookOptions | None = None


class NewCopyAuthorization(Body):
    """`ModelCopyAuthorizationDefinition`."""

    source_resource_id: Name


class CopyAuthorization(Body):
    """`ModelCopyAuthorization`."""

    target_resource_region: Name
    target_resource_id: Name
    target_resource_endpoint: Name
    source_resource_id: Name
    expiration_date_time: AwareDatetime
    id: Name = Field(repr=False)
