"""What every collection of the service can do: list, get, delete, files. Noun modules add the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from speech_client.connection import Connection
from speech_client.entities import AzureObject, Entity
from speech_client.errors import NotFound, UnexpectedAnswer
from speech_client.files import File
from speech_client.filters import Filter
from speech_client.links import Which, id_of

O = TypeVar("O", bound=AzureObject)  # noqa: E741  # an object of Azure
E = TypeVar("E", bound=Entity)


class Page(AzureObject, Generic[O]):
    """One page of a list. `values` must be there: an empty list means that nothing was found."""

    values: tuple[O, ...]
    next_link: str | None = Field(default=None, alias="@nextLink")


async def pages(connection: Connection, path: str, shape: type[O], params: dict[str, str]) -> AsyncIterator[O]:
    """Yield everything that a list holds, page after page.

    Entities that are deleted meanwhile make later ones slip through (Azure's own warning): collect, then delete.
    """
    answer = await connection.get(path, params)
    seen: set[str] = set()
    while True:
        page = answer.parse(Page[shape])  # type: ignore[valid-type]  # a type known only at run time
        for value in page.values:
            yield value
        if not page.next_link:
            return
        if page.next_link in seen:
            raise UnexpectedAnswer(f"The list of {path} leads back to a page that was read already. Report it.")
        seen.add(page.next_link)
        answer = await connection.follow(page.next_link)


class Resource(Generic[E]):
    """A collection of entities of one kind, at ``/speechtotext/<collection>``."""

    entity: ClassVar[type[Any]]

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

        Args:
            filter: A condition, such as ``F.display_name == "…"``.
            skip: Leave out that many.
            top: So many per request.
        """
        return pages(self._connection, self.path, self.entity, _params(filter=filter, skip=skip, top=top))

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
        return self._read(await self._connection.post(path or self.path, new.to_azure()))

    async def _update(self, which: Which, update: AzureObject) -> E:
        return self._read(await self._connection.patch(self._path_of(which), update.to_azure()))


class ResourceWithFiles(EditableResource[E]):
    """A collection whose entities have result files."""

    def files(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        sas_lifetime: timedelta | None = None,
    ) -> AsyncIterator[File]:
        """Yield the files of one entity.

        Args:
            which: The entity.
            filter: By name, kind or createdDateTime.
            sas_lifetime: How long the addresses of the contents stay valid; Azure's default is 12 hours.
        """
        params = _params(filter=filter, sasLifetimeMinutes=_minutes(sas_lifetime))
        return pages(self._connection, f"{self._path_of(which)}/files", File, params)

    async def file(self, which: Which, file: Which, *, sas_lifetime: timedelta | None = None) -> File:
        """Return one file, with a fresh address of its content."""
        params = _params(sasLifetimeMinutes=_minutes(sas_lifetime))
        return (await self._connection.get(f"{self._path_of(which)}/files/{id_of(file)}", params)).parse(File)


def _minutes(lifetime: timedelta | None) -> int | None:
    return None if lifetime is None else max(1, round(lifetime.total_seconds() / 60))


def _params(**given: object) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}
