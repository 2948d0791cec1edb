"""The content of a file of kind Transcription: what one recording was understood as.

Source: transcriptionresult_v2024-11-15.schema.json, which builds on v3.2's. Ticks are 100 nanoseconds.
"""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field

from speech_client.entities import AzureObject
from speech_client.errors import UnexpectedAnswer

Ticks = int | float
"""Units of 100 nanoseconds; Azure writes some of them with a decimal point."""


class Timed(AzureObject):
    """When something was said, in three units: ISO 8601, ticks and milliseconds."""

    offset: str | None = None
    duration: str | None = None
    offset_in_ticks: Ticks | None = None
    duration_in_ticks: Ticks | None = None
    offset_milliseconds: int | None = None
    duration_milliseconds: int | None = None


class RecognizedWord(Timed):
    """A word as spoken."""

    word: str
    confidence: float | None = None


class DisplayWord(Timed):
    """A word as people write it."""

    display_text: str


class RecognizedText(AzureObject):
    """The same words in Azure's four forms; WER is counted on `lexical`."""

    lexical: str
    itn: str
    masked_itn: Annotated[str, Field(alias="maskedITN")]
    display: str


class Alternative(RecognizedText):
    """One of the n best readings of a phrase; confidence is between 0 and 1."""

    confidence: float
    words: tuple[RecognizedWord, ...] | None = None
    display_words: tuple[DisplayWord, ...] | None = None


class RecognizedPhrase(Timed):
    """A phrase; `n_best` is sorted, the best reading first, and empty when nothing was understood."""

    recognition_status: str
    channel: int
    speaker: int | None = None
    locale: str | None = None
    n_best: tuple[Alternative, ...]


class CombinedPhrase(RecognizedText):
    """All that was said on one channel."""

    channel: int


class TranscriptionResult(AzureObject):
    """What was understood in one recording."""

    source: str
    timestamp: str
    duration_in_ticks: Ticks
    duration: str
    duration_milliseconds: int | None = None
    combined_recognized_phrases: tuple[CombinedPhrase, ...]
    recognized_phrases: tuple[RecognizedPhrase, ...]

    @classmethod
    def from_json(cls, content: bytes) -> TranscriptionResult:
        """Read the content of a file.

        Raises:
            UnexpectedAnswer: It is no transcription result. The text of it is not quoted.
        """
        try:
            return cls.model_validate_json(content)
        except pydantic.ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise UnexpectedAnswer(f"A transcription file is not in Azure's format ({where or 'no JSON'}).")

    @property
    def lexical(self) -> str:
        """The words as spoken, of all channels; empty for silence."""
        phrases = sorted(self.combined_recognized_phrases, key=lambda phrase: phrase.channel)
        return " ".join(phrase.lexical for phrase in phrases if phrase.lexical)

    @property
    def confidences(self) -> tuple[tuple[str, float], ...]:
        """The words of `lexical` with how sure the service is of each (0 to 1); empty when it does not say so."""
        best = [phrase.n_best[0] for phrase in sorted(self.recognized_phrases, key=_place) if phrase.n_best]
        words = [word for alternative in best for word in alternative.words or ()]
        return tuple((word.word, word.confidence) for word in words if word.confidence is not None)


def _place(phrase: RecognizedPhrase) -> tuple[int, int]:
    return phrase.channel, phrase.offset_milliseconds or 0
