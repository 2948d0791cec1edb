"""Lists that come in pages, while others create and delete what they hold.

Azure counts pages by position (`skip`), so whoever deletes on an early page pushes something that we have not read yet
onto a page that we have; Azure's own words are that "some entities will be skipped".
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from pydantic import Field

from speech_client.connection import Connection
from speech_client.entities import AzureObject, EntityReference
from speech_client.errors import UnexpectedAnswer

O = TypeVar("O", bound=EntityReference)  # noqa: E741  # an object of Azure

MOST_PASSES = 10
_log = logging.getLogger(__name__)


class Page(AzureObject, Generic[O]):
    """One page of a list. `values` must be there: an empty list means that nothing was found."""

    values: tuple[O, ...]
    next_link: str | None = Field(default=None, alias="@nextLink")


async def pages(
    connection: Connection, path: str, shape: type[O], params: dict[str, str], *, steady: bool = False
) -> AsyncIterator[O]:
    """Yield everything that a list holds, each once: what is there all the time is not skipped, whoever deletes.

    A list of one page is one look. A longer one is read again, until all that a pass has read is still there in the
    next pass: then nothing was pushed from one page to another during the former. So a quiet list costs each page
    twice. A list that never comes to rest is given up after `MOST_PASSES`, with a warning in the log.

    Args:
        connection: Where to ask.
        path: Of the list.
        shape: Of its members.
        params: Query of the first page; the others follow from links.
        steady: Nothing vanishes from this list, so one pass will do.
    """
    told: set[str] = set()
    before: set[str] | None = None
    for _ in range(MOST_PASSES):
        now: set[str] = set()
        count = 0
        async for page, _retry_after in page_by_page(connection, path, shape, params):
            count += 1
            now.update(value.id for value in page.values)
            for value in page.values:
                if value.id not in told:
                    told.add(value.id)
                    yield value
        if steady or count == 1 or (before is not None and before <= now):
            return
        before = now
    _log.warning("The list of %s changed each of the %d times that it was read; it may lack some.", path, MOST_PASSES)


async def page_by_page(
    connection: Connection, path: str, shape: type[O], params: dict[str, str]
) -> AsyncIterator[tuple[Page[O], float | None]]:
    """Yield the pages of a list as they come, each with the seconds of its Retry-After, if any."""
    answer = await connection.get(path, params)
    followed: set[str] = set()
    while True:
        page: Page[O] = answer.parse(Page[shape])  # type: ignore[valid-type]  # a type known only at run time
        yield page, answer.retry_after
        if not page.next_link:
            return
        if page.next_link in followed:
            raise UnexpectedAnswer(f"The list of {path} leads back to a page that was read already. Report it.")
        followed.add(page.next_link)
        answer = await connection.follow(page.next_link)
