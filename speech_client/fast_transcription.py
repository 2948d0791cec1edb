"""Fast transcription: one recording in, its text in the answer, no job between.

Source: operation Transcriptions_Transcribe; its limits are in the description of its parameter `audio`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from speech_client.answers import Call
from speech_client.connection import Connection
from speech_client.entities import AzureObject
from speech_client.errors import BadInput
from speech_client.forms import Form
from speech_client.transcription_modes import ProfanityFilterMode

LARGEST_AUDIO = 250 * 1024**2
"""In bytes; the service takes less than 250 MB (and less than 2 hours)."""
ANSWER_WITHIN = 900.0
"""Seconds: the answer comes when all of it is transcribed, which is faster than listening, but not at once."""


class TranscribeDiarizationProperties(AzureObject):
    """Whether speakers are told apart, and a hint how many there may be."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    max_speakers: Annotated[int | None, Field(ge=2, le=35)] = None


class TranscribeDefinition(AzureObject):
    """How to transcribe.

    Without `locales` the service finds out the language. `models` maps locales to addresses of models. `channels`
    are transcribed one by one; without them all channels are merged.
    """

    model_config = ConfigDict(extra="forbid")

    locales: tuple[str, ...] | None = None
    models: dict[str, str] | None = None
    profanity_filter_mode: ProfanityFilterMode | None = None
    diarization: TranscribeDiarizationProperties | None = None
    channels: Annotated[tuple[int, ...] | None, Field(max_length=2)] = None


class ChannelCombinedPhrases(AzureObject):
    """All that was said on one channel (None: on all)."""

    channel: int | None = None
    text: str


class Word(AzureObject):
    """A word as people write it, and when it was said."""

    text: str
    offset_milliseconds: int
    duration_milliseconds: int


class Phrase(AzureObject):
    """Some words that belong together, and when they were said, by whom, on which channel."""

    channel: int | None = None
    speaker: int | None = None
    offset_milliseconds: int
    duration_milliseconds: int
    text: str
    words: tuple[Word, ...] | None = None
    locale: str | None = None
    confidence: float


class TranscribeResult(AzureObject):
    """What was said in a recording."""

    duration_milliseconds: int
    combined_phrases: tuple[ChannelCombinedPhrases, ...]
    phrases: tuple[Phrase, ...]


async def transcribe(connection: Connection, path: Path, definition: TranscribeDefinition) -> TranscribeResult:
    """Send the recording at `path`, read from the disk piece by piece, and return what was said in it."""
    _check(path)
    written = definition.model_dump_json(by_alias=True, exclude_none=True)
    call = Call(
        method="POST",
        url=connection.address("transcriptions:transcribe"),
        params=connection.versioned({}),
        form=Form("audio", path, {"definition": written}),
        repeatable=True,  # it creates nothing
        answer_within=ANSWER_WITHIN,
    )
    return (await connection.send(call)).parse(TranscribeResult)


def _check(path: Path) -> None:
    if not path.is_file():
        raise BadInput(f"{path} cannot be transcribed: there is no such file.")
    if not (size := path.stat().st_size):
        raise BadInput(f"{path} is empty: there is nothing to transcribe.")
    if size >= LARGEST_AUDIO:
        raise BadInput(
            f"{path} has {size / 1024**2:.0f} MB; the service takes less than 250. Use Transcriptions.submit."
        )
