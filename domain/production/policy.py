"""When a change of production is worth telling."""

from pydantic import Field

from domain.settings import Settings


class DriftPolicy(Settings):
    """How large a change must be, beyond chance, and how many recordings are proposed for labelling."""

    confidence_percent: float = Field(default=95.0, ge=80, lt=100)
    """How sure all measures together must be."""

    least_relative_percent: float = Field(default=5.0, ge=0, le=1000)
    """Smaller changes are not told, however sure; of the confidence, what is missing to 1 counts."""

    to_label: int = Field(default=20, ge=0, le=1000)
    """How many recordings are proposed for labelling."""

    shown_from: int = Field(default=5, ge=2)
    """A word is shown only if it was heard in so many recordings; rarer ones may tell who speaks."""
