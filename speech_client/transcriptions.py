"""Transcriptions: what a model understood. Each evaluation makes two, one per model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from speech_client import fast_transcription
from speech_client.entities import (
    Address,
    AzureObject,
    EntityProperties,
    EntityReference,
    EntityUpdate,
    Known,
    NewEntity,
    ProjectMember,
)
from speech_client.links import Which
from speech_client.locales import TranscriptionLocales
from speech_client.resource import ResourceWithFiles
from speech_client.transcription_modes import ProfanityFilterMode, PunctuationMode


class LanguageIdentificationMode(StrEnum):
    """Whether the language may change within a recording."""

    CONTINUOUS = "Continuous"
    SINGLE = "Single"


class LanguageIdentification(AzureObject):
    """Which languages may be spoken, and the model for each."""

    candidate_locales: tuple[str, ...]
    speech_model_mapping: dict[str, EntityReference] | None = None
    mode: Known[LanguageIdentificationMode] | None = None

    def check(self) -> None:
        """Raise ValueError for what Azure would refuse: 2 to 10 languages unless there is but one per recording."""
        single = self.mode == LanguageIdentificationMode.SINGLE
        if not single and not 2 <= len(self.candidate_locales) <= 10:
            raise ValueError("Continuous language identification takes 2 to 10 candidate locales.")
        if not set(self.speech_model_mapping or ()) <= set(self.candidate_locales):
            raise ValueError("Each locale of the speech model mapping must be a candidate locale.")


class Diarization(AzureObject):
    """Whether speakers are told apart, and how many there may be (2 to 35)."""

    enabled: bool | None = None
    max_speakers: int | None = None


class TranscriptionProperties(EntityProperties):
    """How it was transcribed, and for how many hours Azure keeps it."""

    word_level_timestamps_enabled: bool | None = None
    display_form_word_level_timestamps_enabled: bool | None = None
    channels: tuple[int, ...] | None = None
    punctuation_mode: Known[PunctuationMode] | None = None
    profanity_filter_mode: Known[ProfanityFilterMode] | None = None
    destination_container_url: Address | None = None
    time_to_live_hours: int | None = None
    language_identification: LanguageIdentification | None = None
    diarization: Diarization | None = None
    duration_milliseconds: int | None = None


class TranscriptionLinks(AzureObject):
    """Where the result files are."""

    files: str | None = None


class Transcription(ProjectMember):
    """A job that turns recordings into text; its files of kind Transcription hold the results."""

    collection: ClassVar[str] = "transcriptions"

    model: EntityReference | None = None
    dataset: EntityReference | None = None
    content_urls: tuple[Address, ...] | None = None
    content_container_url: Address | None = None
    links: TranscriptionLinks | None = None
    properties: TranscriptionProperties | None = None


class NewTranscription(NewEntity):
    """Recordings to transcribe: exactly one of `content_urls`, `content_container_url` and `dataset`.

    Without `model` Azure takes the newest base model of the locale. Azure deletes the transcription by itself
    `time_to_live_hours` after it has ended (6 hours to 31 days; 48 is what Azure recommends).
    """

    inside_properties: ClassVar[frozenset[str]] = frozenset(
        {
            "wordLevelTimestampsEnabled",
            "displayFormWordLevelTimestampsEnabled",
            "channels",
            "punctuationMode",
            "profanityFilterMode",
            "destinationContainerUrl",
            "timeToLiveHours",
            "languageIdentification",
            "diarization",
        }
    )

    content_urls: Annotated[tuple[Address, ...] | None, Field(min_length=1, max_length=1000)] = None
    content_container_url: Address | None = None
    dataset: EntityReference | None = None
    model: EntityReference | None = None
    time_to_live_hours: Annotated[int, Field(ge=6, le=744)] = 48
    word_level_timestamps_enabled: bool | None = None
    display_form_word_level_timestamps_enabled: bool | None = None
    channels: tuple[int, ...] | None = None
    punctuation_mode: PunctuationMode | None = None
    profanity_filter_mode: ProfanityFilterMode | None = None
    destination_container_url: Address | None = None
    language_identification: LanguageIdentification | None = None
    diarization: Diarization | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [self.content_urls, self.content_container_url, self.dataset]
        if sum(source is not None for source in given) != 1:
            raise ValueError("Give exactly one of content_urls, content_container_url and dataset.")
        return self

    @model_validator(mode="after")
    def _is_within_limits(self) -> Self:
        if self.language_identification:
            self.language_identification.check()
        if self.diarization and self.diarization.max_speakers not in (None, *range(2, 36)):
            raise ValueError("Diarization tells 2 to 35 speakers apart.")
        return self


class TranscriptionUpdate(EntityUpdate):
    """New name, description or custom properties of a transcription."""


class Transcriptions(ResourceWithFiles[Transcription]):
    """``/transcriptions``."""

    entity = Transcription

    async def locales(self) -> TranscriptionLocales:
        """Return the supported locales, of `submit` and of `transcribe`."""
        return (await self._connection.get(f"{self.path}/locales")).parse(TranscriptionLocales)

    async def submit(self, new: NewTranscription) -> Transcription:
        """Start a transcription; sent once, so look before you repeat it after an `ambiguous` error."""
        return await self._create(new, f"{self.path}:submit")

    async def transcribe(
        self, path: Path, definition: fast_transcription.TranscribeDefinition | None = None
    ) -> fast_transcription.TranscribeResult:
        """Transcribe one recording at once: shorter than 2 hours, smaller than 250 MB, streamed from the disk.

        Raises:
            BadInput: The file is missing, empty or too large.
        """
        wanted = definition or fast_transcription.TranscribeDefinition()
        return await fast_transcription.transcribe(self._connection, path, wanted)

    async def update(self, which: Which, update: TranscriptionUpdate) -> Transcription:
        """Change name, description or custom properties."""
        return await self._update(which, update)
