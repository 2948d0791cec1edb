"""The gate's policy: section `[gate]` of `track.toml`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.naming import fingerprint

NO_SLICES = frozenset({"speaker", "session"})
"""Labels that tell who speaks: the unit of every test, never a slice."""


def _is_slice(text: str) -> str:
    label, equals, value = text.partition("=")
    if not (label and equals and value) or label in NO_SLICES:
        raise ValueError(
            "a slice is written label=value, such as noise=babble25, and its label is no speaker or session"
        )
    return text


Slice = Annotated[str, AfterValidator(_is_slice)]
"""`label=value`, as in the testing data's labels."""

Points = Annotated[float, Field(ge=0, le=100)]
"""A difference of two rates in per cent."""


class GatePolicy(BaseModel):
    """What a candidate must show before it may go live. Rates are in per cent, differences in points of the rate."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: Literal["superiority", "non-inferiority"] = "superiority"
    """The candidate must be better, or must not be worse by more than `margin_points`."""

    minimum_gain_points: Points = 0.2
    minimum_relative_gain_percent: Points = 2.0
    margin_points: Points = 0.5
    """How much worse a candidate may be, for mode non-inferiority only."""

    confidence_percent: float = Field(default=95.0, ge=80, le=99.9)
    """Of every two-sided interval; what is judged is one of its ends. What is no chance is less than 100 minus this."""

    target_wer_percent: float | None = Field(default=None, gt=0, le=100)
    """The highest WER that is acceptable at all; left out, better is good enough."""

    scoring_tolerance_points: Points = 0.3
    """How far our WER may be from the service's own before we trust neither."""

    suspicious_relative_gain_percent: float = Field(default=40.0, gt=0, le=100)
    suspicious_wer_percent: Points = 1.0
    """Better than this is too good to go live unless somebody looked for leaks and found nothing."""

    leaks: Literal["block", "exclude"] = "block"
    """What becomes of testing data that leaked into training: they decide nothing, or are left out of the scoring."""

    slice_minimum_words: int = Field(default=500, ge=1, le=10_000_000)
    slice_margin_points: Points = 1.0
    """How much worse a candidate may be on a protected slice."""
    protected_slices: tuple[Slice, ...] = ()
    """Slices that must not get worse, and must have enough evidence."""
    required_slices: tuple[Slice, ...] = ()
    """Slices that the testing data must have."""
    maximum_gap_rise_points: Points = 0.0
    """How much further apart the best and the worst group of a label may move, beyond chance."""

    control: Slice | None = None
    """Where critical phrases are not expected; left out, false alarms are counted everywhere."""

    maximum_phrase_recall_fall_points: Points = 5.0
    maximum_false_alarm_rise_points: Points = 5.0
    """How far critical phrases may get worse by what may be chance: per 100 occurrences, per 100 control recordings."""

    maximum_insertion_rise_points: Points = 1.0
    maximum_deletion_rise_points: Points = 1.0
    maximum_empty_output_rise_points: Points = 1.0
    """Rises per 100 reference words; empty outputs per 100 recordings with words."""
    token_error_rise_points: Points = 2.0
    """Rise of each class of the service's token errors, per 100 tokens."""

    reuse_budget: int = Field(default=20, ge=1, le=100_000)
    """How many candidates the same testing data may decide about."""

    @property
    def alpha(self) -> float:
        """The probability of an error that one test may make: 0.05 at 95 per cent confidence."""
        return round(1 - self.confidence_percent / 100, 6)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the policy, kept in every verdict."""
        return fingerprint(self.model_dump_json())
