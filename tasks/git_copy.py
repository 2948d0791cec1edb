"""A temporary copy of single commits of a remote repository: their trees, and the files of some folders."""

import asyncio
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.changes import Change, Part, place_of
from domain.limits import check_bytes, check_files
from domain.listing import Entry
from domain.mistakes import Mistake
from tasks.git_remote import GitRefused, GitRemote
from tasks.repository import Repository
from tasks.scratch import remove_tree

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FETCH: Final = ("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--filter=blob:none")
_WHOLE: Final = "--depth=2147483647"
"""All of the history, even after a fetch of a part: git's own word for infinite."""

_CHECK_OUT: Final = ("checkout", "--quiet", "--force", "--", ".")
_POINTER: Final = b"version https://git-lfs"
_POINTED_SIZE: Final = re.compile(rb"^size (\d{1,18})$", re.MULTILINE)
_LONGEST_POINTER: Final = 1024
_RAW: Final = "* -text -ident -filter -working-tree-encoding\n"
"""Attributes that win over those of the repository: files come out byte by byte, and start no program of this machine."""

_BY_LFS: Final = "* -text -ident filter=lfs -working-tree-encoding\n"
_LFS_FILTER: Final = {
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.required": "true",
    "lfs.fetchexclude": "",
    "lfs.fetchinclude": "",
}


