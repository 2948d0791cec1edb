"""What callers may add to a report beside the comparison."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HistoryPoint(_Record):
    """One measurement in the track's history. WERs on different testing data cannot be compared, so these are marked."""

    at: datetime
    wer: float
    """As a fraction."""
    words: int
    """Reference words that the WER rests on."""
    kind: str
    """What happened, such as `benchmark`, `release` or `refused`."""
    testing_hash: str
    model: str = ""
    revision: str = ""


class TrainingData(_Record):
    """One dataset that the candidate learnt from."""

    kind: str
    """Such as `plain text`, `pronunciations` or `audio`."""
    amount: str
    """Such as `1,204 lines` or `2.5 hours`."""
    digest: str = ""


class ModelCard(_Record):
    """What people must know of the candidate before they use it. Left empty, the page says that nobody told."""

    purpose: str = ""
    """What it is for, in the track's words."""
    training: tuple[TrainingData, ...] = ()
    limits: tuple[str, ...] = ()
    """Limits beyond those that the report finds by itself."""
    versions: tuple[tuple[str, str], ...] = ()
    """Name and version of what made the result, such as `jiwer`."""
