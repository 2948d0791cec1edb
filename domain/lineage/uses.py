"""What came of a recording, a commit, a dataset or a model, and what it came from: one answer for all of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import Entry, Release, State
from domain.ruling import ModelRef, Ruling

Kind = Literal["recording", "commit", "dataset", "model"]
_COMMIT_DIGITS: Final = 12
"""Of a revision, as snapshots note it."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetUse(_Record):
    """A dataset, by what it is for."""

    content_hash: str
    role: Literal["training", "testing"]
    kind: str
    """Azure's: Acoustic, Language or Pronunciation."""
    tracks: tuple[str, ...]
    recordings: tuple[str, ...] = ()
    """What it calls the recording that was asked about."""


class VerdictUse(_Record):
    """A verdict, or a measurement that decides nothing, with the evaluation that it rests on."""

    digest: str
    track: str
    outcome: str
    candidate: str
    benchmark: str
    revision: str
    evaluation: str
    """Digest of what was measured."""
    at: datetime | None = None
    flow_run: str = ""


class ModelUse(_Record):
    """A model that was trained, with what it learnt from."""

    name: str
    path: str
    track: str
    revision: str
    training: tuple[str, ...]
    """Content hashes."""
    live: bool


class ReleaseUse(_Record):
    """A model that went live."""

    track: str
    number: int
    version: str
    model: str
    kind: str
    at: datetime
    live: bool


class Uses(_Record):
    """The answer of `speechops used-by`; every list in the order of time."""

    asked: str
    kind: Kind
    name: str
    """What was found by what was asked."""
    datasets: tuple[DatasetUse, ...] = ()
    verdicts: tuple[VerdictUse, ...] = ()
    models: tuple[ModelUse, ...] = ()
    releases: tuple[ReleaseUse, ...] = ()
    unread: tuple[str, ...] = ()
    """Evidence that could not be searched."""

    @property
    def live(self) -> tuple[str, ...]:
        """Tracks whose live model is among them."""
        return tuple(dict.fromkeys(one.track for one in self.releases if one.live))


@dataclass(frozen=True, slots=True)
class Told:
    """One ruling with the track's head, and the entry of the ledger that tells of it first."""

    digest: str
    ruling: Ruling
    state: State
    entry: Entry | None = None

    @property
    def datasets(self) -> frozenset[str]:
        """Content hashes of all that went into it."""
        subject = self.ruling.subject
        return frozenset([subject.testing_hash, *(one.content_hash for one in subject.training)])

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The models that it is about."""
        subject = self.ruling.subject
        return subject.candidate, subject.benchmark, subject.base


def told_by(rulings: Mapping[str, Ruling], entries: Sequence[Entry], state: State) -> list[Told]:
    """The rulings of a track, in the order of its history."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(str(entry.facts.get("ruling", "")), entry)
    return [Told(digest, ruling, state, first.get(digest)) for digest, ruling in rulings.items()]


def models_called(told: Iterable[Told], name: str) -> list[str]:
    """The paths of the models of this name, path, or id."""
    known = {ref for one in told for ref in one.models if ref.path}
    return sorted({ref.path for ref in known if name in (ref.name, ref.path, ref.path.rpartition("/")[2])})


def revisions_like(told: Iterable[Told], entries: Iterable[Entry], asked: str) -> list[str]:
    """The revisions that begin like this; a full commit finds the short one that was noted."""
    known = {one.ruling.subject.revision for one in told} | {one.revision for one in entries}
    found = {one for one in known if one and (one.startswith(asked) or _is_short_for(one, asked))}
    return [asked] if asked in found else sorted(found)


def _is_short_for(revision: str, commit: str) -> bool:
    return len(revision) >= _COMMIT_DIGITS and len(commit) > len(revision) and commit.startswith(revision)


def uses_of_model(told: Sequence[Told], paths: Sequence[str]) -> list[Told]:
    """All rulings about a model, whatever part it has in them."""
    return [one for one in told if any(ref.path in paths for ref in one.models)]


def uses_of_data(told: Sequence[Told], hashes: Iterable[str]) -> list[Told]:
    """All rulings that datasets went into."""
    wanted = frozenset(hashes)
    return [one for one in told if one.datasets & wanted]


def datasets_of(chosen: Iterable[Told], only: Mapping[str, Sequence[str]] | None = None) -> tuple[DatasetUse, ...]:
    """The datasets of rulings; `only` those of these content hashes, with the names that a recording has in them."""
    found: dict[tuple[str, str], DatasetUse] = {}
    for role, kind, content_hash, track in (part for one in chosen for part in _parts(one.ruling)):
        if only is not None and content_hash not in only:
            continue
        held = found.get((role, content_hash))
        tracks = dict.fromkeys([*(held.tracks if held else ()), track])
        names = tuple(only[content_hash]) if only else ()
        found[role, content_hash] = DatasetUse(
            content_hash=content_hash, role=role, kind=kind, tracks=tuple(tracks), recordings=names
        )
    return tuple(found.values())


def _parts(ruling: Ruling) -> Iterator[tuple[Literal["training", "testing"], str, str, str]]:
    subject = ruling.subject
    yield "testing", "Acoustic", subject.testing_hash, subject.track.name
    for one in subject.training:
        yield "training", one.kind, one.content_hash, subject.track.name


def verdicts_of(chosen: Iterable[Told]) -> tuple[VerdictUse, ...]:
    """What was decided."""
    return tuple(_verdict(one) for one in chosen)


def _verdict(told: Told) -> VerdictUse:
    ruling, entry = told.ruling, told.entry
    return VerdictUse(
        digest=told.digest,
        track=told.state.track,
        outcome="measured" if ruling.measures_only else ruling.verdict.outcome.value,
        candidate=ruling.verdict.candidate,
        benchmark=ruling.verdict.benchmark,
        revision=ruling.subject.revision,
        evaluation=ruling.measurement,
        at=entry.at if entry else None,
        flow_run=entry.flow_run if entry else "",
    )


def models_of(chosen: Iterable[Told]) -> tuple[ModelUse, ...]:
    """The models that were trained, each once."""
    found: dict[str, ModelUse] = {}
    for one in chosen:
        subject, live = one.ruling.subject, one.state.release
        if subject.recipe and subject.candidate.path:
            found[subject.candidate.path] = ModelUse(
                name=subject.candidate.name,
                path=subject.candidate.path,
                track=one.state.track,
                revision=subject.revision,
                training=tuple(part.content_hash for part in subject.training),
                live=live is not None and live.model == subject.candidate.path,
            )
    return tuple(found.values())


def releases_of(states: Iterable[State], belongs: Callable[[Release], bool]) -> tuple[ReleaseUse, ...]:
    """What went live and belongs to the answer, the oldest first."""
    return tuple(
        ReleaseUse(
            track=state.track, number=one.number, version=one.version, model=one.model_name, kind=one.kind,
            at=one.released_at, live=one == state.release,
        )
        for state in states
        for one in (*reversed(state.previous_releases), *([state.release] if state.release else []))
        if belongs(one)
    )  # fmt: skip
