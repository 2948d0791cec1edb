"""The track's history: append-only, every entry carries the hash of the one before.

`State` is the head that `state.json` holds. It changes by compare-and-swap and carries its last entry inside, so that
release, benchmark and history change together or not at all; `ledger/<n>.json` is written from it afterwards, and
whoever appends next makes good what a crash left out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.latency import Latency
from domain.ruling import ModelRef


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Benchmark(_Record):
    """The model that a candidate must beat, with its result on the current testing data."""

    model: str
    """Path on the Speech service, such as `models/base/<id>`."""
    model_name: str
    wer: float
    """As a fraction: 0.105 is 10.5 %."""
    words: int
    testing_hash: str
    evidence: str


Kind = Literal["release", "rollback"]
"""How a model came to be live: it passed, or an earlier one was gone back to."""


class Release(_Record):
    """A model that went live on the track's endpoint. What an older speechops did not note is left empty."""

    number: int
    model: str
    model_name: str
    recipe: str
    """Hash of what the model was trained from; the same recipe is never trained twice."""
    endpoint: str
    evidence: str
    """Digest of the ruling that let it go live."""
    revision: str
    released_at: datetime
    kind: Kind = "release"
    version: str = ""
    """Semantic version of the model, which a rollback takes along (`domain.versions`)."""
    base_model: str = ""
    """Path of the base model that it was trained from."""
    wer: float | None = None
    """As a fraction, on the testing data of the ruling."""
    approval: str = ""
    """Id of the approval, when one was asked for."""
    latency: Latency | None = None
    """Of the golden utterances on the live endpoint."""
    reason: str = ""
    """Of a rollback, in the words of whoever asked for it."""
    by: str = ""
    """Who asked for a rollback, as they call themselves."""
    card: str = ""
    """Digest of its card in the evidence."""

    @property
    def ref(self) -> ModelRef:
        """Its model."""
        return ModelRef(path=self.model, name=self.model_name)


class Withdrawn(_Record):
    """A model that was taken back: it does not go live again by itself, however often its verdict says PASS."""

    model: str
    model_name: str
    recipe: str
    version: str
    reason: str
    at: datetime
    evidence: str = ""
    """Digest of the ruling that had let it go live."""


class Pending(_Record):
    """A release that was begun: the endpoint may already serve the model, but nobody has verified it."""

    model_name: str
    evidence: str
    kind: Kind = "release"
    flow_run: str = ""
    """Who is at it."""
    approval: str = ""
    reason: str = ""
    by: str = ""
    """Who asked for a rollback, as they call themselves."""
    takes_back: Withdrawn | None = None
    """What a rollback takes back, once it is done."""


class News(_Record):
    """What happened, told by whoever appends it to the history."""

    kind: str
    flow_run: str
    revision: str
    facts: dict[str, Any] = {}


class Entry(News):
    """One line of the history; `writer` is the token of the append that made it, unique to that append.

    >>> first = Entry(number=1, previous="", writer="w1", kind="release", at="2026-11-20", flow_run="", revision="")
    >>> second = first.model_copy(update={"number": 2, "previous": first.digest})
    >>> broken_link([first, second]), broken_link([first.model_copy(update={"revision": "forged"}), second])
    (None, 2)
    """

    number: int
    previous: str
    writer: str
    at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the entry's canonical JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class State(_Record):
    """A track's current head. `generation` counts its changes; models and endpoints are paths such as `models/<id>`."""

    track: str
    generation: int = 0
    base_model: str | None = None
    endpoint: str | None = None
    benchmark: Benchmark | None = None
    release: Release | None = None
    pending: Pending | None = None
    """A release that was begun; whoever runs next finishes it, or takes it back."""
    previous_releases: tuple[Release, ...] = ()
    """The newest first."""
    withdrawn: tuple[Withdrawn, ...] = ()
    speech: str = ""
    """Name of the Speech Resource block on which a promoted track lives; empty for one that is trained."""
    last: Entry | None = None

    def benchmark_or(self, base: ModelRef) -> ModelRef:
        """The model to beat: the benchmark, or the pinned base model while there is none."""
        return ModelRef(path=self.benchmark.model, name=self.benchmark.model_name) if self.benchmark else base

    def appended(self, news: News, writer: str, at: datetime, changes: Mapping[str, Any]) -> "State":
        """The next state: one more entry in the history, and `changes` to the head."""
        number, previous = (self.last.number, self.last.digest) if self.last else (0, "")
        entry = Entry(number=number + 1, previous=previous, writer=writer, at=at, **dict(news))
        return State.model_validate(dict(self) | dict(changes) | {"generation": self.generation + 1, "last": entry})

    def withdrawal_of(self, recipe: str) -> Withdrawn | None:
        """Why the model of that recipe was taken back; None when it was not, or is welcome again."""
        return next((one for one in self.withdrawn if one.recipe == recipe), None)

    def models_to_keep(self) -> frozenset[str]:
        """Paths of the models that are, or were, in use: benchmark, release, earlier releases."""
        releases = (*self.previous_releases, *([self.release] if self.release else []))
        return frozenset([release.model for release in releases] + ([self.benchmark.model] if self.benchmark else []))

    def released(self, release: Release, benchmark: Benchmark) -> dict[str, Any]:
        """The changes to the head that a release makes."""
        previous = (self.release, *self.previous_releases) if self.release else self.previous_releases
        return {
            "release": release,
            "benchmark": benchmark,
            "endpoint": release.endpoint,
            "previous_releases": previous,
            "pending": None,
        }


def broken_link(entries: Iterable[Entry]) -> int | None:
    """The number of the first entry that does not follow from the one before; None when the chain holds."""
    number, digest = 0, ""
    for entry in entries:
        if entry.number != number + 1 or entry.previous != digest:
            return entry.number
        number, digest = entry.number, entry.digest
    return None
