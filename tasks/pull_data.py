"""What a pull request is about: its commit, what a merge would change, and what that would start."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prefect import task

from domain.changes import Change, Part, TracksThere, parts_of_tracks, words_below
from domain.limits import LimitExceeded
from domain.mistakes import Mistake
from domain.plan import Plan
from domain.pull_report import PartChange, part_changes
from domain.track import TRACK_NAME
from tasks.blocks import find_block
from tasks.changes import plan_range
from tasks.code_hosts import CodeHost, PullRequest
from tasks.git_block import GitData
from tasks.git_copy import GitCopy
from tasks.git_remote import ASKING, GitRefused
from tasks.git_source import GitSource
from tasks.repository import NOTHING, is_no_file
from tasks.retrying import REMOTE
from tasks.scratch import scratch_folder

_HISTORY = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-auto-maintenance",
    "--no-write-fetch-head",
    "--filter=tree:0",
    "origin",
)

MOST_TRACKS = 50
"""Of one pull request. What is more is refused: anybody can make folders."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a merge would change.

    Attributes:
        changes: by track.
        tracks: those that would be there and differ.
        plan: what a merge would start.
        folders: of tracks, or of what could be taken for one: all that must be looked at.
    """

    changes: Mapping[str, tuple[PartChange, ...]]
    tracks: tuple[str, ...]
    plan: Plan
    folders: tuple[str, ...]


async def load_git(name: str) -> GitData:
    """The saved Git Data block of that name.

    Raises:
        Mistake: there is none; other sources have no pull requests.
    """
    block = await find_block(GitData, name)
    if block is None:
        raise Mistake(
            f"there is no Speechops Git Data block named '{name}'. Make it in the Prefect UI under Blocks: only git "
            "repositories have pull requests."
        )
    return block


async def checks_at_once(source: str) -> int:
    """How many pull requests of a source are checked at the same time."""
    return (await load_git(source)).checks_at_once


@task(name="find-pull-request", description="Its newest commit, and where it comes from.", **REMOTE)
async def find_pull(source: str, number: int) -> PullRequest:
    """The pull request as it is now. Without a token, git alone is asked; then it counts as one from a fork.

    Raises:
        Mistake: there is no such pull request, or it cannot be read with these settings.
    """
    block = await load_git(source)
    host, place = block.code_host(), block.source(source)
    if host is not None and block.has_token:
        return await host.pull_request(number)
    return PullRequest(number, await _head(place, host, number), await place.newest())


@task(name="compare-data", description="What a merge would change, and start.", **REMOTE)
async def compare(source: str, pull: PullRequest) -> Difference:
    """Compare the pull request's data with those from which it branched off.

    Raises:
        Mistake: the server does not have its commits (any more).
        LimitExceeded: they need more than the limits of the Git Data block.
    """
    block = await load_git(source)
    place = block.source(source).limited(block.limits)
    try:
        async with asyncio.timeout(block.limits.seconds):
            return await _difference(source, place, pull)
    except TimeoutError:
        raise LimitExceeded(f"the comparison did not end within {block.limits.seconds:.0f} s") from None


async def _difference(source: str, place: GitSource, pull: PullRequest) -> Difference:
    with scratch_folder() as scratch:
        copy = GitCopy(place.remote, scratch, place.branch)
        await copy.start(pull.head)
        fork = await _forked_at(place, pull)
        if not await copy.fetch(pull.head) or not (fork == NOTHING or await copy.fetch(fork)):
            raise Mistake(
                f"the repository of '{source}' does not have the commits of pull request {pull.number} (any more)."
            )
        changes = await asyncio.to_thread(copy.repository.changes, fork, pull.head, place.folder)
        await copy.fetch_settings(changes, place.folder)
        plan = await asyncio.to_thread(plan_range, copy.repository, fork, pull.head, place.folder)
        files = await asyncio.to_thread(copy.repository.files, pull.head, place.folder)
    found, there = part_changes(changes, place.folder), parts_of_tracks(files, place.folder)
    tracks = tuple(track for track in found if _is_track(track, there))
    return Difference({track: found[track] for track in tracks}, tracks, plan, _folders(changes, place.folder, tracks))


def _folders(changes: Iterable[Change], data: str, tracks: Sequence[str]) -> tuple[str, ...]:
    """The tracks, and where something else than a file has come."""
    odd = (change.path for change in changes if is_no_file(change.after))
    places = [words_below(path, data)[:1] or [path] for path in odd]
    names = dict.fromkeys(word for words in places for word in words)
    return tuple(dict.fromkeys([*tracks[:MOST_TRACKS], *list(names)[:MOST_TRACKS]]))


def _is_track(name: str, there: TracksThere) -> bool:
    return TRACK_NAME.fullmatch(name) is not None and Part.SETTINGS in there.get(name, ())


async def _head(place: GitSource, host: CodeHost | None, number: int) -> str:
    ref = host.head_ref(number) if host else f"refs/pull/{number}/head"
    with scratch_folder() as scratch:
        words = ("ls-remote", "--quiet", "--", place.remote.address.url, ref)
        ceiling = str(scratch.parent)
        listed = await place.remote.ask(scratch, *words, patience=ASKING, GIT_CEILING_DIRECTORIES=ceiling)
    if found := re.match(r"([0-9a-f]{40}|[0-9a-f]{64})\t", listed):
        return found[1]
    raise Mistake(
        f"{place.remote.address.url} has no pull request {number}. Correct the number, or the block's address."
    )


async def _forked_at(place: GitSource, pull: PullRequest) -> str:
    """Where the pull request branched off: commits alone are fetched for that. Zeros when the histories have nothing in common."""
    base = pull.base or await place.newest()
    with scratch_folder() as scratch:
        copy = GitCopy(place.remote, scratch, place.branch)
        await copy.start(pull.head)
        try:
            await place.remote.ask(copy.folder, *_HISTORY, pull.head, base)
        except GitRefused:
            raise Mistake(
                f"{place.remote.address.url} does not give the commits of pull request {pull.number}. Let it serve commits by "
                "their ids (git's `uploadpack.allowReachableSHA1InWant`), as the known code hosts do."
            ) from None
        parsed = await place.remote.ask(copy.folder, "rev-parse", f"{base}...{pull.head}")
    return next((line[1:] for line in parsed.splitlines() if line.startswith("^")), NOTHING)
