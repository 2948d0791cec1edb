"""Which locales the service supports, and for what."""

from __future__ import annotations

import pydantic
from pydantic import ConfigDict
from pydantic.alias_generators import to_pascal

from speech_client.entities import AzureObject


class Locales(pydantic.RootModel[tuple[str, ...]]):
    """A plain list of locales, such as ``en-US``."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class DatasetLocales(AzureObject):
    """The locales per kind of dataset. A kind that Azure does not name has none."""

    model_config = ConfigDict(alias_generator=to_pascal)

    language: tuple[str, ...] | None = None
    acoustic: tuple[str, ...] | None = None
    pronunciation: tuple[str, ...] | None = None
    audio_files: tuple[str, ...] | None = None
    language_markdown: tuple[str, ...] | None = None
    output_formatting: tuple[str, ...] | None = None


class TranscriptionLocales(AzureObject):
    """The locales of transcriptions, those made at once and those that are jobs."""

    model_config = ConfigDict(alias_generator=to_pascal)

    transcribe: tuple[str, ...] | None = None
    submit: tuple[str, ...] | None = None
