"""What must hold after each plan, whatever went wrong in it. Each is a function of facts; it tells what does not hold."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domain.ledger import Entry, State, broken_link

LIVE_KINDS = ("release", "rollback")


@dataclass(frozen=True)
class Run:
    """A flow run, as far as invariants go.

    Attributes:
        flow: such as `training-update`.
        track: empty for `data-update`.
        revision: full commit that it works on; empty for a run that somebody started by hand.
        kind: Prefect's type of its state, such as COMPLETED.
        state: its name.
        message: what the state says.
        tags: of the run.
        by_hand: whether an operator has cancelled it or refused the model: then it owes nothing.
        began: when it was asked for, in seconds.
    """

    id: str
    flow: str
    track: str
    revision: str
    kind: str
    state: str
    message: str = ""
    tags: tuple[str, ...] = ()
    by_hand: bool = False
    began: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.kind in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class Facts:
    """Everything about one track after a plan.

    Attributes:
        track: its name.
        state: the head.
        history: every entry.
        endpoints: of the whole service, as it tells of them.
        models: of the whole service.
        broken: what `speechops verify` finds.
        runs: all that have to do with the track and its source.
        owed: flow and revision that pushes deserve.
        heard: what the live endpoint hears; None when there is none.
        expected: what it may be.
        engines: flow processes that still live, though no run goes on.
        scratch: temporary folders that nobody uses any more.
        complaints: what a client that transcribed throughout has to complain of.
    """

    track: str
    state: State
    history: Sequence[Entry] = ()
    endpoints: Sequence[dict[str, Any]] = ()
    models: Sequence[dict[str, Any]] = ()
    broken: Sequence[str] = ()
    runs: Sequence[Run] = ()
    owed: Sequence[tuple[str, str]] = ()
    heard: str | None = None
    expected: Sequence[str | None] = (None,)
    engines: Sequence[str] = ()
    scratch: Sequence[str] = ()
    complaints: Sequence[str] = ()


def endpoint_has_the_model_of_the_head(facts: Facts) -> Iterator[str]:
    """Clients have what the ledger says."""
    live = [one for one in facts.endpoints if one["displayName"] == f"{facts.track}-live"]
    models = [path_of(one["model"]) for one in live]
    wanted = [facts.state.release.model] if facts.state.release else []
    if models != wanted:
        yield f"the live endpoints have {models}, the head says {wanted}"


def endpoint_hears_what_it_was_taught(facts: Facts) -> Iterator[str]:
    """The newest data that earned it are live, and nothing else."""
    if facts.heard not in facts.expected:
        yield f"the live endpoint hears {facts.heard!r}, and should hear {' or '.join(map(repr, facts.expected))}"


def benchmark_is_what_is_live(facts: Facts) -> Iterator[str]:
    """The next candidate has to beat the live model."""
    state = facts.state
    if state.release and (state.benchmark is None or state.benchmark.model != state.release.model):
        yield f"the benchmark is {state.benchmark and state.benchmark.model}, live is {state.release.model}"


def history_is_whole(facts: Facts) -> Iterator[str]:
    """Each entry follows from the one before, up to the head, and tells of every release once."""
    if (broken := broken_link(facts.history)) is not None:
        yield f"entry {broken} does not follow from the one before"
    if facts.history and facts.state.last and facts.history[-1].digest != facts.state.last.digest:
        yield "the history does not end with the head's entry"
    told = [entry.kind for entry in facts.history if entry.kind in LIVE_KINDS]
    releases = [facts.state.release, *facts.state.previous_releases] if facts.state.release else []
    numbers = [release.number for release in releases]
    if numbers != list(range(len(told), 0, -1)):
        yield f"releases {numbers} in the head, {told} in the history"


def verify_is_clean(facts: Facts) -> Iterator[str]:
    """`speechops verify` finds nothing."""
    yield from (f"speechops verify: {one}" for one in facts.broken)


def nothing_of_another_track(facts: Facts) -> Iterator[str]:
    """Models, endpoint and releases are the track's own."""
    owners = {path_of(one): (one.get("customProperties") or {}).get("track") for one in facts.models}
    releases = [facts.state.release, *facts.state.previous_releases] if facts.state.release else []
    for release in releases:
        if owners.get(release.model, facts.track) != facts.track or not release.model_name.startswith(
            f"{facts.track}-"
        ):
            yield f"release {release.number} is '{release.model_name}', a model of {owners.get(release.model)}"
    for endpoint in facts.endpoints:
        if endpoint["displayName"].startswith(f"{facts.track}-"):
            owner = owners.get(path_of(endpoint["model"]))
            if owner not in (facts.track, None):
                yield f"'{endpoint['displayName']}' has a model of '{owner}'"


