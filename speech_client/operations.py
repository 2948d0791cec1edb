"""Operations: jobs that are no entities. There is one kind, the copy of a model."""

from __future__ import annotations

from speech_client.connection import Connection
from speech_client.links import Which, id_of
from speech_client.model_copy import Operation


class Operations:
    """``/operations``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def model_copy(self, which: Which) -> Operation:
        """Return the copy as it stands now; `SpeechClient.wait_until_final` waits for it like for any job.

        Raises:
            NotFound: There is none.
        """
        return (await self._connection.get(f"{Operation.collection}/{id_of(which)}")).parse(Operation)
