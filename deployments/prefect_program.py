"""The Prefect server of the local stack: Prefect's own application behind a doorway, and a page that logs a browser in.

`prefect server start` takes any `Host`, and has no setting for that. So the stack starts this instead; Prefect's settings
(authentication, CORS, database) come from the environment as ever.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.addresses import LOOPBACK
from deployments.doorway import behind_doorway, origins_of

_PAGES: Final = {"/open": "open.html", "/open.js": "open.js"}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FOR_EVERYBODY: Final = 0o022


def main(port: int) -> None:
    """Serve until the process is stopped."""
    with _readable_for_all():
        prefect = create_app(final=True)
    api = get_current_settings().server.api
    uvicorn.run(
        behind_doorway(with_login(prefect), origins_of(port)),
        host=LOOPBACK,
        port=port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level="warning",
    )


def with_login(app: ASGIApp) -> ASGIApp:
    """The application and, beside it, the page that logs a browser in."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        page = _PAGES.get(scope["path"]) if scope["type"] == "http" else None
        if page is None:
            await app(scope, receive, send)
        else:
            file = FileResponse(Path(__file__).parent / "pages" / page, headers=_HEADERS)
            await file(scope, receive, send)

    return answer


@contextmanager
def _readable_for_all() -> Iterator[None]:
    """Prefect copies its UI into its own package, which other users of this machine may share."""
    private = os.umask(_FOR_EVERYBODY)
    try:
        yield
    finally:
        os.umask(private)


if __name__ == "__main__":
    main(int(sys.argv[1]))
