"""Which requests a program of the local stack lets in: those that call it by a name of this machine, and no foreign page's.

A web page can make its visitor's browser send requests to 127.0.0.1 and, by a name that it lets lead there (DNS rebinding), read
the answers. Such requests carry the foreign name in `Host`, or the page's own in `Origin`; browsers let no page change these.
"""

from collections.abc import Collection, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.addresses import LOOPBACK

NAMES: Final = (LOOPBACK, "localhost")
"""What this machine calls itself."""


def behind_doorway(app: ASGIApp, origins: Collection[str] = ()) -> ASGIApp:
    """The application, for callers of this machine only.

    Args:
        app: any ASGI application; its lifespan is passed on.
        origins: further origins than its own whose pages may use it.
    """
    return TrustedHostMiddleware(OwnOrigin(app, origins), allowed_hosts=NAMES, www_redirect=False)


def origins_of(port: int) -> Sequence[str]:
    """The origins of the pages that are served on a port of this machine."""
    return [f"http://{name}:{port}" for name in NAMES]


class AddressedDirectly:
    """Middleware for paths that only this network should read: it refuses names that may be anybody's, and their proxies.

    `localhost` and addresses in figures are let in, for nobody can have them lead elsewhere; other names must be given.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str], names: Collection[str]) -> None:
        self._app = app
        self._paths = paths
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 400."""
        if scope["type"] == "http" and scope["path"] in self._paths and not self._admits(Headers(scope=scope)):
            refusal = PlainTextResponse("Ask by an address, or name this host in SPEECHOPS_ALLOWED_HOSTS.", 400)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        try:
            name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:  # a bracket without its other half
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class OwnOrigin:
    """Middleware that refuses what a page of another origin sends, websockets too. Without `Origin`, it is none."""

    def __init__(self, app: ASGIApp, origins: Collection[str] = ()) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403."""
        if scope["type"] in ("http", "websocket") and not self._admits(Headers(scope=scope)):
            refusal = PlainTextResponse("Pages of another origin may not use this.", 403)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        return origin is None or origin == f"http://{headers.get('host')}" or origin in self._origins
