"""Long waits, seen: a progress artifact in the Prefect UI and one log line for every change of status."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger

from speech_client import Status
from tasks.orchestrator import hinted

_SHARE = {Status.NOT_STARTED: 0.0, Status.RUNNING: 0.5, Status.SUCCEEDED: 1.0, Status.FAILED: 1.0}


class Watch:
    """Keeps the last status of every job that a task waits for."""

    def __init__(self, artifact: Any, jobs: int) -> None:
        self._artifact = artifact
        self._jobs = jobs
        self._seen: dict[str, Any] = {}

    async def __call__(self, entity: Any) -> None:
        """Note an entity's status; tell when it changed."""
        if self._seen.get(entity.display_name) == entity.status:
            return
        self._seen[entity.display_name] = entity.status
        get_run_logger().info("'%s' is %s", entity.display_name, entity.status)
        done = sum(_SHARE.get(status, 0.0) for status in self._seen.values())
        if self._artifact:
            await hinted(aupdate_progress_artifact, self._artifact, progress=100 * done / self._jobs)


@asynccontextmanager
async def watching(key: str, title: str, jobs: int) -> AsyncIterator[Watch]:
    """A progress artifact for `jobs` jobs that the Speech service works on; without Prefect's server there is none."""
    key = f"{key.replace('.', '-')}-progress"
    artifact = await hinted(acreate_progress_artifact, progress=0.0, key=key, description=title)
    yield Watch(artifact, max(jobs, 1))
