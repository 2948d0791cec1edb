"""Files that belong to an entity: reports, transcriptions, details of an evaluation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from speech_client.entities import Address, AzureObject, EntityReference, Known


class FileKind(StrEnum):
    """What a file holds."""

    DATASET_REPORT = "DatasetReport"
    AUDIO = "Audio"
    LANGUAGE_DATA = "LanguageData"
    PRONUNCIATION_DATA = "PronunciationData"
    ACOUSTIC_DATA_ARCHIVE = "AcousticDataArchive"
    ACOUSTIC_DATA_TRANSCRIPTION = "AcousticDataTranscriptionV2"
    TRANSCRIPTION = "Transcription"
    TRANSCRIPTION_REPORT = "TranscriptionReport"
    EVALUATION_DETAILS = "EvaluationDetails"
    MODEL_REPORT = "ModelReport"
    OUTPUT_FORMATTING_DATA = "OutputFormattingData"


class FileLinks(AzureObject):
    """Where the content is; the address grants access by itself, so treat it like a password."""

    content_url: Address


class FileProperties(AzureObject):
    """Size in bytes and, for audio, duration in milliseconds."""

    size: int | None = None
    duration_milliseconds: int | None = None


class File(EntityReference):
    """One file; `SpeechClient.download` fetches its content."""

    name: str
    kind: Known[FileKind]
    links: FileLinks
    properties: FileProperties | None = None
    created_date_time: datetime | None = None
