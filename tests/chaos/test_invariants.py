"""That the checks of chaos can fail: each invariant, on facts in which it is broken; and that plans are what they say."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.ledger import Benchmark, News, Pending, Release, State
from tests.chaos.figures import BEGIN, END, PAGE, table, write
from tests.chaos.invariants import INVARIANTS, Facts, Run, violations
from tests.chaos.plans import FLOWS, KINDS, all_plans, counts

COMMIT = "c0ffee" * 6
HERE = "http://speech/speechtotext"


def model(number: int, track: str = "places") -> dict[str, Any]:
    """As the service tells of it."""
    properties = {"track": track, "contentHash": f"{number}" * 64}
    return {"self": f"{HERE}/models/{number}?api-version=1", "status": "Succeeded", "customProperties": properties}


def endpoint(name: str, number: int) -> dict[str, Any]:
    """One with that model."""
    return {"displayName": name, "model": {"self": f"{HERE}/models/{number}"}}


def released() -> State:
    """A head after one release."""
    at = datetime(2026, 11, 30, tzinfo=UTC)
    release = Release(
        number=1, model="models/1", model_name="places-model-1", recipe="1" * 64, endpoint="endpoints/1", evidence="e",
        revision=COMMIT, released_at=at,
    )  # fmt: skip
    benchmark = Benchmark(
        model="models/1", model_name="places-model-1", wer=0.1, words=9, testing_hash="t", evidence="e"
    )
    news = News(kind="release", flow_run="", revision=COMMIT)
    return State(track="places").appended(news, "w", at, State(track="places").released(release, benchmark))


def whole() -> Facts:
    """Everything as it must be."""
    state = released()
    assert state.last
    return Facts(
        track="places",
        state=state,
        history=(state.last,),
        endpoints=(endpoint("places-live", 1), endpoint("others-live", 2)),
        models=(model(1), model(2, "others")),
        runs=(
            Run("a", "data-update", "", "", "COMPLETED", "Started"),
            Run("b", "training-update", "places", COMMIT, "COMPLETED", "Released"),
        ),
        owed=(("training-update", COMMIT),),
        heard="xanadu uh",
        expected=("xanadu uh",),
    )


def with_run(**changes: Any) -> Facts:
    """The training run was another."""
    first, run = whole().runs
    return replace(whole(), runs=(first, replace(run, **changes)))


PENDING = Pending(model_name="places-model-2", evidence="e")
FORGED = [entry.model_copy(update={"revision": "forged"}) for entry in whole().history]

BROKEN: dict[str, Facts] = {
    "endpoint_has_the_model_of_the_head": replace(whole(), endpoints=(endpoint("places-live", 3),)),
    "endpoint_hears_what_it_was_taught": replace(whole(), heard="uh uh"),
    "benchmark_is_what_is_live": replace(whole(), state=released().model_copy(update={"benchmark": None})),
    "history_is_whole": replace(whole(), history=FORGED),
    "verify_is_clean": replace(whole(), broken=("evidence/1: it is not there",)),
    "nothing_of_another_track": replace(whole(), models=(model(1, "others"),)),
    "no_model_is_trained_twice": replace(
        whole(), models=(model(1), {**model(1), "self": f"{HERE}/models/3"}, model(2, "others"))
    ),
    "every_push_ends_in_its_runs": replace(whole(), runs=whole().runs[:1]),
    "every_run_ends_well": with_run(kind="FAILED", state="Failed"),
    "every_run_is_over": with_run(kind="PENDING", state="Pending", tags=("turn:track:places",)),
    "nothing_is_pending": replace(whole(), state=released().model_copy(update={"pending": PENDING})),
    "no_staging_endpoint_stays": replace(
        whole(), endpoints=(endpoint("places-live", 1), endpoint("places-staging-1", 1))
    ),
    "no_process_stays": replace(whole(), engines=("17 of run b",)),
    "no_temporary_folder_stays": replace(whole(), scratch=("speechops-1",)),
    "no_client_saw_an_error": replace(whole(), complaints=("HTTP 404",)),
}
"""Facts that break one invariant each."""


def test_whole_facts_break_nothing() -> None:
    """A check that always complains would prove nothing either."""
    assert violations(whole()) == []


@pytest.mark.parametrize("name", [one.__name__ for one in INVARIANTS])
def test_an_invariant_catches_what_it_is_for(name: str) -> None:
    """It, and no other: what it says names the fault."""
    told = violations(BROKEN[name])

    assert {one.partition(":")[0] for one in told} == {name}


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(replace(whole(), runs=(*whole().runs, replace(whole().runs[1], id="c"))), id="begun twice"),
        pytest.param(replace(whole(), endpoints=()), id="no endpoint"),
        pytest.param(with_run(kind="CANCELLED", state="Cancelled"), id="cancelled by nobody"),
        pytest.param(replace(whole(), endpoints=(*whole().endpoints, endpoint("places-live", 1))), id="two endpoints"),
        pytest.param(replace(whole(), history=()), id="no history"),
    ],
)
def test_other_ways_to_be_wrong_are_caught(facts: Facts) -> None:
    """The second form of a fault."""
    assert violations(facts)


def test_what_a_person_wanted_is_no_violation() -> None:
    """A run that an operator cancelled owes nothing; a data-update that crashed is made good by a later one."""
    cancelled = Run("c", "training-update", "places", "", "CANCELLED", "Cancelled", by_hand=True)
    crashed = Run("d", "data-update", "", "", "CRASHED", "Crashed", began=1)
    later = Run("e", "data-update", "", "", "COMPLETED", "Started", began=2)

    assert violations(replace(whole(), runs=(*whole().runs, cancelled, crashed, later))) == []
    assert violations(replace(whole(), runs=(*whole().runs, replace(crashed, began=3), later)))


def test_plans_are_what_the_documentation_says() -> None:
    """At least 300, each program killed at 20 points or more, over every flow; the same ones whenever they are made."""
    plans = all_plans()
    killed = [kind for kind in KINDS if kind.startswith(("kill", "stop"))]

    assert plans == all_plans()
    assert len(plans) >= 300
    assert min(counts(plans)[kind] for kind in killed) >= 20
    for kind in killed:
        for world in ("sqlite", "postgres"):
            assert {one.flow for one in plans if (one.fault, one.world) == (kind, world)} >= set(FLOWS)
    assert len({plan.name for plan in plans}) == len(plans)


def test_figures_replace_those_of_before(tmp_path: Path) -> None:
    """The rest of the page stays, and the table says when, of which commit and where it was made."""
    page = tmp_path / "reliability.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write([(all_plans()[0], {"fired": "", "seconds": None, "violations": []})], page)

    before, _, rest = page.read_text().partition(BEGIN)
    figures, _, after = rest.partition(END)
    assert (before, after) == ("before\n", "\nafter\n")
    assert "old" not in figures
    assert re.search(r"\d{4}-\d\d-\d\d, commit [0-9a-f]{12}, \d+ cores", figures)
    assert BEGIN in PAGE.read_text()


def test_figures_count_what_was_played() -> None:
    """A plan whose fault never came is told as such."""
    first = all_plans()[0]
    good = {"fired": "3: before write x", "seconds": 4.0, "violations": []}
    told = table([(first, good), (first, {**good, "fired": "", "seconds": None, "violations": ["x"]})])

    assert f"| {first.fault} | " in told
    assert "2 | 1 | 1 | 4 / 4" in told
