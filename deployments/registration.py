"""What the local stack's own Prefect server must know: the blocks, the work pool, and whether its worker is there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from tasks.blocks import LocalStore, SpeechResource

POOL = "speechops"
"""The work pool that prefect.yaml names."""

BLOCK = "speechops"
"""The name of both block documents; the flows' parameters name them by default."""


class Registration:
    """Writes to one Prefect server, whatever server this process's settings name."""

    worker = "speechops-up"

    def __init__(self, api_url: str) -> None:
        self._client = PrefectClient(api=api_url)
        self._since = datetime.now(UTC)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.__aexit__(*error)

    async def save_blocks(self, endpoint: str, key: str, store: Path, reports: str) -> None:
        """Save the blocks that lead to the emulator and to the store; the documents of this name belong to the stack."""
        speech = SpeechResource(endpoint=endpoint, key=SecretStr(key))
        for block in (speech, LocalStore(folder=store, reports_url=reports)):
            await block.aregister_type_and_schema(client=self._client)
            await block.asave(BLOCK, overwrite=True, client=self._client)

    async def make_work_pool(self) -> None:
        """Make the work pool; one that is there stays as its operators have set it."""
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template)
        try:
            await self._client.create_work_pool(pool)
        except ObjectAlreadyExists:
            return

    async def worker_is_online(self) -> bool:
        """Whether our worker has reported since this object was made (an earlier one leaves its record)."""
        workers = await self._client.read_workers_for_work_pool(POOL)
        return any(worker.name == self.worker and self._reported(worker.last_heartbeat_time) for worker in workers)

    def _reported(self, last_heartbeat: datetime | None) -> bool:
        return last_heartbeat is not None and last_heartbeat > self._since
