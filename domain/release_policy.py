"""How a model that passed goes live: section `[release]` of `track.toml`."""

from typing import Literal

from pydantic import Field

from domain.settings import Settings
from domain.window import WindowSettings


class ApprovalSettings(Settings):
    """Who has to agree before a model goes live: section `[release.approval]`."""

    required: bool = False
    """Whether a person must agree."""

    approvers: tuple[str, ...] = ()
    """Who may: names or mail addresses as they give them; left empty, anybody but the author."""

    expires_hours: float = Field(default=72, gt=0, le=24 * 60)
    """For how long it can be given; silence is no approval."""

    allow_author: bool = False
    """Whether the author of the data may approve what was trained from them."""


class ReleaseSettings(Settings):
    """How a model that passed goes live."""

    refused_candidates: Literal["keep", "discard"] = "keep"
    """Keep a refused candidate on the service for review, or delete it."""

    mode: Literal["stable-id", "new-endpoint"] = "stable-id"
    """Change the model behind the endpoint, whose id stays, or make a new endpoint for each release."""

    staging: bool = True
    """Try the candidate on a short-lived second endpoint first."""

    golden_utterances: int = Field(default=3, ge=1, le=50)
    """How many testing recordings are sent through the endpoint before and after it goes live."""

    golden_tolerance_percent: float = Field(default=15.0, ge=0, le=100)
    """How far (WER) the endpoint's text may be from the evaluation's text for the same recordings."""

    golden_wer_tolerance_points: float = Field(default=10.0, ge=0, le=100)
    """How many points of WER more the endpoint may have on these recordings than the evaluation had."""

    maximum_latency_seconds: float = Field(default=30.0, gt=0, le=600)
    """The 95th percentile of the time that a golden utterance may take, from request to answer."""

    github_release: bool = False
    """Whether the repository that the data come from gets a GitHub release for each model that goes live."""

    approval: ApprovalSettings = ApprovalSettings()

    window: WindowSettings = WindowSettings()
    """When it may go live; outside, it waits."""

    keep_models: int = Field(default=5, ge=1, le=1000)
    """How many of the track's newest models are kept, beside those that are in use or can be gone back to."""

    @property
    def discards(self) -> bool:
        """Whether a refused candidate is deleted."""
        return self.refused_candidates == "discard"
