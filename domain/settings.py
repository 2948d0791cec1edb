"""What all settings of a track have in common."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A section of `track.toml`: it never changes, and what is unknown in it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
