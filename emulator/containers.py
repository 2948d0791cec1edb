"""Blob containers that a `contentContainerUrl` names: what is in them, by List Blobs, with the caller's SAS.

Source: Azure Storage REST, "List Blobs". The limits are those of the specification's `contentContainerUrl`.
"""

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.etree import ElementTree

import httpx

from emulator.errors import JobFailure
from emulator.fetching import open_client
from emulator.settings import Settings

MAX_BLOBS = 10_000
MAX_TOTAL_BYTES = 5 * 1024**3
MAX_PAGE_BYTES = 16 * 1024**2
MAX_PAGES = 100
UNREADABLE = "InvalidRecordingsUri"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, the folder in it, and the SAS that opens both."""

    url: str
    prefix: str
    sas: str

    @classmethod
    def at(cls, address: str) -> "Container":
        """Read an address; `http://127.0.0.1:10000/<account>/<container>` is Azurite's form."""
        parts = urlsplit(address)
        depth = 2 if _has_no_name(parts.hostname or "") else 1
        folders = parts.path.strip("/").split("/")
        url = f"{parts.scheme}://{parts.netloc}/{'/'.join(folders[:depth])}"
        prefix = "/".join(folders[depth:])
        return cls(url, f"{prefix}/" if prefix else "", parts.query)

    def address_of(self, blob: str) -> str:
        """Where a blob can be read."""
        return f"{self.url}/{quote(blob)}" + (f"?{self.sas}" if self.sas else "")

    def page(self, marker: str) -> str:
        """The address of a page of the list."""
        asked = {"restype": "container", "comp": "list", "prefix": self.prefix, "marker": marker}
        return f"{self.url}?{urlencode([*asked.items(), *parse_qsl(self.sas)])}"


def _has_no_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


async def blobs_of(container: Container, settings: Settings) -> list[str]:
    """The names of its blobs.

    Raises:
        JobFailure: it cannot be listed, or holds nothing or too much. The message never quotes the address.
    """
    names: list[str] = []
    total = 0
    try:
        async for page in _pages(container, settings):
            for blob in page.iterfind("Blobs/Blob"):
                names.append(blob.findtext("Name", ""))
                total += int(blob.findtext("Properties/Content-Length", "0"))
            if len(names) > MAX_BLOBS or total > MAX_TOTAL_BYTES:
                raise _failure(f"it holds more than {MAX_BLOBS} blobs or {MAX_TOTAL_BYTES // 1024**3} GB")
    except JobFailure as failure:
        raise JobFailure(UNREADABLE, failure.message) from failure
    except (httpx.HTTPError, httpx.InvalidURL, ElementTree.ParseError, ValueError) as error:
        raise _failure(type(error).__name__) from None
    if not names:
        raise _failure("it is empty")
    return names


async def _pages(container: Container, settings: Settings) -> AsyncIterator[ElementTree.Element]:
    marker = ""
    async with open_client(settings, follow_redirects=False) as client:
        for _ in range(MAX_PAGES):
            # A document of strangers: expat limits the growth of entities by itself, and resolves no external ones.
            page = ElementTree.fromstring(await _bounded(client, container.page(marker)))  # noqa: S314
            yield page
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return
    raise _failure(f"its list has more than {MAX_PAGES} pages")


async def _bounded(client: httpx.AsyncClient, url: str) -> bytes:
    body = bytearray()
    async with client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            raise _failure(f"its list answers {response.status_code}")
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_PAGE_BYTES:
                raise _failure("a page of its list is too long")
    return bytes(body)


def _failure(reason: str) -> JobFailure:
    return JobFailure(UNREADABLE, f"The contentContainerUrl cannot be read: {reason}.")
