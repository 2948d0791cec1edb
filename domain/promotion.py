"""Where else a track's live model goes: other Speech resources and regions, each a line with a history of its own."""

from collections.abc import Collection, Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.mistakes import Mistake
from domain.settings import Settings

LONGEST_LINE = 40
"""Letters of a line's name; it is part of names on the service, as a track's is."""

Outcome = Literal["Released", "Already live", "Refused", "Rejected", "Expired", "Stale", "Planned", "Failed"]
_WORST_FIRST: tuple[Outcome, ...] = (
    "Failed", "Refused", "Rejected", "Expired", "Stale", "Planned", "Released", "Already live",
)  # fmt: skip


class PromotionTarget(Settings):
    """One resource: an entry of `promotion` in `track.toml`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """What people call it, such as `prod` or `westeurope`; the line is named `<track>-<name>`."""

    speech: str = Field(min_length=1, max_length=200)
    """Name of its Speech Resource block."""

    tolerance_points: float = Field(default=0.5, ge=0, le=100)
    """How far (points of WER) the copy may be from the model at home on the same recordings."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(_Record):
    """What became of a promotion at one target. Rates are fractions."""

    target: str
    line: str
    outcome: Outcome
    told: str
    """Why, for people."""
    model: str = ""
    """Display name of the copy there."""
    home_wer: float | None = None
    there_wer: float | None = None
    """The copy's, on the same recordings."""
    former_wer: float | None = None
    """Of what was live there until now, or of the base model."""
    ruling: str = ""
    """Digest of the verdict there."""
    release: int | None = None
    endpoint: str = ""
    """Path."""


class PromotionReport(_Record):
    """The result of `promote`: one verdict for each target."""

    track: str
    model: str
    """Display name at home."""
    version: str
    flow_run: str
    regions: tuple[Region, ...]

    @property
    def worst(self) -> Outcome:
        """The outcome that the run is called by."""
        return min((region.outcome for region in self.regions), key=_WORST_FIRST.index)

    @property
    def summary(self) -> str:
        """Each target with its outcome; why, where nothing went live.

        >>> region = Region(target="prod", line="taxi-prod", outcome="Refused", told="WER rose")
        >>> PromotionReport(track="taxi", model="m", version="1.0.0", flow_run="", regions=(region,)).summary
        'prod: Refused (WER rose)'
        """
        return "; ".join(
            f"{one.target}: {one.outcome}" + ("" if one.outcome in ("Released", "Already live") else f" ({one.told})")
            for one in self.regions
        )


def line_name(track: str, target: str) -> str:
    """The name under which the target's history is kept, and its endpoint made.

    Raises:
        Mistake: it would be too long.
    """
    name = f"{track}-{target}"
    if len(name) > LONGEST_LINE:
        raise Mistake(
            f"'{name}' has {len(name)} letters, and the name of a promoted track has {LONGEST_LINE} at most. Shorten the "
            f"target's name '{target}' in track.toml."
        )
    return name


def chosen(targets: Collection[PromotionTarget], wanted: str, track: str) -> tuple[PromotionTarget, ...]:
    """The targets to promote to: the one of that name, or all.

    Raises:
        Mistake: there is none.
    """
    found = tuple(target for target in targets if wanted in ("", target.name))
    if found:
        return found
    known = ", ".join(target.name for target in targets)
    if known:
        raise Mistake(f"track '{track}' has no promotion target {wanted[:80]!a} (known: {known}). Correct the name.")
    raise Mistake(
        f"track '{track}' has no promotion targets. Name them in its track.toml: "
        'promotion = [{ name = "prod", speech = "<name of a Speech Resource block>" }]'
    )


def refuse_collision(line: str, tracks: Iterable[str]) -> None:
    """A line must not share its history with a real track.

    Raises:
        Mistake: there is a track of that name.
    """
    if line in tracks:
        raise Mistake(
            f"'{line}' is a track of its own, so nothing can be promoted under that name. Rename the target in track.toml."
        )


def refuse_promoted(track: str, speech: str) -> None:
    """A track must not be trained under a name to which another track's model was promoted.

    Args:
        track: its name.
        speech: name of the Speech Resource block that its head has; empty for a track that was not promoted.

    Raises:
        Mistake: it has that name.
    """
    if speech:
        raise Mistake(
            f"'{track}' is the name under which another track's model was promoted to the Speech resource of block "
            f"'{speech}', so it cannot be trained or tested here. Rename the folder of this track, or that target."
        )


def apart(home: float | None, there: float | None, tolerance_points: float) -> str:
    """Why a copy is not what it is at home; empty when it is.

    Args:
        home: WER of the model at home, as a fraction.
        there: of the copy, on the same recordings.
        tolerance_points: how far they may be apart.

    >>> apart(0.104, 0.106, 0.5), apart(0.104, 0.12, 0.5)
    ('', 'the copy has a WER of 12.0%, the model at home 10.4% on the same recordings; 0.5 points apart are allowed')
    """
    if home is None or there is None:
        return "the WER at home, or there, is not known"
    if abs(there - home) * 100 <= tolerance_points + 1e-9:
        return ""
    return (
        f"the copy has a WER of {there:.1%}, the model at home {home:.1%} on the same recordings; {tolerance_points:g} points "
        "apart are allowed"
    )
