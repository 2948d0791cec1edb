"""The runs of a plan get places in the queue that keep its order."""

from datetime import UTC, datetime, timedelta

from tasks.starting import _after


def test_a_run_is_expected_after_the_one_before_it() -> None:
    """Although another machine, whose clock is ahead, has started that one."""
    last = datetime.now(UTC) + timedelta(hours=1)

    assert _after(last) > last


def test_a_run_is_not_put_off_by_one_of_long_ago() -> None:
    """That one was started before a crash."""
    before = datetime.now(UTC)

    assert before <= _after(before - timedelta(hours=1)) <= datetime.now(UTC)
