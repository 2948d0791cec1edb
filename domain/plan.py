"""Which flows a change of the data has to start: for each track testing first, then training, each at most once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.changes import Change, Difference, Part, TracksThere, differences, shown
from domain.naming import fingerprint
from domain.plan_notes import folder_notes, misspelt_notes
from domain.track import TRACK_NAME, Track

_NAMED = 3
"""Files in a reason; the others are counted."""


class FlowName(StrEnum):
    """The flows that a change of the data can start, in the order in which they run."""

    TESTING = "testing-update"
    TRAINING = "training-update"


_NEEDS = {
    FlowName.TESTING: frozenset({Part.TESTING}),
    FlowName.TRAINING: frozenset({Part.TESTING, Part.TRAINING}),
}
_OWN = {FlowName.TESTING: Part.TESTING, FlowName.TRAINING: Part.TRAINING}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(_Record):
    """Why a flow runs: what changed, some names of it, and how many there are in all.

    >>> print(Reason(what="testing", names=("a.wav", "b.wav"), count=7))
    testing: a.wav, b.wav and 5 more
    """

    what: str
    names: tuple[str, ...]
    count: int

    def __str__(self) -> str:
        more = self.count - len(self.names)
        return f"{self.what}: {', '.join(self.names)}" + (f" and {more} more" if more else "")


class PlannedRun(_Record):
    """One flow to run for one track at one revision."""

    track: str
    flow: FlowName
    revision: str
    reasons: tuple[Reason, ...]
    key: str
    """The idempotency key: SHA-256 (hex) of track, flow, revision, and of the occasion when there is one."""


class Plan(_Record):
    """What has to run, in this order, and what else people should know."""

    revision: str = ""
    runs: tuple[PlannedRun, ...] = ()
    notes: tuple[str, ...] = ()


SettingsPair = tuple[Track | None, Track | None]
"""A track's settings before and after; None when there are none, or they cannot be read."""


def make_plan(
    changes: Iterable[Change],
    there: TracksThere,
    *,
    revision: str,
    data: str = "data",
    settings: Mapping[str, SettingsPair] | None = None,
    occasion: str = "",
) -> Plan:
    """What has to run when these files changed.

    Args:
        changes: in any order; several of one path count as one.
        there: the tracks of the newer state, as `domain.changes.parts_of_tracks` finds them.
        revision: what the flows call the newer state.
        data: the folder of all tracks, relative to the repository.
        settings: of the tracks whose track.toml changed; without them, any change of that file runs both flows.
        occasion: makes other keys of the same runs, for a revision that has to be looked at again.
    """
    listed = tuple(changes)
    found, tracks = differences(listed, data), _tracks(there)
    wanted = {track: _reasons(found[track], (settings or {}).get(track)) for track in tracks if track in found}
    runs, notes = [], [*folder_notes(found, tracks, there), *misspelt_notes(listed, data)]
    for track, reasons in wanted.items():
        for flow, why in reasons.items():
            missing = sorted(_NEEDS[flow] - set(there[track]))
            if not missing:
                runs.append(_run(track, flow, revision, why, occasion))
            elif any(reason.what == _OWN[flow] for reason in why):
                notes += [f"{track}: no {flow}, for there are no {part.value} data" for part in missing]
    return Plan(revision=revision, runs=tuple(runs), notes=tuple(dict.fromkeys(notes)))


def make_retest_plan(there: TracksThere, tag: str, *, revision: str, occasion: str = "") -> Plan:
    """Test anew because a tag asks for it: the track that its name holds (`baseline/<track>`), else every track.

    Another `occasion` makes other keys of the same runs.

    >>> parts = {"taxi": [Part.TESTING, Part.SETTINGS], "bus": [Part.TESTING, Part.SETTINGS]}
    >>> [run.track for run in make_retest_plan(parts, "baseline/taxi/2026-11", revision="abc").runs]
    ['taxi']
    """
    tracks = [track for track in _tracks(there) if Part.TESTING in there[track]]
    named = [track for track in tracks if track in tag.split("/")[1:]]
    why = (Reason(what="tag", names=(shown(tag),), count=1),)
    asked = f"tag {tag}" + (f" {occasion}" if occasion else "")
    runs = (_run(track, FlowName.TESTING, revision, why, asked) for track in named or tracks)
    return Plan(revision=revision, runs=tuple(runs))


def run_key(track: str, flow: FlowName, revision: str, occasion: str = "") -> str:
    """The idempotency key of a run: whoever asks twice for the same run gets one.

    >>> run_key("taxi", FlowName.TESTING, "abc") == run_key("taxi", FlowName.TRAINING, "abc")
    False
    """
    return fingerprint("run", track, flow.value, revision, *([occasion] if occasion else []))


def settings_reasons(old: Track | None, new: Track | None) -> Mapping[FlowName, tuple[str, ...]]:
    """Which flows other settings run, and because of which of them; None stands for settings that are not known.

    Another language or base model is another measurement. Another gate, or another way to train, asks the last question
    anew. How a model goes live, reports, patience and description decide about neither.

    >>> [flow.value for flow in settings_reasons(None, None)]
    ['testing-update', 'training-update']
    """
    if old is None or new is None:
        return dict.fromkeys(FlowName, ("new" if new else "not comparable",))
    measured = _differing(
        old, new, {"locale": lambda track: track.locale, "model.base": lambda track: track.model.base}
    )
    decided = _differing(
        old, new, {"gate": lambda track: track.gate, "model.weight_percent": lambda track: track.model.weight_percent}
    )
    both = {FlowName.TESTING: measured, FlowName.TRAINING: (*measured, *decided)}
    return {flow: names for flow, names in both.items() if names}


def _differing(old: Track, new: Track, settings: Mapping[str, Callable[[Track], object]]) -> tuple[str, ...]:
    return tuple(name for name, read in settings.items() if read(old) != read(new))


def _tracks(there: TracksThere) -> list[str]:
    return sorted(track for track, parts in there.items() if Part.SETTINGS in parts and TRACK_NAME.fullmatch(track))


def _reasons(found: Difference, settings: SettingsPair | None) -> dict[FlowName, tuple[Reason, ...]]:
    changed = found.names(Part.SETTINGS)
    by_settings = settings_reasons(*(settings or (None, None))) if changed else {}
    told = {flow: [*_files(found, _OWN[flow]), *_settings(by_settings.get(flow, ()))] for flow in FlowName}
    return {flow: tuple(why) for flow, why in told.items() if why}


def _files(found: Difference, part: Part) -> Iterator[Reason]:
    if names := found.names(part):
        yield Reason(what=part.value, names=tuple(map(shown, names[:_NAMED])), count=len(names))


def _settings(names: tuple[str, ...]) -> Iterator[Reason]:
    if names:
        yield Reason(what=Part.SETTINGS.value, names=names, count=len(names))


def _run(track: str, flow: FlowName, revision: str, why: tuple[Reason, ...], occasion: str) -> PlannedRun:
    key = run_key(track, flow, revision, occasion)
    return PlannedRun(track=track, flow=flow, revision=revision, reasons=why, key=key)
