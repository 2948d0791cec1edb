"""A flow run that is retried asks the service and the ledger again."""

import importlib
import pkgutil

from prefect.cache_policies import NO_CACHE
from prefect.tasks import Task

import tasks


def test_no_task_is_answered_from_prefects_cache() -> None:
    """Otherwise "Retry" in the UI would find the very job that Failed, and a head of the ledger from hours ago."""
    modules = [importlib.import_module(f"tasks.{module.name}") for module in pkgutil.iter_modules(tasks.__path__)]
    found = {thing.name: thing for module in modules for thing in vars(module).values() if isinstance(thing, Task)}

    assert len(found) > 20
    assert [name for name, one in found.items() if one.cache_policy is not NO_CACHE or one.persist_result] == []