@dataclass(frozen=True, slots=True)
class GitCopy:
    """Commits of a remote repository, in an empty folder of ours."""

    remote: GitRemote
    folder: Path
    branch: str

    @property
    def repository(self) -> Repository:
        """To read trees and files that were fetched."""
        return Repository(self.folder, limits=self.remote.limits)

    async def start(self, commit: str) -> None:
        """Make it for repositories with commits of this kind.

        Raises:
            Mistake: this is not the full id of a commit.
        """
        if not _COMMIT.fullmatch(commit):
            raise Mistake(
                f"{commit[:80]!a} is not the full id of a commit. Give all its digits, or leave the revision empty for the newest."
            )
        kind = "sha256" if len(commit) == 64 else "sha1"
        await self.remote.ask(self.folder, "init", "--quiet", "--template=", f"--object-format={kind}")
        await self.remote.ask(self.folder, "config", "remote.origin.url", self.remote.address.url)
        self._attributes(_RAW)

    async def fetch(self, commit: str) -> bool:
        """Fetch a commit with its trees; whether it is there. Servers that give none by its id give the branch."""
        if not _COMMIT.fullmatch(commit):
            return False
        try:
            await self.remote.ask(self.folder, *_FETCH, "--depth=1", "origin", commit)
        except GitRefused as error:
            return "unadvertised" in error.said and await self._fetch_branch(commit)
        return True

    async def fetch_files(self, contents: Iterable[str]) -> None:
        """Fetch files by what identifies their content, all at once; those that are here are not fetched again."""
        if missing := sorted(set(filter(_COMMIT.fullmatch, contents)) - await self._objects()):
            words = ("--stdin", "--no-write-fetch-head", "origin")
            await self.remote.ask(self.folder, *_FETCH, *words, stdin="".join(f"{blob}\n" for blob in missing).encode())

    async def fetch_settings(self, changes: Sequence[Change], data: str) -> None:
        """Fetch the tracks' settings that differ, all at once: nothing else reads the content of files for a plan."""
        await self.fetch_files(_settings(changes, data))

    async def check_out(self, entries: Sequence[Entry], data: str, lfs: bool) -> None:
        """Write files that were listed, those of Git LFS as well. The copy is then nothing but these files.

        Only they reach the disk: no link, no attribute of the repository, and nothing that its names could lead to.

        Args:
            entries: the files.
            data: the folder of all tracks; it is there, even if it is empty.
            lfs: whether files of Git LFS are fetched.

        Raises:
            Mistake: files of Git LFS cannot be had.
            LimitExceeded: the files are more, or larger, than they may be.
        """
        (self.folder / data).mkdir(parents=True, exist_ok=True)
        if entries:
            await self._write(entries, lfs)
        await asyncio.to_thread(remove_tree, self.folder / ".git")

    async def _write(self, entries: Sequence[Entry], lfs: bool) -> None:
        check_files(len(entries), self.remote.limits)
        await self.fetch_files(entry.content for entry in entries)
        sizes = await self._sizes({entry.content for entry in entries})
        check_bytes(sum(sizes[entry.content] for entry in entries), self.remote.limits)
        listed = "".join(f"100644 {entry.content}\t{entry.path}\0" for entry in entries)
        await self.remote.ask(self.folder, "update-index", "-z", "--index-info", stdin=os.fsencode(listed))
        await self.remote.ask(self.folder, *_CHECK_OUT)
        if lost := [entry.path for entry in entries if not (self.folder / entry.path).is_file()]:
            raise Mistake(f"git does not write the file {ascii(lost[0])[:200]}. Rename it.")
        small = [self.folder / entry.path for entry in entries if sizes[entry.content] < _LONGEST_POINTER]
        await self._replace(await asyncio.to_thread(_pointers, small), lfs)

    async def _replace(self, pointers: Sequence[Path], lfs: bool) -> None:
        """Put the files of Git LFS in the place of their pointers."""
        if not pointers:
            return
        self._check_lfs(pointers[0], lfs)
        check_bytes(sum(map(_size_told, pointers)), self.remote.limits)
        for pointer in pointers:
            pointer.unlink()
        self._attributes(_BY_LFS)
        await self.remote.with_settings(_LFS_FILTER).ask(self.folder, *_CHECK_OUT)
        if left := await asyncio.to_thread(_pointers, pointers):
            raise Mistake(f"{self._pointer(left[0])}, and git-lfs did not replace it. Push the file once more.")

    async def _sizes(self, contents: Collection[str]) -> dict[str, int]:
        """Bytes of files that were fetched, without unpacking them."""
        asked = "".join(f"{content}\n" for content in contents).encode()
        told = await self.remote.ask(
            self.folder, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked, GIT_ALLOW_PROTOCOL=""
        )
        pairs = [line.split(" ") for line in told.splitlines()]
        if any(size == "missing" for _, size in pairs):
            raise ConnectionError(f"{self.remote.address.url} does not give all files of the commit")
        return {content: int(size) for content, size in pairs}

    def _check_lfs(self, pointer: Path, lfs: bool) -> None:
        if not lfs:
            raise Mistake(f"{self._pointer(pointer)}. Switch `lfs` on in the Git Data block.")
        if not shutil.which("git-lfs"):
            raise Mistake(
                f"{self._pointer(pointer)}, and git-lfs is not installed. Install it where the worker runs (`apt-get install "
                "git-lfs`)."
            )

    def _pointer(self, file: Path) -> str:
        place = f"{file.relative_to(self.folder)} in {self.remote.address.url}"
        return f"{place} is a Git LFS pointer, not the data themselves"

    async def _fetch_branch(self, commit: str) -> bool:
        refs = (f"+refs/heads/{self.branch}:refs/remotes/origin/{self.branch}", "+refs/tags/*:refs/tags/*")
        await self.remote.ask(self.folder, *_FETCH, _WHOLE, "origin", *refs)
        return commit in await self._objects()

    async def _objects(self) -> frozenset[str]:
        """What is here already; asking for one object plainly would load it."""
        words = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered")
        return frozenset((await self.remote.ask(self.folder, *words)).split())

    def _attributes(self, lines: str) -> None:
        file = self.folder / ".git/info/attributes"
        file.parent.mkdir(exist_ok=True)
        file.write_text(lines)


def _settings(changes: Sequence[Change], data: str) -> Iterator[str]:
    for change in changes:
        place = place_of(change.path, data)
        if place and place.part is Part.SETTINGS:
            yield from (side for side in (change.before, change.after) if _COMMIT.fullmatch(side))


def _pointers(files: Iterable[Path]) -> list[Path]:
    return [file for file in files if file.stat().st_size < _LONGEST_POINTER and file.read_bytes().startswith(_POINTER)]


def _size_told(pointer: Path) -> int:
    found = _POINTED_SIZE.search(pointer.read_bytes())
    return int(found[1]) if found else 0
