"""What is decided about one candidate or one measurement, kept as evidence, and what a flow run reports of it."""

from pydantic import BaseModel, ConfigDict

from domain.naming import fingerprint
from domain.track import Track
from domain.verdict import Verdict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelRef(_Record):
    """A model on the Speech service: its path (`models/<id>`) and its display name."""

    path: str
    name: str


class TrainedOn(_Record):
    """One training dataset: Azure's kind, content hash, the store's key of its bytes, lines or recordings, seconds of audio."""

    kind: str
    content_hash: str
    key: str
    items: int
    seconds: float = 0.0


class Subject(_Record):
    """What was measured: two models on one testing dataset. `sheet` holds its references and labels."""

    track: Track
    revision: str
    base: ModelRef
    benchmark: ModelRef
    candidate: ModelRef
    testing_hash: str
    testing: str
    """The store's key of the packed testing data."""
    sheet: str
    recipe: str
    """Hash of the candidate's recipe; empty when none is trained."""
    training: tuple[TrainedOn, ...] = ()
    """What the candidate learns from."""
    source: str = ""
    """Name of the data source's block; empty for a folder."""

    def measurement_identity(self, normaliser: str) -> str:
        """Hash of the track and all that its measurement depends on: a run that finds it does not measure again."""
        models = self.benchmark.path, self.candidate.path
        return fingerprint("measurement", self.track.name, *models, self.testing_hash, self.sheet, normaliser)

    def ruling_identity(self, normaliser: str) -> str:
        """Hash of the track and all that its decision depends on: a run that finds it neither trains nor decides again.

        Two tracks may have the same data and settings; a decision is never shared between them (docs/decisions/0015).
        """
        candidate = self.recipe or self.candidate.path
        models = self.base.path, self.benchmark.path, candidate
        data = self.testing_hash, self.sheet
        return fingerprint("ruling", self.track.name, *models, *data, self.track.gate.fingerprint, normaliser)


class Ruling(_Record):
    """A verdict with what it is about and the evidence that it rests on."""

    subject: Subject
    verdict: Verdict
    measurement: str
    """Digest of the bundle with the evaluation and both scorecards."""
    comparison: str = ""
    """Digest of the whole input of the verdict (`tasks.vault`), for a replay."""
    measures_only: bool = False
    """Whether only the evidence was checked, as by a testing update, and nothing was to be released."""


class Work(_Record):
    """What a run really had to do on the Speech service; everything else was found there already.

    >>> print(Work(uploaded=3, evaluated=1)), print(Work())
    uploaded 3, evaluated 1
    nothing: everything was there already
    (None, None)
    """

    uploaded: int = 0
    trained: int = 0
    evaluated: int = 0

    def __str__(self) -> str:
        done = [f"{name} {count}" for name, count in self if count]
        return ", ".join(done) or "nothing: everything was there already"


class Decision(_Record):
    """A ruling, its digest in the evidence, and what it took; `settled` when an earlier run had come to it."""

    digest: str
    ruling: Ruling
    work: Work = Work()
    settled: bool = False


class Report(_Record):
    """The result of `testing-update` and `training-update`.

    Rates are fractions. `released` says that the candidate is live now, by this run or an earlier one.
    """

    flow: str
    flow_run: str
    decision: Decision
    base_wer: float | None = None
    benchmark_wer: float | None = None
    candidate_wer: float | None = None
    released: bool = False
    endpoint: str | None = None
    """The live endpoint's path, once there is one."""
    address: str | None = None
    """Where clients reach it."""
    page: str = ""
    """The store's key of the HTML report."""
