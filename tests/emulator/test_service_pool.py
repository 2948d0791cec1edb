"""The workers beside the server."""

import operator

import pytest

from emulator.errors import JobFailure
from emulator.pool import WorkerPool


@pytest.mark.parametrize("workers", [0, 1])
async def test_work_is_done_and_its_errors_come_back(workers: int) -> None:
    """In a thread or in a process."""
    pool = WorkerPool(workers)
    try:
        assert await pool.run(operator.add, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            await pool.run_now(operator.floordiv, 1, 0)
    finally:
        pool.close()


async def test_workers_that_cannot_start_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A multiprocessing.Pool would start them for ever."""
    monkeypatch.setattr("emulator.pool._start_worker", operator.truediv)  # fails: it takes two arguments
    pool = WorkerPool(1)
    try:
        with pytest.raises(JobFailure, match="died repeatedly"):
            await pool.run(operator.add, 1, 2)
    finally:
        pool.close()
