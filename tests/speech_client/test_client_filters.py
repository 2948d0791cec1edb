"""Conditions become Azure's filter language, whatever the values are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech_client import BadInput, F, Filter, Status

NOON = datetime(2022, 2, 1, 12, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (F.locale == "en-US", "locale eq 'en-US'"),
        (F.status != Status.FAILED, "status ne 'Failed'"),
        (F.created_date_time > NOON, "createdDateTime gt 2022-02-01T11:00:00Z"),
        (F.created_date_time >= NOON, "createdDateTime ge 2022-02-01T11:00:00Z"),
        (F.last_action_date_time < NOON, "lastActionDateTime lt 2022-02-01T11:00:00Z"),
        (F.last_action_date_time <= NOON.astimezone(UTC), "lastActionDateTime le 2022-02-01T11:00:00Z"),
        (
            (F.name == "a") & (F.kind == "b") | ~(F.description == "c"),
            "((name eq 'a' and kind eq 'b') or not (description eq 'c'))",
        ),
    ],
)
def test_conditions_read_like_azures(condition: Filter, expected: str) -> None:
    """eq ne gt ge lt le, and or not; texts quoted, times bare and in UTC."""
    assert str(condition) == expected


@given(st.text())
def test_no_value_can_leave_its_quotes(value: str) -> None:
    """Quotes are doubled, so a name cannot become a condition."""
    literal = str(F.display_name == value).removeprefix("displayName eq ")
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == value.replace("'", "")
    assert literal.count("'") == 2 + 2 * value.count("'")


def test_a_time_needs_a_zone() -> None:
    """Nobody should have to guess whose noon it is."""
    with pytest.raises(BadInput, match="time zone"):
        F.created_date_time > datetime(2022, 2, 1)  # noqa: B015


def test_other_values_are_refused() -> None:
    """Azure would answer with a puzzle."""
    with pytest.raises(BadInput, match="not with int"):
        F.display_name == 7  # noqa: B015


def test_and_cannot_be_used_by_mistake() -> None:
    """Python's `and` would silently drop the first condition."""
    with pytest.raises(TypeError, match="combine filters with"):
        _ = (F.name == "a") and (F.kind == "b")
