"""The calendar: people are told before a model ends, at each threshold once, and what it means for them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.watch.calendar import calendar_findings
from domain.watch.commands import Commands
from domain.watch.expiry import Ending, ModelDates, endings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
THRESHOLDS = (90, 30, 7)
COMMANDS = Commands(track="taxi")


def rows(days: float, *roles: str, adapts: float | None = None, gone: bool = False) -> tuple[Ending, ...]:
    """The calendar of a model that ends in so many days."""
    until = NOW + timedelta(days=days)
    adapts_until = None if adapts is None else NOW + timedelta(days=adapts)
    dates = ModelDates(
        roles=roles, model="m", path="models/1", transcribes_until=until, adapts_until=adapts_until, gone=gone
    )
    return endings([dates], NOW)


@pytest.mark.parametrize(
    ("days", "severity"),
    [(91, None), (90, "warning"), (31, "warning"), (8, "warning"), (7, "critical"), (0, "critical"), (-1, "critical")],
)
def test_the_live_model_is_told_in_time(days: int, severity: str | None) -> None:
    """At 90, 30 and 7 days; in the last week and afterwards it wakes somebody."""
    found = calendar_findings(rows(days, "live"), THRESHOLDS, COMMANDS)

    assert [one.severity for one in found] == ([severity] if severity else [])


def test_each_threshold_is_news_once() -> None:
    """From 90 to 31 days it is the same finding, at 30 another one."""
    keys = [calendar_findings(rows(days, "live"), THRESHOLDS, COMMANDS)[0].identity for days in (90, 31, 30, 8, 7, -3)]

    assert [keys.index(key) for key in keys] == [0, 0, 2, 2, 4, 5]


def test_an_end_says_what_it_means_and_what_to_do() -> None:
    """Expired custom models are no error on Azure: clients silently get the base model."""
    (live,) = calendar_findings(rows(3, "live", "benchmark"), THRESHOLDS, COMMANDS)
    (previous,) = calendar_findings(rows(3, "previous"), THRESHOLDS, COMMANDS)

    assert live.title == "taxi: transcription with the live model ends in 3 days"
    assert "without telling anybody" in live.detail
    assert "-p base=newest" in live.what_to_do
    assert (previous.severity, "rollback to it is not possible" in previous.detail) == ("warning", True)


def test_a_base_model_that_is_no_longer_trained_wakes_nobody() -> None:
    """It is told before; afterwards it stands in the table only, for nothing can be done and nothing is broken."""
    before = calendar_findings(rows(800, "base", adapts=20), THRESHOLDS, COMMANDS)
    after = calendar_findings(rows(800, "base", adapts=-20), THRESHOLDS, COMMANDS)

    assert [(one.severity, one.kind) for one in before] == [("info", "expires")]
    assert after == ()


@pytest.mark.parametrize(("role", "severity"), [("live", "critical"), ("previous", "warning")])
def test_a_model_that_was_deleted_is_told(role: str, severity: str) -> None:
    """Whatever its dates said."""
    found = calendar_findings(rows(500, role, gone=True), THRESHOLDS, COMMANDS)

    assert [(one.kind, one.severity) for one in found] == [("model-gone", severity)]


def test_the_nearest_end_comes_first() -> None:
    """And models without a date last."""
    models = [
        ModelDates(roles=("base",), model="b", path="models/base/2", transcribes_until=NOW + timedelta(days=9)),
        ModelDates(roles=("benchmark",), model="a", path="models/3"),
        ModelDates(roles=("live",), model="c", path="models/1", transcribes_until=NOW + timedelta(days=2)),
    ]

    assert [row.model for row in endings(models, NOW)] == ["c", "b", "a"]
