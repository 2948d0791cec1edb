"""What callers send: the writable properties of Microsoft's definitions, checked. Other members are ignored, as there."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from emulator.entities import DatasetKind, TextNormalizationKind


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


class ReferenceBody(Body):
    """`EntityReference`."""

    address: str = Field(alias="self")


class NewEntity(Body):
    """What every create has."""

    display_name: Name
    locale: Name
    description: str | None = None
    custom_properties: CustomProperties = None


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
