"""Data of tracks in a git repository, at any commit that its server still has."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from domain.changes import parts_of_tracks
from domain.limits import Limits
from domain.listing import concerns, refusals, top, wanted
from domain.mistakes import Mistake
from domain.plan import Plan, make_retest_plan
from domain.problems import DataRejected, Problem
from domain.pushes import PushRules, is_no_commit
from domain.track import TRACK_NAME
from tasks.changes import plan_range
from tasks.data_source import Opened, check_track
from tasks.git_address import same_repository
from tasks.git_copy import GitCopy
from tasks.git_remote import ASKING, GitRemote
from tasks.repository import NOTHING
from tasks.scratch import scratch_folder

_REF: Final = re.compile(r"refs/(heads|tags)/(?!.*\.\.)[\w./@+#=-]{1,255}")
_DIGITS: Final = 12
"""Of a commit's id, as people call a revision."""


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Tracks of a stranger on this machine: those that are not refused lie in the folder `data`."""

    data: Path
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class GitSource:
    """A `DataSource` in a git repository.

    Args:
        name: of its block.
        remote: the repository.
        branch: the one that it follows.
        retest_tags: patterns of tags that ask for a new test.
        folder: where all tracks are, relative to the repository's top; empty for the top itself.
        lfs: whether files of Git LFS are fetched.
    """

    name: str
    remote: GitRemote
    branch: str = "main"
    retest_tags: tuple[str, ...] = ("baseline/*",)
    folder: str = "data"
    lfs: bool = True

    @property
    def rules(self) -> PushRules:
        """Which pushes to it matter."""
        return PushRules((self.branch,), self.retest_tags)

    async def newest(self, ref: str = "") -> str:
        """The commit of the branch, or of a ref by its full name; an annotated tag counts as its commit."""
        wanted = ref or f"refs/heads/{self.branch}"
        if not _REF.fullmatch(wanted):
            raise Mistake(f"{wanted[:80]!a} is not the full name of a branch or a tag.")
        found = await self._refs(wanted, f"{wanted}^{{}}")
        if commit := found.get(f"{wanted}^{{}}") or found.get(wanted):
            return commit
        raise Mistake(
            f"{self.remote.address.url} has no {wanted}. Push it, or correct the branch in the Git Data block '{self.name}'."
        )

    async def plan(self, before: str, after: str, occasion: str = "") -> Plan:
        """What has to run; see `DataSource.plan`. Only the two commits' trees are fetched, and settings that differ."""
        if before == after:
            return Plan(revision=after)
        async with self._copy(after) as copy:
            gone = not before or is_no_commit(before) or not await copy.fetch(before)
            old = NOTHING if gone else before
            changes = await asyncio.to_thread(copy.repository.changes, old, after, self.folder)
            await copy.fetch_settings(changes, self.folder)
            return await asyncio.to_thread(
                plan_range, copy.repository, old, after, self.folder, occasion=occasion, digits=len(after)
            )

    async def plan_retest(self, revision: str, tag: str, occasion: str = "") -> Plan:
        """What has to run because a tag asks for a new test."""
        async with self._copy(revision) as copy:
            files = await asyncio.to_thread(copy.repository.files, revision, self.folder)
        return make_retest_plan(parts_of_tracks(files, self.folder), tag, revision=revision, occasion=occasion)

    @asynccontextmanager
    async def opened(self, revision: str, track: str = "") -> AsyncIterator[Opened]:
        """The data at a commit, of one track or of all, in a temporary folder. Links are refused, whatever they lead to."""
        async with self._copy(revision) as copy:
            listed = await asyncio.to_thread(copy.repository.entries, revision, self.folder)
            entries = [entry for entry in listed if not track or concerns(entry, self.folder, track)]
            if problems := [*refusals(entries, self.folder)]:
                raise DataRejected(problems)
            there = parts_of_tracks((entry.path for entry in listed), self.folder)
            check_track(there, track, f"{self.remote.address.url} at {revision[:_DIGITS]}")
            author = await asyncio.to_thread(copy.repository.author, revision)
            await copy.check_out(wanted(entries, self.folder), self.folder, self.lfs)
            yield Opened(copy.folder / self.folder, revision[:_DIGITS], (author,))

    @asynccontextmanager
    async def opened_for_check(self, revision: str, tracks: Collection[str]) -> AsyncIterator[CheckedOut]:
        """Tracks at a commit of a stranger, as far as they may be written, with what is refused of them.

        Raises:
            LimitExceeded: they need more than the limits of this source allow.
        """
        async with self._copy(revision) as copy:
            listed = await asyncio.to_thread(copy.repository.entries, revision, self.folder, tracks)
            problems = tuple(refusals(listed, self.folder))
            refused = {problem.file.partition("/")[0] for problem in problems}
            sound = [
                entry for entry in wanted(listed, self.folder) if _may_be_written(top(entry, self.folder), refused)
            ]
            await copy.check_out(sound, self.folder, self.lfs)
            yield CheckedOut(copy.folder / self.folder, problems)

    def limited(self, limits: Limits) -> "GitSource":
        """The same for commits of strangers."""
        return replace(self, remote=replace(self.remote, limits=limits))

    def is_repository(self, address: str) -> bool:
        """Whether this is that repository, however it is reached."""
        return same_repository(self.remote.address, address)

    def holds_blob(self, account: str, container: str, blob: str) -> bool:
        """Never: blobs are in no repository."""
        return False

    @asynccontextmanager
    async def _copy(self, commit: str) -> AsyncIterator[GitCopy]:
        with scratch_folder() as scratch:
            copy = GitCopy(self.remote, scratch, self.branch)
            await copy.start(commit)
            if not await copy.fetch(commit):
                raise await self._not_there(commit)
            yield copy

    async def _not_there(self, commit: str) -> Exception:
        """A server of many machines may not have everywhere what it has just shown: then another try helps."""
        if commit in (await self._refs()).values():
            return ConnectionError(f"{self.remote.address.url} shows the commit {commit}, but does not give it yet")
        return Mistake(
            f"{self.remote.address.url} does not have the commit {commit} (any more). Run again for the newest: leave the "
            "revision empty."
        )

    async def _refs(self, *patterns: str) -> dict[str, str]:
        """The commits of refs by their names; of all refs without a pattern."""
        with scratch_folder() as scratch:
            words = ("ls-remote", "--quiet", "--", self.remote.address.url, *patterns)
            ceiling = str(scratch.parent)
            listed = await self.remote.ask(scratch, *words, patience=ASKING, GIT_CEILING_DIRECTORIES=ceiling)
        return {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}


def _may_be_written(track: str, refused: Collection[str]) -> bool:
    """Only tracks are checked; their names stand in problems as they are."""
    return TRACK_NAME.fullmatch(track) is not None and track not in refused
