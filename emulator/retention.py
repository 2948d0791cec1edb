"""Time to live: a submitted transcription is deleted so many hours after it ended, whether it succeeded or failed.

Nothing wakes up for it: whoever next asks for transcriptions, or for the content of a file, finds it gone.
"""

import logging

from emulator.auth import ServiceOf

log = logging.getLogger(__name__)


async def forget_expired(service: ServiceOf) -> None:
    """Delete what has been kept long enough, by the service's clock."""
    for transcription in service.store.expired_transcriptions(service.clock()):
        log.info("transcription %s: its time to live has ended", transcription.id)
        service.delete(transcription)
