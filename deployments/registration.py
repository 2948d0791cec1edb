"""What a Prefect server must know before flows are deployed to it: the types of our blocks, and the work pool.

The local stack also saves the blocks themselves there, and asks whether its worker is there.
"""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from tasks.blocks import LocalStore, SpeechResource, block_types

POOL = "speechops"
"""The work pool that prefect.yaml names."""

BLOCK = "speechops"
"""The name of both block documents; the flows' parameters name them by default."""


async def register_block_types(client: PrefectClient) -> tuple[str, ...]:
    """Make the types known, so that the UI offers them; their names. What is known already is only brought up to date."""
    kinds = block_types()
    for kind in kinds:
        await kind.aregister_type_and_schema(client=client)
    return tuple(kind.get_block_type_name() for kind in kinds)


ENGINE = shlex.join((sys.executable, "-m", "prefect.engine"))
"""As a work pool's `command`: the worker starts it at once, instead of a process that first finds out what to start."""


async def make_work_pool(client: PrefectClient, name: str = POOL, command: str | None = None) -> bool:
    """Make a work pool for processes, and say whether it was missing; one that is there stays as its operators set it.

    Args:
        client: of the Prefect server.
        name: of the pool.
        command: what its workers start for a run; None leaves that to Prefect.
    """
    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["command"]["default"] = command
    pool = WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
    try:
        await client.create_work_pool(pool)
    except ObjectAlreadyExists:
        return False
    return True


class Registration:
    """Writes to the local stack's server, by a client of it."""

    worker = "speechops-up"

    def __init__(self, client: PrefectClient) -> None:
        self.client = client
        self._since = datetime.now(UTC)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.__aexit__(*error)

    async def save_blocks(self, endpoint: str, key: str, store: Path, reports: str) -> None:
        """Save the blocks that lead to the emulator and to the store; the documents of this name belong to the stack."""
        speech = SpeechResource(endpoint=endpoint, key=SecretStr(key))
        for block in (speech, LocalStore(folder=store, reports_url=reports)):
            await block.aregister_type_and_schema(client=self.client)
            await block.asave(BLOCK, overwrite=True, client=self.client)

    async def worker_is_online(self) -> bool:
        """Whether our worker has reported since this object was made (an earlier one leaves its record)."""
        workers = await self.client.read_workers_for_work_pool(POOL)
        return any(worker.name == self.worker and self._reported(worker.last_heartbeat_time) for worker in workers)

    def _reported(self, last_heartbeat: datetime | None) -> bool:
        return last_heartbeat is not None and last_heartbeat > self._since
