"""Deployment: load the model in a worker; only then does the endpoint answer with it."""

from collections.abc import Callable
from functools import partial

from emulator import work
from emulator.base_models import recipe_key_of
from emulator.entities import Endpoint
from emulator.service import Service


async def run(service: Service, endpoint: Endpoint) -> Callable[[Endpoint], Endpoint]:
    """Put the endpoint's model live; until then, and when it fails, the model before it answers."""
    await service.pool.run(work.load, service.place, recipe_key_of(service.store, endpoint.model))
    return partial(_finished, service)


def _finished(service: Service, endpoint: Endpoint) -> Endpoint:
    service.store.count("endpoint_updates")
    return endpoint.model_copy(update={"live_model": endpoint.model}).with_properties(error=None)
