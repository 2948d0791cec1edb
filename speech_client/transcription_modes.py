"""How the text of a transcription is written, whichever way it is made."""

from __future__ import annotations

from enum import StrEnum


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
