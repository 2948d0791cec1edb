"""How large a body may be that is read whole: FastAPI reads it before anybody has asked for the key.

Operations that take more read their bodies piece by piece, after that, and have limits of their own.
"""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 16 * 1024**2
"""Of JSON: fifty thousand block ids, or a thousand long addresses, are 5 MB."""
_PIECE_BY_PIECE = re.compile("PUT /|POST /speech/|POST /speechtotext/transcriptions:transcribe")


class BodyLimit:
    """Ends the reading of a body that is too large with 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and not _PIECE_BY_PIECE.match(f"{scope['method']} {scope['path']}"):
            receive = _counted(receive)
        await self._app(scope, receive, send)


def _counted(receive: Receive) -> Receive:
    size = 0

    async def count() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BYTES:
            raise HTTPException(413, f"The request body is larger than {MAX_BYTES // 1024**2} MB.")
        return message

    return count
