"""Blob containers that a `contentContainerUrl` names: what is in them, by List Blobs, with the caller's SAS.

Source: Azure Storage REST, "List Blobs". The limits are those of the specification's `contentContainerUrl`.
"""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.etree import ElementTree

import httpx

from emulator.errors import JobFailure
from emulator.fetching import open_client, plain_bytes
from emulator.settings import Settings

MAX_BLOBS = 10_000
MAX_TOTAL_BYTES = 5 * 1024**3
MAX_PAGE_BYTES = 8 * 1024**2
"""Azure puts 5000 blobs on a page, each of some thirty elements."""
MAX_PAGE_ELEMENTS = 500_000
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
    seconds, found = settings.download_seconds, dict[str, int]()
    try:
        async with asyncio.timeout(seconds), aclosing(_pages(container, settings)) as pages:
            async for page in pages:
                _add(found, page)
    except TimeoutError:
        raise _failure(f"its list took longer than {seconds:g} seconds") from None
    except JobFailure as failure:
        raise JobFailure(UNREADABLE, failure.message) from failure
    except (httpx.HTTPError, httpx.InvalidURL, ElementTree.ParseError, ValueError) as error:
        raise _failure(type(error).__name__) from None
    if not found:
        raise _failure("it is empty")
    return list(found)


def _add(found: dict[str, int], page: ElementTree.Element) -> None:
    """Note the blobs of a page with their sizes in bytes."""
    total = sum(found.values())
    for blob in page.iterfind("Blobs/Blob"):
        size = int(blob.findtext("Properties/Content-Length", "0"))
        found[blob.findtext("Name", "")] = size
        total += size
        if len(found) > MAX_BLOBS or total > MAX_TOTAL_BYTES:
            raise _failure(f"it holds more than {MAX_BLOBS} blobs or {MAX_TOTAL_BYTES // 1024**3} GB")


class _Tree(ElementTree.TreeBuilder):
    """A document without declarations, with whose entities expat would make a hundred times of what came in."""

    elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self.elements += 1
        if self.elements > MAX_PAGE_ELEMENTS:
            raise ValueError("a page has not so many elements")
        return super().start(tag, attrs)

    def doctype(self, *_: object) -> None:
        """Is called for a DOCTYPE, before what it declares is used."""
        raise ValueError("List Blobs has no DOCTYPE")


async def _pages(container: Container, settings: Settings) -> AsyncGenerator[ElementTree.Element, None]:
    marker = ""
    async with open_client(settings, follow_redirects=False) as client:
        for _ in range(MAX_PAGES):
            page = await _page(client, container.page(marker))
            yield page
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return
    raise _failure(f"its list has more than {MAX_PAGES} pages")


async def _page(client: httpx.AsyncClient, url: str) -> ElementTree.Element:
    """Read piece by piece, so that a long list holds nobody up."""
    parser, size = ElementTree.XMLParser(target=_Tree()), 0  # noqa: S314  see there
    async with client.stream("GET", url) as response:
        if response.status_code != httpx.codes.OK:
            raise _failure(f"its list answers {response.status_code}")
        async for chunk in plain_bytes(response):
            size += len(chunk)
            if size > MAX_PAGE_BYTES:
                raise _failure("a page of its list is too long")
            parser.feed(chunk)
    page: ElementTree.Element = parser.close()
    return page


def _failure(reason: str) -> JobFailure:
    return JobFailure(UNREADABLE, f"The contentContainerUrl cannot be read: {reason}.")
