"""The events that speechops sends to Prefect, and what its automations listen to."""

from uuid import NAMESPACE_URL, UUID, uuid5

from tasks import waking

DATA_CHANGED = "speechops.data.changed"
"""Payload: `ref` (full name; empty for blobs) and `delivery` (the receiver's id of it)."""

PULL_REQUEST_CHANGED = "speechops.pull-request.changed"
"""Payload: `number` (int), `wanted` (`checks` or `model`), `head` (the commit that is meant, or its beginning) and `delivery`."""

JOB_CHANGED = waking.JOB_CHANGED
"""A job of the Speech service; tasks that wait for one listen to it."""

SOURCE = "speechops.source"
"""Resources are called `speechops.source.<name of the block>`."""

KIND = "speechops.kind"
"""Label of a source's resource: `git` or `blob`."""


def resource_of_source(name: str, kind: str) -> dict[str, str]:
    """The resource of an event about a data source.

    >>> resource_of_source("maps", "git")["prefect.resource.id"]
    'speechops.source.maps'
    """
    return {"prefect.resource.id": f"{SOURCE}.{name}", "prefect.resource.name": name, KIND: kind}


JOB = "speechops.job"
"""Resources are called `speechops.job.<entity>`, with dots for its slashes."""


def resource_of_job(entity: str) -> dict[str, str]:
    """The resource of an event about an entity of the Speech service.

    >>> resource_of_job("models/8a2b")["prefect.resource.id"]
    'speechops.job.models.8a2b'
    """
    return {"prefect.resource.id": f"{JOB}.{entity.replace('/', '.')}", "prefect.resource.name": entity}


def event_id(delivery: str, source: str = "") -> UUID:
    """The id of a delivery's event: the same each time, so that the server knows it when it comes again.

    Args:
        delivery: the receiver's id of it.
        source: the data source that the event is about; one delivery may be about several.
    """
    return uuid5(NAMESPACE_URL, f"speechops:{delivery}:{source}")
