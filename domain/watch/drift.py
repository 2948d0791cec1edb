"""Has the live model's word error rate risen, by more than chance?"""

import math
from collections.abc import Set
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.comparison import Comparison, Measured
from domain.corpus import Labels
from domain.significance import gain_of, wer_interval

Interval = tuple[float, float]
Method = Literal["same recordings", "other recordings"]

_ROUNDING = 1e-9


class Sample(BaseModel):
    """A model's result at one time: its WER as a fraction, with its interval where there are speakers enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wer: float
    interval: Interval | None = None
    words: int


class Drift(BaseModel):
    """The live model now beside what is on record. `rise` is a fraction of WER, positive is worse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    against: str
    """What the record is, such as `release 1.2.0`."""
    method: Method
    now: Sample
    then: Sample
    rise: float
    interval: Interval | None = None
    """Of the rise; None when there are too few speakers to tell."""
    base_now: float | None = None
    base_then: float | None = None
    """WER of the base model on the same data."""

    @property
    def is_real(self) -> bool:
        """Whether the rise is more than chance."""
        return self.interval is not None and self.interval[0] > 0

    def matters(self, points: float) -> bool:
        """Whether it is real, and at least so many points of WER."""
        return self.is_real and self.rise >= points / 100 - _ROUNDING

    @property
    def base_rise(self) -> float | None:
        """How much the base model's WER rose on the same data."""
        return None if self.base_now is None or self.base_then is None else self.base_now - self.base_then


def same_recordings(against: str, then: Measured, now: Measured, labels: Labels, confidence: float) -> Drift:
    """Two measurements of one model on the same recordings: paired, by speaker.

    Args:
        against: what the record is.
        then: the record.
        now: the new measurement.
        labels: who speaks in which recording.
        confidence: of the intervals, as a fraction.

    Raises:
        ValueError: one of the two has no words.
    """
    gain = gain_of(Comparison(then, now, labels=labels), confidence=confidence)
    first, second = sample(then, labels, confidence), sample(now, labels, confidence)
    interval = None if gain.interval is None else (-gain.interval[1] + 0.0, -gain.interval[0] + 0.0)
    return Drift(
        against=against,
        method="same recordings",
        now=second,
        then=first,
        rise=second.wer - first.wer,
        interval=interval,
    )


def other_recordings(
    against: str, then: tuple[Measured, Labels], now: tuple[Measured, Labels], confidence: float
) -> Drift:
    """Two measurements of one model on different recordings: each has an interval by speaker, from which that of the
    difference follows (Zou and Donner, "Construction of confidence limits about effect measures", 2008).

    Speakers who are in both make it too wide, never too narrow, as long as who is hard to understand stays so.

    Raises:
        ValueError: one of the two has no words.
    """
    first, second = sample(*then, confidence), sample(*now, confidence)
    rise = second.wer - first.wer
    return Drift(
        against=against,
        method="other recordings",
        now=second,
        then=first,
        rise=rise,
        interval=_difference(first, second, rise),
    )


def _difference(then: Sample, now: Sample, rise: float) -> Interval | None:
    if then.interval is None or now.interval is None:
        return None
    below = math.hypot(now.wer - now.interval[0], then.interval[1] - then.wer)
    above = math.hypot(now.interval[1] - now.wer, then.wer - then.interval[0])
    return rise - below, rise + above


def sample(measured: Measured, labels: Labels, confidence: float) -> Sample:
    """One measurement with its interval.

    Raises:
        ValueError: there are no words.
    """
    if measured.wer is None:
        raise ValueError("nothing was said in these recordings")
    interval = wer_interval(measured, labels, confidence=confidence)
    return Sample(wer=measured.wer, interval=interval, words=measured.scorecard.total.reference_words)


def only(measured: Measured, without: Set[str]) -> Measured:
    """The measurement without some recordings, such as those that had leaked into training."""
    kept = tuple(one for one in measured.scorecard.utterances if one.id not in without)
    return replace(measured, scorecard=replace(measured.scorecard, utterances=kept))
