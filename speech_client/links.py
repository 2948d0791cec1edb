"""Addresses: which entity is meant, and which links may be followed with our credential."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

from speech_client.entities import EntityReference, last_part
from speech_client.errors import BadInput, UnexpectedAnswer
from speech_client.redaction import redact

Which: TypeAlias = str | EntityReference
"""An entity, a reference to one, its address, or just its id."""

API = "/speechtotext/"

AZURE_DOMAINS = (
    (".api.cognitive.microsoft.com", ".cognitiveservices.azure.com"),
    (".api.cognitive.microsoft.us", ".cognitiveservices.azure.us"),
    (".api.cognitive.azure.cn", ".cognitiveservices.azure.cn"),
)
"""Per cloud: the domain of regional hosts and that of custom domains; one resource answers under both."""


def id_of(which: Which) -> str:
    """Return the id of the entity, ready to stand in a path.

    >>> id_of("https://host/speechtotext/datasets/9d5f?api-version=2024-11-15")
    '9d5f'
    """
    name = which.id if isinstance(which, EntityReference) else last_part(which)
    if name in ("", ".", ".."):
        raise BadInput("An entity's id is missing: give an entity, its reference, its address or its id.")
    return quote(name, safe="")


def endpoint_of(address: str) -> str:
    """Return `address` as the base of all requests, without a slash at its end.

    Raises:
        BadInput: It is no http(s) address.
    """
    parts = _split(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        raise BadInput(
            f"{address!r} is no address of a Speech service. Give scheme and host, for example "
            "https://westus.api.cognitive.microsoft.com or http://127.0.0.1:8765."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(API.rstrip('/'))}"


def followed(link: str, endpoint: str) -> str:
    """Return the address at `endpoint` that a link of the service means.

    Only links to the same service are followed: same scheme and host, or, in Azure, another name of the resource
    (its custom domain and its region's host). The request goes to `endpoint` in any case.

    Raises:
        UnexpectedAnswer: The link leads to another service.
    """
    there, here = _split(link), urlsplit(endpoint)
    same = (there.scheme, there.netloc) == (here.scheme, here.netloc) or _same_cloud(there.hostname, here.hostname)
    if not same or API not in there.path:
        raise UnexpectedAnswer(
            f"The service at {endpoint} gave a link to {redact(there.scheme)}://{redact(there.netloc)}, which is "
            "another service; it was not followed. Check the endpoint, and any proxy before it."
        )
    return f"{endpoint}{there.path[there.path.index(API) :]}?{there.query}".removesuffix("?")


def _split(link: str) -> SplitResult:
    try:
        return urlsplit(link)
    except ValueError:  # such as brackets that are no IPv6 address
        return urlsplit("")


def _same_cloud(there: str | None, here: str | None) -> bool:
    return any((there or "").endswith(domains) and (here or "").endswith(domains) for domains in AZURE_DOMAINS)
