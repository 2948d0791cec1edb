"""What every collection of the service can do: list, get, delete, files. Noun modules add the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from speech_client.connection import Connection
from speech_client.entities import AzureObject, EntityReference, NewEntity
from speech_client.errors import BadInput, NotFound
from speech_client.files import File
from speech_client.filters import COMMON, OF_FILES, Filter, checked
from speech_client.links import Which, id_of
from speech_client.locales import Locales
from speech_client.paging import pages

O = TypeVar("O", bound=EntityReference)  # noqa: E741  # an object of Azure
E = TypeVar("E", bound=EntityReference)

PROJECTS_SINCE = "2025-10-15"
"""The API version that knows projects, and the member `project` of entities."""


def listed(
    connection: Connection,
    path: str,
    shape: type[O],
    filterable: frozenset[str],
    *,
    filter: Filter | None,  # noqa: A002  # Azure's word
    skip: int | None,
    top: int | None,
) -> AsyncIterator[O]:
    """Yield what the list at `path` holds, after a look at whether it can be filtered like that."""
    params = _params(filter=checked(filter, filterable, path), skip=skip, top=top)
    return pages(connection, path, shape, params, steady=skip is not None)


class Resource(Generic[E]):
    """A collection of entities of one kind, at ``/speechtotext/<collection>``."""

    entity: ClassVar[type[Any]]
    filterable: ClassVar[frozenset[str]] = COMMON
    """Azure's names of the properties that its list can be filtered by."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def path(self) -> str:
        """Path of the collection, relative to ``/speechtotext/``."""
        return str(self.entity.collection)

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[E]:
        """Yield the entities, in no particular order; `top` is the size of a page, not of the whole.

        What is there all the time is yielded exactly once, also while others delete; for that, a list of several
        pages is read twice at least (`paging.pages`), unless `skip` is given.

        Args:
            filter: A condition, such as ``F.display_name == "…"``.
            skip: Leave out that many.
            top: So many per request.

        Raises:
            BadInput: The list cannot be filtered by a property of `filter`.
        """
        return listed(self._connection, self.path, self.entity, self.filterable, filter=filter, skip=skip, top=top)

    async def get(self, which: Which) -> E:
        """Return one entity as it stands now.

        Raises:
            NotFound: There is none.
        """
        return self._read(await self._connection.get(self._path_of(which)))

    def _path_of(self, which: Which) -> str:
        return f"{self.path}/{id_of(which)}"

    def _read(self, answer: Any) -> E:
        entity: E = answer.parse(self.entity)
        return entity


class EditableResource(Resource[E]):
    """A collection whose entities we make, change and delete."""

    async def delete(self, which: Which) -> None:
        """Delete the entity. What is not there is deleted already, as Azure has it for most kinds.

        Raises:
            Conflict: Another entity uses it, or its job is not over.
        """
        try:
            await self._connection.delete(self._path_of(which))
        except NotFound:
            return

    async def _create(self, new: AzureObject, path: str | None = None) -> E:
        self._require_projects(new)
        answer = await self._connection.post(path or self.path, new)
        entity: E = answer.parse_created(self.entity)
        return entity

    async def _update(self, which: Which, update: AzureObject) -> E:
        self._require_projects(update)
        return self._read(await self._connection.patch(self._path_of(which), update))

    async def _locales(self) -> tuple[str, ...]:
        return (await self._connection.get(f"{self.path}/locales")).parse(Locales).root

    def _require_projects(self, body: AzureObject) -> None:
        named = body.project is not None if isinstance(body, NewEntity) else "project" in body.model_fields_set
        if named:
            self._connection.require(PROJECTS_SINCE, "The member project")


class ResourceWithFiles(EditableResource[E]):
    """A collection whose entities have result files."""

    def files(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
        sas_lifetime: timedelta | None = None,
    ) -> AsyncIterator[File]:
        """Yield the files of one entity.

        Args:
            which: The entity.
            filter: By name, kind or createdDateTime.
            skip: Leave out that many.
            top: So many per request.
            sas_lifetime: How long the addresses of the contents stay valid; Azure's default is 12 hours.
        """
        path = f"{self._path_of(which)}/files"
        wanted = checked(filter, OF_FILES, path)
        params = _params(filter=wanted, skip=skip, top=top, sasLifetimeMinutes=minutes(sas_lifetime))
        return pages(self._connection, path, File, params, steady=True)

    async def file(self, which: Which, file: Which, *, sas_lifetime: timedelta | None = None) -> File:
        """Return one file, with a fresh address of its content."""
        params = _params(sasLifetimeMinutes=minutes(sas_lifetime))
        return (await self._connection.get(f"{self._path_of(which)}/files/{id_of(file)}", params)).parse(File)


def minutes(lifetime: timedelta | None) -> int | None:
    """Return how long signed addresses shall be valid, in whole minutes and at least one.

    Raises:
        BadInput: It is no time at all.
    """
    if lifetime is None:
        return None
    if lifetime <= timedelta():
        raise BadInput("A signed address must be valid for some time: give a lifetime of more than zero.")
    return max(1, round(lifetime.total_seconds() / 60))


def _params(**given: object) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}
