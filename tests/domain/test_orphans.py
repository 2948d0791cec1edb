"""What is listed as left behind, what it costs, and what must never be deleted from a list."""

from datetime import timedelta
from typing import Any

from domain.ledger import State
from domain.orphans import Known, Orphan, find_orphans, total_cost
from domain.retention import Held
from tests.domain.test_retention import DAY_ONE, endpoint, evaluation, model
from tests.domain.test_rollback import head, release

NOW = DAY_ONE + timedelta(days=30)
PRICE = 0.05


def found(*held: Held, state: State | None = None, **known: Any) -> dict[str, Orphan]:
    """The orphans by name, where the store knows track `taxi` only."""
    state = state or head(release(1, "f"), endpoint="endpoints/live")
    tracks = {"taxi": Known(head=state, keep_models=5, **known)}
    return {one.name: one for one in find_orphans(held, tracks, PRICE, NOW, {"7"})}


def test_a_staging_endpoint_costs_money_for_nothing() -> None:
    """730 hours a month."""
    orphans = found(endpoint("taxi-staging-1", "s"), endpoint("taxi-live", "live"))
    assert list(orphans) == ["taxi-staging-1"]
    assert total_cost(orphans.values()) == 36.5


def test_a_run_at_work_has_no_orphans() -> None:
    """Its staging endpoint is in use."""
    assert found(endpoint("taxi-staging-1", "s"), busy=True) == {}


def test_what_another_store_may_know_is_never_deletable() -> None:
    """Two stores, one Speech resource: the other one's live endpoint must not go by our list."""
    orphans = found(endpoint("bus-live", "b", track="bus"), model("b", 0, "bus"))
    assert [one.deletable for one in orphans.values()] == [False, False]


def test_the_endpoint_of_a_track_without_a_release_is_shown_only() -> None:
    """The next release will use it, and it is charged meanwhile."""
    (one,) = found(endpoint("taxi-live", "live"), state=State(track="taxi")).values()
    assert (one.why, one.deletable, one.monthly_cost) == ("the track has no release", False, 36.5)


def test_what_a_pull_request_left_is_an_orphan_once_its_runs_are_over() -> None:
    """Number 7 is at work."""
    assert list(found(model("x", 0, "taxi.pr7"), model("x", 0, "taxi.pr8"))) == ["taxi.pr8-model-x"]


def test_data_that_nobody_refers_to_are_orphans() -> None:
    """Datasets count against the service's limit of 500; the testing data of the benchmark stay."""
    used = Held(
        kind="dataset", path="datasets/u", name="taxi-language-u", track="taxi", content_hash="h", created=DAY_ONE
    )
    orphans = found(
        used,
        used.model_copy(update={"path": "datasets/v", "name": "taxi-language-v"}),
        model("f", 1, uses=("u",)),
    )
    assert list(orphans) == ["taxi-language-v"]


def test_a_failed_entity_stays_while_a_later_attempt_is_in_use() -> None:
    """Deleting the first attempt would make it again."""
    bad = evaluation("a", "b", "Failed").model_copy(update={"content_hash": "h"})
    good = evaluation("a", "b").model_copy(update={"content_hash": "h", "path": "evaluations/2", "name": "second"})
    assert [one.deletable for one in found(bad).values()] == [True]
    assert [one.deletable for one in found(bad, good).values()] == [False]


def test_models_beyond_retention_are_listed_with_their_age() -> None:
    """The same rule as after a release."""
    models = [model(name, day) for day, name in enumerate("abcdef")]
    (one,) = found(*models).values()
    assert (one.name, one.age_days, one.monthly_cost) == ("taxi-model-a", 30.0, 0.0)
