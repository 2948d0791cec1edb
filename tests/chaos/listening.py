"""A client that transcribes throughout, and has no reason to complain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.chaos.facts import asked
from tests.chaos.lanes import Track
from tests.chaos.world import World

_EVERY_SECONDS = 0.8


@asynccontextmanager
async def transcribing(world: World, track: Track, endpoint: str) -> AsyncIterator[list[str]]:
    """One recording after the other through the live endpoint; what was wrong with the answers."""
    complaints: list[str] = []
    if not endpoint:
        yield complaints
        return
    work = asyncio.create_task(_transcribe(world, track, endpoint, complaints))
    try:
        yield complaints
    finally:
        work.cancel()


async def _transcribe(world: World, track: Track, endpoint: str, complaints: list[str]) -> None:
    emulator = world.services["emulator"]
    known = {track.heard(count) for count in range(1, len(track.names) + 1)}
    while True:
        before = emulator.outages
        try:
            answer = await asked(world, endpoint, track)
            wrong = _wrong(answer, known)
        except httpx.HTTPError as error:
            wrong = type(error).__name__
        if wrong and emulator.outages == before and not emulator.busy.locked():
            complaints.append(wrong)
        await asyncio.sleep(_EVERY_SECONDS)


def _wrong(answer: httpx.Response, known: set[str]) -> str:
    """An answer of any model of the track will do: one that is live, or was, or will be."""
    if not answer.is_success:
        return f"HTTP {answer.status_code}: {answer.text[:200]}"
    text = str(answer.json().get("DisplayText", "")).rstrip(".").lower()
    return "" if text in known else f"{text!r}"
