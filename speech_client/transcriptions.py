"""Transcriptions: what a model understood. Each evaluation makes two, one per model."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from speech_client.entities import AzureObject, Entity, EntityProperties, EntityReference, EntityUpdate, Known
from speech_client.links import Which
from speech_client.resource import ResourceWithFiles


class PunctuationMode(StrEnum):
    """Where punctuation comes from."""

    NONE = "None"
    DICTATED = "Dictated"
    AUTOMATIC = "Automatic"
    DICTATED_AND_AUTOMATIC = "DictatedAndAutomatic"


class ProfanityFilterMode(StrEnum):
    """What happens to profanities."""

    NONE = "None"
    REMOVED = "Removed"
    TAGS = "Tags"
    MASKED = "Masked"


class LanguageIdentificationMode(StrEnum):
    """Whether the language may change within a recording."""

    CONTINUOUS = "Continuous"
    SINGLE = "Single"


class LanguageIdentification(AzureObject):
    """Which languages may be spoken, and the model for each."""

    candidate_locales: tuple[str, ...]
    speech_model_mapping: dict[str, EntityReference] | None = None
    mode: Known[LanguageIdentificationMode] | None = None


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
    destination_container_url: str | None = None
    time_to_live_hours: int | None = None
    language_identification: LanguageIdentification | None = None
    diarization: Diarization | None = None
    duration_milliseconds: int | None = None


class TranscriptionLinks(AzureObject):
    """Where the result files are."""

    files: str | None = None


class Transcription(Entity):
    """A job that turns recordings into text; its files of kind Transcription hold the results."""

    collection: ClassVar[str] = "transcriptions"

    model: EntityReference | None = None
    dataset: EntityReference | None = None
    content_urls: tuple[str, ...] | None = None
    content_container_url: str | None = None
    links: TranscriptionLinks | None = None
    properties: TranscriptionProperties | None = None


class TranscriptionUpdate(EntityUpdate):
    """New name, description or custom properties of a transcription."""


class Transcriptions(ResourceWithFiles[Transcription]):
    """``/transcriptions``."""

    entity = Transcription

    async def update(self, which: Which, update: TranscriptionUpdate) -> Transcription:
        """Change name, description or custom properties."""
        return await self._update(which, update)
