"""A track's settings: `data/<track>/track.toml`, read once, refused when anything in it is unknown."""

import re
import tomllib
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from domain.mistakes import Mistake
from domain.policy import GatePolicy as GatePolicy
from domain.problems import Problem
from domain.promotion import PromotionTarget
from domain.release_policy import ReleaseSettings
from domain.settings import Settings
from domain.text_lines import read_lines
from domain.watch_policy import WatchSettings

MOST_SETTINGS = 65_536
"""Bytes of a `track.toml`: one that explains every setting has about 10,000."""

_MOST_DOTS = 100
"""In one line. Python's TOML reader needs time and memory with the square of the names in a dotted key."""

_MOST_TOLD = 20
"""Settings that are wrong, in one message."""

_YEAR = 24 * 365
"""Hours."""

TRACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class ModelSettings(Settings):
    """How candidates are trained."""

    base: str = "newest"
    """`newest`, or the display name of a base model (such as `20250612`) to pin it for good."""

    weight_percent: int | None = Field(default=None, ge=1, le=100)
    """Azure's `customModelWeightPercent`; left out, the service decides."""


class Patience(Settings):
    """How many hours each kind of job may take before we give up waiting (it may still finish)."""

    dataset_hours: float = Field(default=4, gt=0, le=_YEAR)
    model_hours: float = Field(default=168, gt=0, le=_YEAR)
    evaluation_hours: float = Field(default=24, gt=0, le=_YEAR)
    endpoint_hours: float = Field(default=2, gt=0, le=_YEAR)

    def of(self, job: Literal["dataset", "model", "evaluation", "endpoint"]) -> timedelta:
        """The patience for one kind of job."""
        return timedelta(hours=getattr(self, f"{job}_hours"))


class ReportSettings(Settings):
    """What reports show."""

    transcripts: bool = True
    """Whether reports and artifacts may show what people said; otherwise they hold counts only."""


class Track(Settings):
    """One model line: its locale, how it is trained, judged and released."""

    name: str = Field(pattern=rf"^{TRACK_NAME.pattern}$")
    locale: str = Field(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}$")
    description: str = ""
    model: ModelSettings = ModelSettings()
    gate: GatePolicy = GatePolicy()
    release: ReleaseSettings = ReleaseSettings()
    watch: WatchSettings = WatchSettings()
    report: ReportSettings = ReportSettings()
    patience: Patience = Patience()
    promotion: tuple[PromotionTarget, ...] = ()
    """Other Speech resources to which `promote` brings the live model."""

    @field_validator("promotion")
    @classmethod
    def _has_each_once(cls, targets: tuple[PromotionTarget, ...]) -> tuple[PromotionTarget, ...]:
        if len({target.name for target in targets}) < len(targets):
            raise ValueError("each target needs a name of its own")
        return targets

    def retrained_from(self, base: str) -> "Track":
        """The settings of one training from another base model: it need not be better than what is live, only not worse.

        Args:
            base: `newest`, or a base model's display name; left empty, nothing is another.
        """
        if not base:
            return self
        model = self.model.model_copy(update={"base": base})
        gate = self.gate.model_copy(update={"mode": "non-inferiority"})
        return self.model_copy(update={"model": model, "gate": gate})


def check_name(track: str) -> None:
    """Refuse what cannot be a track's name, for it becomes part of paths and of names on the service.

    Raises:
        Mistake: it is none; the message tells what one looks like.
    """
    if not TRACK_NAME.fullmatch(track):
        raise Mistake(
            f"{track[:80]!a} is not a track's name: it starts with a lower-case letter, and has only lower-case letters, "
            "digits and dashes, 40 at most, such as 'city-taxi'."
        )


def parse_track(name: str, data: bytes, file: str) -> Track:
    """Read a `track.toml`: UTF-8, with or without a byte-order mark.

    Args:
        name: the track's name.
        data: the file's bytes.
        file: what to call it in messages.

    Raises:
        Mistake: what is wrong, with the file, the field and the remedy.
    """
    return _valid(Track, {**_toml(_text(data, file), file), "name": name}, file)


def parse_policy(data: bytes, file: str) -> tuple[GatePolicy, str | None]:
    """Read the gate's policy from a `track.toml`, or from a file that holds the settings of `[gate]` alone.

    Returns:
        The policy, and the locale when it is a track's file.

    Raises:
        Mistake: what is wrong, with the file, the field and the remedy.
    """
    settings = _toml(_text(data, file), file)
    if "locale" in settings:
        track = parse_track("policy", data, file)
        return track.gate, track.locale
    return _valid(GatePolicy, settings["gate"] if settings.keys() == {"gate"} else settings, file), None


_S = TypeVar("_S", bound=BaseModel)


def _valid(kind: type[_S], settings: object, file: str) -> _S:
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        found = [_told(problem["loc"], problem["msg"]) for problem in error.errors()[:_MOST_TOLD]]
        problems = "; ".join(found) + ("; and more" if error.error_count() > _MOST_TOLD else "")
        raise Mistake(
            f"{file}: {problems}. `speechops init` writes a track.toml that explains every setting."
        ) from None


def _text(data: bytes, file: str) -> str:
    if len(data) > MOST_SETTINGS:
        raise Mistake(
            f"{file}: it is larger than {MOST_SETTINGS:,} bytes, the most that settings may have. Shorten it."
        )
    problems: list[Problem] = []
    lines = read_lines(data, file, problems)  # reading a line checks it
    dotted = [line.number for line in lines if line.text.count(".") > _MOST_DOTS]
    if dotted:
        raise Mistake(f"{file}:{dotted[0]}: the line has more than {_MOST_DOTS} dots. Divide it.")
    if problems:
        raise Mistake(str(problems[0]))
    return data.decode("utf-8-sig")


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{file}: this is not valid TOML: {error}. Correct the line and run again.") from None
    except RecursionError:
        raise Mistake(
            f"{file}: a list or table in it is nested too deeply. No setting needs that: remove it."
        ) from None
    except ValueError:  # Python refuses integers of over 4,300 digits
        raise Mistake(f"{file}: a number in it has too many digits. No setting needs that: correct it.") from None


def _told(location: tuple[str | int, ...], message: str) -> str:
    name = ".".join(str(part)[:60] for part in location)
    return f"`{name}`: {message.removeprefix('Value error, ')[:300]}"
