"""Downloading what a contentUrl names, without lending the emulator's place in its network to whoever sends one.

Once others can reach the emulator (it does not listen on loopback), it fetches from public addresses only: otherwise a
caller could read this machine's services, its neighbours' and the cloud's metadata through it, for imported text can be
downloaded again. On loopback every caller is on this machine already, and data come from there (Azurite, tests).
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from emulator.errors import JobFailure
from emulator.settings import Settings

TIMEOUT = httpx.Timeout(30.0)
MAX_REDIRECTS = 5
NO_REUSE = httpx.Limits(max_connections=100, max_keepalive_connections=0)
"""Where names are replaced by addresses, a connection was verified for one name and must not serve another."""
NOT_BY_PROXY = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}
"""For httpx: a proxy would look for these on its own machine."""

AZURE_HOST_SERVICE = ipaddress.ip_address("168.63.129.16")
"""Looks public, but is the host of an Azure virtual machine: "What is IP address 168.63.129.16?"."""
SINGLE_HOSTS = ipaddress.ip_network("2000::/3")
"""All IPv6 addresses of the internet; what lies outside can be an IPv4 address in another dress."""
PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""Reserved by IETF (RFC 6890); a cloud has its metadata there."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses whose last 32 bits are the IPv4 address that is meant (RFC 6052)."""

NOT_PUBLIC = (
    "The contentUrl cannot be read: it leads to an address that is not public. Upload the data in blocks, or start the "
    "emulator with --allow-private-urls if you trust everybody who can reach it."
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def fetch(url: str, target: Path, settings: Settings) -> None:
    """Download with plain GET, as Azure does; messages never quote the address, for it may hold a SAS.

    Raises:
        JobFailure: the address cannot be read or is not allowed, or the data are too large or too slow.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        async with (
            asyncio.timeout(settings.download_seconds),
            open_client(settings, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            await _save(response, target, settings.download_bytes)
    except TimeoutError:
        raise _unreadable(f"it took longer than {settings.download_seconds:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a host that is no name
        raise _unreadable(type(error).__name__) from None


async def plain_bytes(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes. Packed once or twice, a thousand bytes would be a gigabyte at the first look.

    Raises:
        httpx.DecodingError: it is packed, which was not asked for.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise httpx.DecodingError("packed")
    async for chunk in response.aiter_raw():
        yield chunk


class PublicOnly(httpx.AsyncBaseTransport):
    """Resolves names itself, and connects to the address that it has checked: a name may mean another one at any time.

    A client asks its transport again for each redirect, so those are checked too.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, resolve: Resolve) -> None:
        self._inner, self._resolve = inner, resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, unless its host has an address that is not public."""
        host = request.url.host
        addresses = await self._resolve(host, request.url.port or 0)
        if not all(is_public(address) for address in addresses):
            raise JobFailure("DataImportFailed", NOT_PUBLIC)
        checked = httpx.Request(
            request.method,
            request.url.copy_with(host=addresses[0]),
            headers=request.headers,  # with the Host that was asked for
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},  # TLS goes on checking the name
        )
        return await self._inner.handle_async_request(checked)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def is_public(address: str) -> bool:
    """Whether it is an address of the internet, for a single host.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    meant = _meant(ipaddress.ip_address(address))
    if meant in PROTOCOLS or (isinstance(meant, ipaddress.IPv6Address) and meant not in SINGLE_HOSTS):
        return False
    return meant.is_global and not meant.is_multicast and meant != AZURE_HOST_SERVICE


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, if there is any."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def open_client(settings: Settings, **options: Any) -> httpx.AsyncClient:
    """A client for addresses that callers give; what it may not reach raises JobFailure."""
    plain = {"Accept-Encoding": "identity"}
    common = {"timeout": TIMEOUT, "max_redirects": MAX_REDIRECTS, "verify": _trusted(), "headers": plain, **options}
    if settings.fetches_public_only:  # no proxy then: it would resolve names by itself, after our check
        transport = httpx.AsyncHTTPTransport(verify=_trusted(), limits=NO_REUSE)
        return httpx.AsyncClient(transport=PublicOnly(transport, _resolve), **common)
    return httpx.AsyncClient(mounts=NOT_BY_PROXY, **common)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates to trust, read once: it takes 25 ms, and a batch has a thousand recordings."""
    return httpx.create_ssl_context()


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError("unknown host") from error
    return [str(address[0]) for *_, address in found]


async def _save(response: httpx.Response, target: Path, limit: int) -> None:
    if response.status_code != httpx.codes.OK:
        raise _unreadable(f"it answers {response.status_code}")
    size = 0
    with target.open("wb") as stream:
        async for chunk in plain_bytes(response):
            size += len(chunk)
            if size > limit:
                raise JobFailure("DataImportFailed", f"The data are larger than {limit // 1024**2} MB.")
            stream.write(chunk)


def _unreadable(reason: str) -> JobFailure:
    return JobFailure("DataImportFailed", f"The contentUrl cannot be read: {reason}.")
