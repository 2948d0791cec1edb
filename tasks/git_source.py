"""Data of tracks in a git repository, at any commit that its server still has."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.changes import parts_of_tracks
from domain.mistakes import Mistake
from domain.plan import Plan, make_retest_plan
from domain.pushes import PushRules, is_no_commit
from tasks.changes import plan_range
from tasks.data_source import Opened, check_track
from tasks.git_address import same_repository
from tasks.git_copy import GitCopy
from tasks.git_remote import ASKING, GitRemote
from tasks.repository import NOTHING

_REF: Final = re.compile(r"refs/(heads|tags)/(?!.*\.\.)[\w./@+#=-]{1,255}")
_DIGITS: Final = 12
"""Of a commit's id, as people call a revision."""


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
        """The data at a commit, of one track or of all, in a temporary folder."""
        async with self._copy(revision) as copy:
            files = await asyncio.to_thread(copy.repository.files, revision, self.folder)
            author = await asyncio.to_thread(copy.repository.author, revision)
            check_track(
                parts_of_tracks(files, self.folder), track, f"{self.remote.address.url} at {revision[:_DIGITS]}"
            )
            await copy.check_out(revision, "/".join(filter(None, (self.folder, track))), self.lfs)
            yield Opened(copy.folder / self.folder, revision[:_DIGITS], (author,))

    def is_repository(self, address: str) -> bool:
        """Whether this is that repository, however it is reached."""
        return same_repository(self.remote.address, address)

    def holds_blob(self, account: str, container: str, blob: str) -> bool:
        """Never: blobs are in no repository."""
        return False

    @asynccontextmanager
    async def _copy(self, commit: str) -> AsyncIterator[GitCopy]:
        with tempfile.TemporaryDirectory(prefix="speechops-") as scratch:
            copy = GitCopy(self.remote, Path(scratch), self.branch)
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
        with tempfile.TemporaryDirectory(prefix="speechops-") as scratch:
            words = ("ls-remote", "--quiet", "--", self.remote.address.url, *patterns)
            ceiling = str(Path(scratch).parent)
            listed = await self.remote.ask(Path(scratch), *words, patience=ASKING, GIT_CEILING_DIRECTORIES=ceiling)
        return {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
