"""What planned runs would cost at most: bytes to upload, trainings, evaluations. The history tells what is done already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from domain.ledger import Entry, State
from domain.naming import model_identity
from domain.plan import FlowName, PlannedRun


@dataclass(frozen=True, slots=True)
class Dataset:
    """A packed dataset: 64 hex digits, bytes, seconds of audio, and whether the store has had it before."""

    content_hash: str
    size: int
    seconds: float
    known: bool

    @property
    def to_upload(self) -> int:
        """Bytes."""
        return 0 if self.known else self.size


class Cost(BaseModel):
    """What one run would ask of the Speech service, at most: it may find there what the history does not tell of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upload_bytes: int = 0
    trainings: int = 0
    evaluations: int = 0
    audio_seconds: float = 0.0
    """Recordings to evaluate, once per evaluation; each is heard by two models."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A track as it stands: the head of its history with all entries, its data, and how candidates are weighted."""

    state: State
    history: Sequence[Entry]
    testing: Dataset
    training: Sequence[Dataset]
    weight_percent: int | None

    @property
    def is_measured(self) -> bool:
        """Whether the benchmark's result is one on these testing data."""
        benchmark = self.state.benchmark
        return benchmark is not None and benchmark.testing_hash == self.testing.content_hash

    @property
    def rivals(self) -> bool:
        """Whether the benchmark is another model than the base model, which then has to be measured as well."""
        benchmark = self.state.benchmark
        return benchmark is not None and benchmark.model != self.state.base_model

    def tested(self) -> Mapping[str, set[str]]:
        """The recipes that were judged, each with the testing data (hashes) that it was judged on."""
        judged: dict[str, set[str]] = {}
        for entry in self.history:
            if entry.kind == FlowName.TRAINING:
                judged.setdefault(str(entry.facts.get("recipe")), set()).add(str(entry.facts.get("testing")))
        return judged

    def recipe(self) -> str:
        """The hash of what a candidate would be trained from; empty while no base model is known."""
        if not self.state.base_model:
            return ""
        base = self.state.base_model.rpartition("/")[2]
        hashes = (dataset.content_hash for dataset in self.training)
        return model_identity(self.state.track, base, "", hashes, self.weight_percent).content_hash


def costs(standing: Standing, runs: Sequence[PlannedRun]) -> Mapping[FlowName, Cost]:
    """What the runs of one track would cost, by flow; what the first uploads or measures, the second finds.

    Args:
        standing: the track now.
        runs: what is planned for it.
    """
    other_base = any("model.base" in reason.names for run in runs for reason in run.reasons)
    flows = {run.flow for run in runs}
    found = {}
    if FlowName.TESTING in flows:
        found[FlowName.TESTING] = _testing(standing, measured=standing.is_measured and not other_base)
    if FlowName.TRAINING in flows:
        found[FlowName.TRAINING] = _training(standing, retested=FlowName.TESTING in flows, other_base=other_base)
    return found


def _testing(standing: Standing, *, measured: bool) -> Cost:
    evaluations = 0 if measured else 1
    return Cost(
        upload_bytes=standing.testing.to_upload,
        evaluations=evaluations,
        audio_seconds=evaluations * standing.testing.seconds,
    )


def _training(standing: Standing, *, retested: bool, other_base: bool) -> Cost:
    judged_on = None if other_base else standing.tested().get(standing.recipe())
    is_judged = judged_on is not None and standing.testing.content_hash in judged_on
    beside = standing.rivals and not retested and not (standing.is_measured and not other_base)
    evaluations = 0 if is_judged else 1 + beside
    own = sum(dataset.to_upload for dataset in standing.training)
    return Cost(
        upload_bytes=own + (0 if retested else standing.testing.to_upload),
        trainings=0 if judged_on is not None else 1,
        evaluations=evaluations,
        audio_seconds=evaluations * standing.testing.seconds,
    )
