"""Which requests are let in at all: those that call the service by one of its own names, and no page of another origin.

A web page can make its visitor's browser send requests to this machine, and, by a name that it lets lead here (DNS rebinding),
read the answers. Such requests carry the foreign name in `Host`, or the page's own in `Origin`; browsers let no page change
these. Clients that are no browsers send the name that they were given, and no `Origin`.
"""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from emulator.errors import ServiceError
from emulator.settings import Settings

ANY = "*"


class Doorway:
    """Checks `Host` and `Origin` of every request."""

    def __init__(self, settings: Settings) -> None:
        given = {settings.host, *settings.allowed_hosts}
        machine = () if settings.is_on_loopback else (socket.gethostname(), socket.getfqdn())
        self._any = ANY in settings.allowed_hosts
        self._names = {name.lower() for name in ("localhost", *given, *machine)}

    def refusal(self, scope: Scope) -> ServiceError | None:
        """Why a request is not let in; None when it is."""
        if scope["type"] not in ("http", "websocket"):
            return None
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            remedy = "Use its address, or name this host with --allowed-host."
            return ServiceError(400, f"The emulator does not know the host {host[:100]!r} as its own. {remedy}")
        if origin is not None and _netloc(origin) != host.lower():
            return ServiceError(403, "Pages of another origin may not use the emulator.")
        return None

    def _is_ours(self, host: str) -> bool:
        """No foreign name can be made to lead to an address that stands there in figures."""
        name = _name(host)
        return not host or self._any or name in self._names or _is_address(name)


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:  # a bracket without its other half
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
