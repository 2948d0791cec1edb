"""What the watch looks for and what it may do: section `[watch]` of `track.toml`."""

from typing import Literal

from pydantic import Field

from domain.settings import Settings


class WatchSettings(Settings):
    """What is worth telling about the live model, and when it undoes itself."""

    rollback: Literal["never", "worse-than-previous"] = "never"
    """Whether the live model is taken back by itself when the release before it is better on the current testing data."""

    drift_points: float = Field(default=1.0, ge=0, le=100)
    """How many points of WER above the record are worth telling, beyond chance."""

    expiry_days: tuple[int, ...] = (90, 30, 7)
    """How many days before a model ends people are told."""
