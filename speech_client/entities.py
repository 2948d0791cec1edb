"""What all entities of the Speech service have in common, and how they look on the wire.

Attributes are Azure's in snake_case. What Azure sends and we do not know yet is kept: an unknown member stays
in the object, an unknown status or kind stays a plain text. Source: definitions of API version 2024-11-15.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

import pydantic
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from speech_client.redaction import SignedAddress, redacted, remember

T = TypeVar("T", bound=StrEnum)

Known: TypeAlias = Annotated[T | str, Field(union_mode="left_to_right")]
"""A member of enum `T`, or the plain text of a member that Azure added after we wrote this."""

CustomProperties: TypeAlias = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=256)]],
    Field(max_length=10),
]
"""At most 10 entries, keys of at most 64 and values of at most 256 characters (Azure's limits)."""


Name: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
"""A text that Azure wants to be there; an empty one is refused before it is sent."""


Address: TypeAlias = Annotated[str, AfterValidator(SignedAddress)]
"""Where content is. It may be signed, and then grants access by itself: treat it like a password."""

Secret: TypeAlias = Annotated[str, AfterValidator(remember)]
"""What signs notifications. It is masked in every message and log from then on."""


class Status(StrEnum):
    """Where a job stands. Azure has these four; there is no cancelled."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class AzureObject(pydantic.BaseModel):
    """Any JSON object that Azure sends. Its `repr` shows no signature of a signed address."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    def to_azure(self) -> dict[str, Any]:
        """Return the JSON object as Azure writes it: exactly the members that were given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def to_record(self) -> dict[str, Any]:
        """Return `to_azure` without secrets, fit to be stored or logged."""
        record: dict[str, Any] = redacted(self.to_azure())
        return record

    def __repr_args__(self) -> Any:
        return redacted(dict(super().__repr_args__())).items()


def last_part(address: str) -> str:
    """Return the last part of an address's path, without a query after it: the entity's id; empty if there is none."""
    try:
        return unquote(PurePosixPath(urlsplit(address).path).name)
    except ValueError:  # such as brackets that are no IPv6 address
        return ""


class EntityReference(AzureObject):
    """Points at an entity by its address."""

    self_url: str = Field(alias="self")

    @property
    def id(self) -> str:
        """The entity's id."""
        return last_part(self.self_url)

    @property
    def reference(self) -> EntityReference:
        """How other entities refer to this one."""
        return EntityReference(self_url=self.self_url)


class EntityError(AzureObject):
    """Why a job failed, in `properties.error` of the entity."""

    code: str | None = None
    message: str | None = None


class EntityProperties(AzureObject):
    """The `properties` of an entity that is made by a job."""

    error: EntityError | None = None


class Job(EntityReference):
    """Whatever has an address and a status that ends: an entity, or the copy of a model."""

    collection: ClassVar[str]
    """Path of the collection that holds jobs of this kind, such as ``datasets``."""

    created_date_time: datetime | None = None
    last_action_date_time: datetime | None = None
    status: Known[Status]

    @property
    def error(self) -> EntityError | None:
        """Why the job failed, when Azure says so."""
        return None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"({self.id})"

    @property
    def is_final(self) -> bool:
        """Whether the job is over. A status that we do not know is not final."""
        return self.status in (Status.SUCCEEDED, Status.FAILED)


class NamedEntity(Job):
    """Whatever has an address, a name and a status; a web hook has no more in common with the others."""

    display_name: str
    description: str | None = None
    custom_properties: dict[str, str] | None = None
    properties: EntityProperties | None = None

    @property
    def error(self) -> EntityError | None:
        """Why the job failed, when Azure says so."""
        return self.properties.error if self.properties else None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.display_name!r} ({self.id})"


class Entity(NamedEntity):
    """What most entities are: something with a name, a locale and a status."""

    locale: str


class ProjectMember(Entity):
    """An entity that may belong to a project (API version 2025-10-15 and later)."""

    project: EntityReference | None = None


class _Request(AzureObject):
    """What we send. Nothing unknown, at no depth: Azure ignores a misspelt switch, and so would everybody."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _knows_its_parts(self) -> Self:
        for name, part in self:
            if isinstance(part, AzureObject) and part.model_extra and not isinstance(part, EntityReference):
                known = ", ".join(type(part).model_fields)
                raise ValueError(f"{name} cannot have {', '.join(part.model_extra)}. It knows {known}.")
        return self


class NewNamedEntity(_Request):
    """What we send to create something with a name. Nothing unknown, nothing empty."""

    inside_properties: ClassVar[frozenset[str]] = frozenset()
    """Members that Azure wants inside `properties`."""

    display_name: Name
    description: str | None = None
    custom_properties: CustomProperties | None = None

    def to_azure(self) -> dict[str, Any]:
        """Return the body of the request, without the members that are None."""
        return _nested(self.model_dump(mode="json", by_alias=True, exclude_none=True), self.inside_properties)


class NewEntity(NewNamedEntity):
    """What we send to create an entity with a locale. `project` needs API version 2025-10-15 or later."""

    locale: Name
    project: EntityReference | None = None


class NamedEntityUpdate(_Request):
    """What we send to change something with a name: only the members that were given; None removes a value."""

    inside_properties: ClassVar[frozenset[str]] = frozenset()

    display_name: str | None = None
    description: str | None = None
    custom_properties: CustomProperties | None = None

    def to_azure(self) -> dict[str, Any]:
        """Return the body of the request (a merge patch)."""
        return _nested(super().to_azure(), self.inside_properties)


class EntityUpdate(NamedEntityUpdate):
    """What we send to change an entity. `project` needs API version 2025-10-15 or later."""

    project: EntityReference | None = None


def _nested(body: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    properties = {name: value for name, value in body.items() if name in names}
    rest = {name: value for name, value in body.items() if name not in names}
    return rest | ({"properties": properties} if properties else {})
