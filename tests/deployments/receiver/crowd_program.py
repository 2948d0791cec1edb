"""The receiver as a program of its own: `python -m tests.deployments.receiver.crowd_program <folder>`.

It is the one behind `speechops receiver`, with data sources that need no blocks, and with less patience.
"""

import sys
from datetime import timedelta
from pathlib import Path

from deployments.receiver.reconciling import Patience
from deployments.receiver.serving import serve
from deployments.receiver.settings import ReceiverSettings
from domain.pushes import PushRules
from tasks.data_source import DataSource
from tests.deployments.receiver.dispatch_kit import FakeSource

ANY_BRANCH = PushRules(("*",))
PATIENCE = Patience(
    look=timedelta(seconds=0.3),
    grace=timedelta(seconds=1),
    settle=timedelta(seconds=0.5),
    first_gap=timedelta(seconds=0.5),
)


class AnyRepository(FakeSource):
    """Reads every repository."""

    def is_repository(self, address: str) -> bool:
        """Whatever its address."""
        return True


async def sources() -> list[DataSource]:
    """One in git, one in blobs."""
    return [AnyRepository("maps", rules=ANY_BRANCH), FakeSource("calls", container="speech-data")]


if __name__ == "__main__":
    serve(ReceiverSettings.read(data=Path(sys.argv[1])), "127.0.0.1", 0, sources, PATIENCE)