def no_model_is_trained_twice(facts: Facts) -> Iterator[str]:
    """One recipe is one model."""
    made = Counter(
        (one["customProperties"].get("track"), one["customProperties"].get("contentHash"))
        for one in facts.models
        if one.get("customProperties") and one["status"] != "Failed"
    )
    for (track, recipe), count in made.items():
        if track == facts.track and count > 1:
            yield f"{count} models of the recipe {str(recipe)[:12]}"


def every_push_ends_in_its_runs(facts: Facts) -> Iterator[str]:
    """What a push deserves is begun exactly once."""
    begun = Counter((run.flow, run.revision) for run in facts.runs if run.track == facts.track and run.revision)
    for (flow, revision), count in begun.items():
        if count > 1:
            yield f"{count} runs of {flow} for {revision[:12]}"
    for wanted in facts.owed:
        if not begun[wanted]:
            yield f"no run of {wanted[0]} for {wanted[1][:12]}"


def every_run_ends_well(facts: Facts) -> Iterator[str]:
    """Completed, unless a person wanted otherwise: trouble of the infrastructure is no end.

    A run of data-update looks at the source itself, so that a later one makes good what one has missed.
    """
    looked = max((run.began for run in facts.runs if run.flow == "data-update" and run.kind == "COMPLETED"), default=0)
    for run in facts.runs:
        made_good = run.by_hand or (run.flow == "data-update" and run.began < looked)
        if run.is_over and run.kind != "COMPLETED" and not made_good:
            yield f"{run.flow} {run.id} of '{run.track}' ended as {run.state}: {run.message[:300]}"


def every_run_is_over(facts: Facts) -> Iterator[str]:
    """Nothing waits for what never comes, nothing holds a turn."""
    for run in facts.runs:
        if not run.is_over:
            turn = [tag for tag in run.tags if tag.startswith("turn:")]
            yield f"{run.flow} {run.id} is {run.state}{f' and holds {turn[0]}' if turn else ''}: {run.message[:200]}"


def nothing_is_pending(facts: Facts) -> Iterator[str]:
    """No release is half made."""
    if facts.state.pending:
        yield f"the head has a pending {facts.state.pending.kind} of '{facts.state.pending.model_name}'"


def no_staging_endpoint_stays(facts: Facts) -> Iterator[str]:
    """They are charged by the hour."""
    names = [one["displayName"] for one in facts.endpoints if one["displayName"].startswith(f"{facts.track}-")]
    yield from (f"endpoint '{name}' stays" for name in names if name != f"{facts.track}-live")


def no_process_stays(facts: Facts) -> Iterator[str]:
    """Flow processes end with their runs."""
    yield from (f"process {one} still lives" for one in facts.engines)


def no_temporary_folder_stays(facts: Facts) -> Iterator[str]:
    """Data of speakers do not lie about."""
    yield from (f"temporary folder {one} stays" for one in facts.scratch)


def no_client_saw_an_error(facts: Facts) -> Iterator[str]:
    """A client that transcribes throughout notices nothing, but that it is better understood."""
    yield from (f"a client was told {one}" for one in facts.complaints)


Invariant = Callable[[Facts], Iterator[str]]
INVARIANTS: tuple[Invariant, ...] = (
    endpoint_has_the_model_of_the_head,
    endpoint_hears_what_it_was_taught,
    benchmark_is_what_is_live,
    history_is_whole,
    verify_is_clean,
    nothing_of_another_track,
    no_model_is_trained_twice,
    every_push_ends_in_its_runs,
    every_run_ends_well,
    every_run_is_over,
    nothing_is_pending,
    no_staging_endpoint_stays,
    no_process_stays,
    no_temporary_folder_stays,
    no_client_saw_an_error,
)


def violations(facts: Facts) -> list[str]:
    """Everything that does not hold, each with the name of its invariant."""
    return [f"{one.__name__}: {told}" for one in INVARIANTS for told in one(facts)]


def path_of(entity: dict[str, Any]) -> str:
    """`models/<id>` of anything with a `self`."""
    return "/".join(str(entity["self"]).partition("?")[0].partition("/speechtotext/")[2].split("/")[-2:])
