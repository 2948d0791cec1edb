"""Pages of a list: `skip` and `top`, and the address of the next one."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic.alias_generators import to_snake

from emulator.addresses import Addresses
from emulator.errors import invalid
from emulator.filters import parse_filter

DEFAULT_TOP = 100
"""Microsoft does not state the default; this one is ours, as is the largest page."""
MAX_TOP = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """The paging part of a list request."""

    skip: int
    top: int
    filter: str | None

    def of(
        self, items: Iterable[T], show: Callable[[T], dict[str, Any]], properties: frozenset[str]
    ) -> tuple[list[dict[str, Any]], bool]:
        """The bodies on this page, and whether more follow."""
        keep = parse_filter(self.filter, properties)
        shown = (body for body in map(show, items) if keep(body))
        found = list(islice(shown, self.skip, self.skip + self.top + 1))
        return found[: self.top], len(found) > self.top

    def pick(self, documents: Iterable[str], properties: frozenset[str]) -> tuple[list[str], bool]:
        """The stored documents on this page, and whether more follow.

        Filters read the plain JSON: a list of ten thousand entities would take seconds if each became an object.
        """
        keep, names = parse_filter(self.filter, properties), {name: to_snake(name) for name in properties}
        if self.filter:
            documents = (document for document in documents if keep(_fields(document, names)))
        found = list(islice(documents, self.skip, self.skip + self.top + 1))
        return found[: self.top], len(found) > self.top

    def body(
        self, values: list[dict[str, Any]], more: bool, addresses: Addresses, path: str, **query: Any
    ) -> dict[str, Any]:
        """The paginated answer; `@nextLink` is absent on the last page."""
        if not more:
            return {"values": values}
        following = {"skip": self.skip + self.top, "top": self.top, "filter": self.filter, **query}
        return {"values": values, "@nextLink": addresses.of(path, **following)}


def _fields(document: str, names: Mapping[str, str]) -> dict[str, Any]:
    stored = json.loads(document)
    return {name: stored.get(key) for name, key in names.items()}


def page(
    skip: Annotated[int, Query()] = 0,
    top: Annotated[int, Query()] = DEFAULT_TOP,
    filter: Annotated[str | None, Query()] = None,  # noqa: A002  Azure's name
) -> Page:
    """Read the paging parameters of a request."""
    if not (0 <= skip < 2**31 and 1 <= top < 2**31):
        message = "skip must be at least 0 and top at least 1."
        raise invalid("UnsupportedPagination", message, "skip" if skip < 0 else "top")
    return Page(skip, min(top, MAX_TOP), filter)


Paging = Annotated[Page, Depends(page)]
