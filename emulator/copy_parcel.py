"""What a source sends when a model is copied, read in a worker of the target: checked before anything is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, ValidationError

from emulator import recipes
from emulator.base_models import LOCALES
from emulator.bodies import Body, CustomProperties, ModelOptions, Name
from emulator.errors import JobFailure
from emulator.work import Place

NEVER = datetime.max.replace(tzinfo=UTC)
BASE_MODEL_PATH = r"^/speechtotext/models/base/[0-9a-f-]{36}$"


class DeprecationDates(Body):
    """`CustomModelDeprecationDates`."""

    transcription_date_time: AwareDatetime = NEVER


class CopiedProperties(ModelOptions):
    """The part of `CustomModelProperties` that travels."""

    deprecation_dates: DeprecationDates = DeprecationDates()


class CopiedModel(Body):
    """A model as its source tells of it."""

    display_name: Name
    description: str | None = None
    locale: Name
    custom_properties: CustomProperties = None
    base_model: Annotated[str, Field(pattern=BASE_MODEL_PATH)]
    recipe_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    properties: CopiedProperties = CopiedProperties()

    @property
    def weight_percent(self) -> int | None:
        """`customModelWeightPercent`."""
        return self.properties.custom_model_weight_percent

    @property
    def expires(self) -> datetime:
        """`transcriptionDateTime`."""
        return self.properties.deprecation_dates.transcription_date_time


class _Parcel(Body):
    model: CopiedModel
    recipe: dict[str, Any]


def unpack(place: Place, path: Path) -> CopiedModel:
    """Keep the recipe of a parcel; the result is its model.

    Raises:
        JobFailure: it has not the shape of a parcel, or its recipe is not the one that it names.
    """
    try:
        parcel = _Parcel.model_validate_json(path.read_bytes())
        recipe = recipes.of(parcel.recipe)
    except (ValidationError, RecursionError):
        raise JobFailure("InvalidPayload", "The copied model has not the shape of one.") from None
    if recipe.key != parcel.model.recipe_key:
        message = "The copied model is damaged, or was made by another version of the emulator."
        raise JobFailure("InvalidPayload", message)
    if parcel.model.locale not in LOCALES:
        raise JobFailure("InvalidPayload", "The copied model has a locale that does not exist here.")
    recipes.keep(place.data, recipe)
    return parcel.model
