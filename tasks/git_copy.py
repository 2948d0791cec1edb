"""A temporary copy of single commits of a remote repository: their trees, and the files of some folders."""

import asyncio
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.changes import Change, Part, place_of
from domain.mistakes import Mistake
from tasks.filesets import leads_out
from tasks.git_remote import GitRefused, GitRemote
from tasks.repository import Repository

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FETCH: Final = ("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--filter=blob:none")
_WHOLE: Final = "--depth=2147483647"
"""All of the history, even after a fetch of a part: git's own word for infinite."""

_POINTER: Final = b"version https://git-lfs"
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
        return Repository(self.folder)

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

    async def fetch_settings(self, changes: Sequence[Change], data: str) -> None:
        """Fetch the tracks' settings that differ, all at once: nothing else reads the content of files for a plan."""
        if missing := sorted(set(_settings(changes, data)) - await self._objects()):
            words = ("--stdin", "--no-write-fetch-head", "origin")
            await self.remote.ask(self.folder, *_FETCH, *words, stdin="".join(f"{blob}\n" for blob in missing).encode())

    async def check_out(self, commit: str, folder: str, lfs: bool) -> None:
        """Write the files of a folder, those of Git LFS as well. The copy is then nothing but these files.

        Raises:
            Mistake: it is a link that leads out of the repository, or files of Git LFS cannot be had.
        """
        (self.folder / ".git/info/sparse-checkout").write_text(f"/{folder}/\n" if folder else "/*\n")
        words = ("checkout", "--quiet", "--force", "--detach", commit)
        await self.remote.ask(self.folder, *words)
        place = self.folder / folder
        tracks = place.iterdir() if place.is_dir() else ()
        if any(leads_out(path, self.folder) for path in (place, *tracks)):
            raise Mistake(
                f"{folder} is a link that leads out of the repository {self.remote.address.url}. Push the files."
            )
        if pointers := await asyncio.to_thread(_pointers, place):
            self._check_lfs(pointers[0], lfs)
            await self._replace(pointers, words)
        if left := await asyncio.to_thread(_pointers, place):
            raise Mistake(f"{self._pointer(left[0])}, and git-lfs did not replace it. Push the file once more.")
        await asyncio.to_thread(shutil.rmtree, self.folder / ".git")

    async def _replace(self, pointers: Sequence[Path], check_out: Sequence[str]) -> None:
        for pointer in pointers:
            pointer.unlink()
        self._attributes(_BY_LFS)
        await self.remote.with_settings(_LFS_FILTER).ask(self.folder, *check_out)

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


def _pointers(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if path.stat().st_size < 1024 and path.read_bytes().startswith(_POINTER)]
