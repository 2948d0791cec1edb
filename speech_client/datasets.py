"""Datasets: training and testing data, given by address or uploaded in blocks."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, TypeAlias

from speech_client import blocks
from speech_client.entities import (
    Address,
    AzureObject,
    EntityProperties,
    EntityUpdate,
    Known,
    NewEntity,
    ProjectMember,
    Status,
)
from speech_client.filters import COMMON
from speech_client.links import Which
from speech_client.locales import DatasetLocales
from speech_client.resource import ResourceWithFiles

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called with (bytes that are there, bytes in all) after each block."""


class DatasetKind(StrEnum):
    """What a dataset holds. Whether it trains or tests is decided by its use."""

    LANGUAGE = "Language"
    ACOUSTIC = "Acoustic"
    PRONUNCIATION = "Pronunciation"
    AUDIO_FILES = "AudioFiles"
    LANGUAGE_MARKDOWN = "LanguageMarkdown"
    OUTPUT_FORMATTING = "OutputFormatting"


class TextNormalizationKind(StrEnum):
    """Whether Azure normalises the transcripts of a dataset."""

    DEFAULT = "Default"
    NONE = "None"


class DatasetLinks(AzureObject):
    """Where files and blocks are. Use the operations: Azure's own example shows broken links here."""

    files: str | None = None
    commit_blocks: str | None = None
    list_blocks: str | None = None
    upload_blocks: str | None = None


class DatasetProperties(EntityProperties):
    """What the import made of the data; rejected lines do not make it fail, so look at them."""

    accepted_line_count: int | None = None
    rejected_line_count: int | None = None
    duration_milliseconds: int | None = None
    text_normalization_kind: Known[TextNormalizationKind] | None = None


class Dataset(ProjectMember):
    """Data that Azure imported, or imports. `content_url` may be a signed address."""

    collection: ClassVar[str] = "datasets"

    kind: Known[DatasetKind]
    links: DatasetLinks | None = None
    properties: DatasetProperties | None = None
    content_url: Address | None = None


class NewDataset(NewEntity):
    """A dataset to import, from `content_url` or, without one, from blocks that `Datasets.upload` sends."""

    inside_properties: ClassVar[frozenset[str]] = frozenset({"textNormalizationKind"})

    kind: DatasetKind
    content_url: Address | None = None
    text_normalization_kind: TextNormalizationKind | None = None


class DatasetUpdate(EntityUpdate):
    """New name, description or custom properties of a dataset."""


class Datasets(ResourceWithFiles[Dataset]):
    """``/datasets``."""

    entity = Dataset
    filterable = COMMON | {"kind"}

    async def locales(self) -> DatasetLocales:
        """Return the supported locales per kind of dataset."""
        return (await self._connection.get(f"{self.path}/locales")).parse(DatasetLocales)

    async def create(self, new: NewDataset) -> Dataset:
        """Make a dataset; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new)

    async def update(self, which: Which, update: DatasetUpdate) -> Dataset:
        """Change name, description or custom properties."""
        return await self._update(which, update)

    async def blocks(self, which: Which) -> blocks.UploadedBlocks:
        """Return the blocks that are there, committed or not."""
        return await blocks.uploaded(self._connection, self._path_of(which))

    async def upload(self, dataset: Which, path: Path, on_progress: OnProgress | None = None) -> Dataset:
        """Send the file in blocks of at most 8 MiB, commit them, and return the dataset as it stands then.

        The file is read block by block. Blocks are named by their content, so calling it again after a crash sends
        only what is missing, and does nothing once the import has started.

        Raises:
            BadInput: The file is missing, empty, or changed while it was read.
        """
        if (current := await self.get(dataset)).status != Status.NOT_STARTED:
            return current
        await blocks.upload(self._connection, self._path_of(dataset), path, on_progress)
        return await self.get(dataset)
