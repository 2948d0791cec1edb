"""Projects: a drawer for entities that belong together. They came back with API version 2025-10-15.

Source: Azure/azure-rest-api-specs, Speech/SpeechToText/stable/2025-10-15.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import ClassVar

from speech_client.datasets import Dataset, Datasets
from speech_client.endpoints import Endpoint, Endpoints
from speech_client.entities import AzureObject, EntityReference, Name, NamedEntityUpdate, NewNamedEntity
from speech_client.evaluations import Evaluation, Evaluations
from speech_client.filters import Filter
from speech_client.links import Which
from speech_client.models import CustomModel, Models
from speech_client.resource import PROJECTS_SINCE, EditableResource, listed
from speech_client.transcriptions import Transcription, Transcriptions


class ProjectLinks(AzureObject):
    """Where the entities of the project are."""

    evaluations: str | None = None
    datasets: str | None = None
    models: str | None = None
    endpoints: str | None = None
    transcriptions: str | None = None


class Project(EntityReference):
    """A drawer for entities. It is no job: it has no status."""

    collection: ClassVar[str] = "projects"

    display_name: str
    description: str | None = None
    custom_properties: dict[str, str] | None = None
    locale: str
    foundry_project_name: str | None = None
    created_date_time: datetime | None = None
    links: ProjectLinks | None = None


class NewProject(NewNamedEntity):
    """A project to make. A second one of the same name is made, too: names are not unique."""

    locale: Name
    foundry_project_name: str | None = None


class ProjectUpdate(NamedEntityUpdate):
    """New name, description, custom properties or Foundry project of a project."""

    foundry_project_name: str | None = None


class Projects(EditableResource[Project]):
    """``/projects``. Each call raises `BadInput` when the client's API version is older than projects are."""

    entity = Project
    filterable = frozenset({"displayName", "description", "createdDateTime", "locale", "foundryProjectName"})

    @property
    def path(self) -> str:
        """Path of the collection.

        Raises:
            BadInput: The API version knows no projects.
        """
        self._connection.require(PROJECTS_SINCE, "A project")
        return super().path

    async def create(self, new: NewProject) -> Project:
        """Make a project; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: ProjectUpdate) -> Project:
        """Change name, description, custom properties or Foundry project."""
        return await self._update(which, update)

    async def locales(self) -> tuple[str, ...]:
        """Return the locales that a project may have."""
        return await self._locales()

    def datasets(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[Dataset]:
        """Yield the datasets of a project."""
        path = f"{self._path_of(which)}/datasets"
        return listed(self._connection, path, Dataset, Datasets.filterable, filter=filter, skip=skip, top=top)

    def models(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[CustomModel]:
        """Yield the custom models of a project."""
        path = f"{self._path_of(which)}/models"
        return listed(self._connection, path, CustomModel, Models.filterable, filter=filter, skip=skip, top=top)

    def endpoints(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[Endpoint]:
        """Yield the endpoints of a project."""
        path = f"{self._path_of(which)}/endpoints"
        return listed(self._connection, path, Endpoint, Endpoints.filterable, filter=filter, skip=skip, top=top)

    def evaluations(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[Evaluation]:
        """Yield the evaluations of a project."""
        path = f"{self._path_of(which)}/evaluations"
        return listed(self._connection, path, Evaluation, Evaluations.filterable, filter=filter, skip=skip, top=top)

    def transcriptions(
        self,
        which: Which,
        *,
        filter: Filter | None = None,  # noqa: A002  # Azure's word
        skip: int | None = None,
        top: int | None = None,
    ) -> AsyncIterator[Transcription]:
        """Yield the transcriptions of a project."""
        path = f"{self._path_of(which)}/transcriptions"
        shape, known = Transcription, Transcriptions.filterable
        return listed(self._connection, path, shape, known, filter=filter, skip=skip, top=top)
