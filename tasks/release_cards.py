"""Cards of releases, kept as evidence: JSON for programs, Markdown for people."""

import asyncio
import traceback

from prefect.logging import get_run_logger

from domain.golden import Hearing
from domain.ledger import Release
from domain.report.release_card import ReleaseCard, release_card, release_page
from domain.ruling import Decision, Ruling
from tasks import evidence
from tasks.entities import Remote
from tasks.pages import model_card
from tasks.store import Store
from tasks.vault import read_comparison

CARD, PAGE = "card.json", "card.md"


async def keep_card(
    store: Store, ruling: Ruling, release: Release, endpoint: Remote, staging: Hearing | None, live: Hearing | None
) -> str:
    """Write a release's card, and return its digest; a card that cannot be made is told in the log, and holds nothing up."""
    try:
        decision = Decision(digest=release.evidence, ruling=ruling)
        comparison = await read_comparison(store, ruling.comparison)
        told = await model_card(store, decision)
        card = await asyncio.to_thread(
            release_card, release, decision, comparison, told, endpoint.name, (staging, live)
        )
        files = {CARD: card.model_dump_json(indent=2).encode(), PAGE: release_page(card).encode()}
        return await evidence.keep(store, files)
    except Exception as error:  # its message may quote what people said
        place = traceback.extract_tb(error.__traceback__)[-1]
        get_run_logger().error(
            "The card of release %d could not be made (%s at %s:%s). The release goes on without.",
            release.number, type(error).__name__, place.name, place.lineno,
        )  # fmt: skip
        return ""


async def read_card(store: Store, digest: str) -> ReleaseCard:
    """A card from the evidence.

    Raises:
        Mistake: there is none, or it has been changed.
    """
    return ReleaseCard.model_validate_json(await evidence.recall(store, digest, CARD))


async def read_card_page(store: Store, digest: str) -> str:
    """The same in Markdown. Raises as `read_card` does."""
    return (await evidence.recall(store, digest, PAGE)).decode()
