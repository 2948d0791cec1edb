"""When models end: a custom model's transcription, a base model's adaptation and transcription."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Use = Literal["transcription", "adaptation"]
_DAY = 24 * 3600


class Ending(BaseModel):
    """A date on which a model ends for one use. `days` are whole ones from now, negative when it is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[str, ...]
    """What it is to the track: live, benchmark, previous, base."""
    model: str
    """Its display name."""
    path: str
    """On the Speech service."""
    use: Use
    what: str
    """In words, such as `transcription with the live model`."""
    at: datetime | None = None
    """None when the service does not say."""
    days: int | None = None
    gone: bool = False
    """Whether the service has no such model any more."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended already."""
        return self.days is not None and self.days < 0


class ModelDates(BaseModel):
    """What the service says about the end of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[str, ...]
    model: str
    path: str
    transcribes_until: datetime | None = None
    adapts_until: datetime | None = None
    gone: bool = False


def endings(models: Iterable[ModelDates], now: datetime) -> tuple[Ending, ...]:
    """One row for each date, the nearest first; those without a date last."""
    rows = [row for model in models for row in _rows(model, now)]
    return tuple(sorted(rows, key=lambda row: (row.days is None and not row.gone, row.days or 0, row.model)))


def _rows(model: ModelDates, now: datetime) -> Iterable[Ending]:
    dates: list[tuple[Use, datetime | None]] = [("transcription", model.transcribes_until)]
    if model.adapts_until is not None:
        dates.append(("adaptation", model.adapts_until))
    told = called(model.roles)
    for use, at in dates:
        days = None if at is None else int((at - now).total_seconds() // _DAY)
        yield Ending(
            roles=model.roles, model=model.model, path=model.path, use=use, what=f"{use} with {told}", at=at, days=days,
            gone=model.gone,
        )  # fmt: skip


_NAMES = {"live": "the live model", "previous": "the model of the release before", "benchmark": "the benchmark model"}


def called(roles: Collection[str]) -> str:
    """What a model is to the track, the most important first.

    >>> called(("benchmark", "live")), called(("base",))
    ('the live model', 'the base model')
    """
    return next((name for role, name in _NAMES.items() if role in roles), "the base model")


def nearest(days: int, thresholds: Sequence[int]) -> int | None:
    """The smallest threshold that was reached; None before all of them.

    >>> nearest(91, (90, 30, 7)), nearest(30, (90, 30, 7)), nearest(-1, (90, 30, 7))
    (None, 30, 7)
    """
    return min((one for one in thresholds if days <= one), default=None)
