"""Jobs: NotStarted -> Running -> Succeeded or Failed, whatever happens to the server in between.

Every open entity has one task in the server; the work itself is done by the worker processes. A job returns what to
change (`Finish`); that, and the new state, become visible in one transaction. A server that starts again runs the open
jobs again, which is safe because results are keyed by content.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

from emulator import copy_job, dataset_job, endpoint_job, evaluation_job, training_job, transcription_job
from emulator.entities import Dataset, Entity, Noun, Status
from emulator.errors import JobFailure, where
from emulator.service import Service

log = logging.getLogger(__name__)

Finish = Callable[[Any], Entity]
"""Applied to the entity as it is when the job ends (it may have been renamed meanwhile)."""
Job = Callable[[Service, Any], Awaitable[Finish]]

JOBS: dict[Noun, tuple[str, Job]] = {
    Noun.DATASETS: ("dataset", dataset_job.run),
    Noun.MODELS: ("training", training_job.run),
    Noun.EVALUATIONS: ("evaluation", evaluation_job.run),
    Noun.ENDPOINTS: ("endpoint", endpoint_job.run),
    Noun.TRANSCRIPTIONS: ("transcription", transcription_job.run),
    Noun.OPERATIONS: ("copy", copy_job.run),
}
"""The job of each noun, and its name in a job fault."""

AT_ONCE = 8
"""Jobs that run at a time; the others stay NotStarted."""


class Jobs:
    """The jobs of a running server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def resume(self) -> None:
        """Go on with what an earlier server left open."""
        for entity in self._service.store.unfinished():
            if entity.noun in JOBS and not (isinstance(entity, Dataset) and not entity.committed):
                self.schedule(entity)

    def schedule(self, entity: Entity) -> None:
        """Start the job of an entity."""
        task = asyncio.create_task(self._run(type(entity), entity.id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._service.speed.arrived(entity.id))

    async def stop(self) -> None:
        """Drop all jobs where they are; the entities stay open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, kind: type[Entity], entity_id: str) -> None:
        async with self._slots:
            await self._service.speed.dwell(entity_id)
            entity = self._service.store.find(kind, entity_id)
            if entity is None:
                return
            entity = self._service.move(entity, Status.RUNNING)
            try:
                self._end(kind, entity_id, Status.SUCCEEDED, await self._work_and_dwell(entity))
            except JobFailure as failure:
                self._fail(kind, entity_id, failure)
            except Exception as error:  # whatever it is, the entity must not stay Running for ever
                log.error("%s %s: %s", entity.noun.singular, entity_id, where(error))
                self._fail(kind, entity_id, JobFailure("InternalServerError", f"Unexpected {type(error).__name__}."))
        shutil.rmtree(self._service.upload_of(entity_id), ignore_errors=True)

    async def _work_and_dwell(self, entity: Entity) -> Finish:
        """Running can be seen as long as it should, also when the job fails at once."""
        dwell = self._service.speed.dwell(entity.id)
        finish, _ = await asyncio.gather(self._work(entity), dwell, return_exceptions=True)
        if isinstance(finish, BaseException):
            raise finish
        return finish

    async def _work(self, entity: Entity) -> Finish:
        name, job = JOBS[entity.noun]
        self._service.faults.fail_job(name)
        return await job(self._service, entity)

    def _fail(self, kind: type[Entity], entity_id: str, failure: JobFailure) -> None:
        error = {"code": failure.code, "message": failure.message}
        self._end(kind, entity_id, Status.FAILED, lambda fresh: fresh.with_properties(error=error))

    def _end(self, kind: type[Entity], entity_id: str, status: Status, finish: Finish) -> None:
        store = self._service.store
        with store.transaction():
            fresh = store.find(kind, entity_id)
            if fresh is not None:
                self._service.move(finish(fresh), status)
