"""A git repository, read only: what differs between two commits, which files one has, what a file holds.

Works on a clone, a bare one and a shallow one, and inside a hook. No shell, and no word of a user is taken for an option.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from domain.changes import Change
from domain.limits import LimitExceeded, Limits
from domain.listing import Entry, Kind
from domain.mistakes import Mistake
from domain.pushes import is_no_commit
from tasks.confined import MOST_OUTPUT, Done, confined, exceeded

NOTHING = "0" * 40
"""As a commit: the state before the first file."""

_REF = re.compile(r"(?!-)(?!.*\.\.)[\w./@{}^~+#=-]{1,255}")
_LOCATION = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
             "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE"}  # fmt: skip
_SETTINGS = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
SAFE = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
"""Settings of a repository that would start programs: it may have come from somebody else, with its `.git`."""

_LINK, _SUBMODULE = "120000", "160000"
_KINDS: dict[str, Kind] = {_LINK: "link", _SUBMODULE: "submodule"}
_TREE = "040000"
_ABSENT = "000000"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository by its folder: the top of its working tree, or the bare repository itself.

    With `limits` it is a copy of a stranger's: git may use no more, and fetches nothing by itself.
    """

    folder: Path
    bare: bool = False
    limits: Limits | None = None

    def commit(self, ref: str) -> str:
        """The full id of the commit that a ref, a tag or the beginning of an id names; git's zeros stay as they are.

        Raises:
            Mistake: it names none, or this is a shallow clone that ends before it.
        """
        if is_no_commit(ref) and ref:
            return NOTHING
        if not _REF.fullmatch(ref):
            raise Mistake(f"{ref[:80]!a} is not the name of a commit. Name a branch, a tag or a commit's id.")
        if found := self._attempt("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"):
            return os.fsdecode(found).strip()
        raise self._no_commit(ref)

    def parent(self, commit: str) -> str:
        """The first parent of a commit; zeros when it is the first commit of all.

        Raises:
            Mistake: this is a shallow clone that ends here.
        """
        head = self.read("cat-file", "commit", commit).partition(b"\n\n")[0]
        return self.commit(f"{commit}^") if b"\nparent " in head else NOTHING

    def author(self, commit: str) -> str:
        """Who made a commit, as it says itself, such as `Ada <ada@example.org>`."""
        words = ("show", "--no-patch", "--no-show-signature", "--format=%an <%ae>", commit)
        return self.read(*words).decode("utf-8", "replace").strip()

    def changes(self, before: str, after: str, folder: str) -> tuple[Change, ...]:
        """What differs in a folder between the trees of two commits, whatever lies between them."""
        words = ("diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff")
        return _parsed(self.read(*words, self._tree(before), self._tree(after), *_below(folder)))

    def worktree_changes(self, before: str, folder: str) -> tuple[Change, ...]:
        """What differs in a folder between a commit and the files on disk; files that git ignores do not count."""
        if self.bare:
            raise Mistake(f"{self.folder} is a bare repository: it has no files on disk. Leave out --worktree.")
        words = ("diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--ignore-submodules=none")
        tracked = _parsed(self.read(*words, self._tree(before), *_below(folder)))
        new = self.read("ls-files", "-z", "--others", "--exclude-standard", *_below(folder))
        return (*tracked, *(Change(path, after="on disk") for path in _names(new)))

    def files(self, commit: str, folder: str) -> tuple[str, ...]:
        """The paths of a folder at a commit."""
        if is_no_commit(commit):
            return ()
        return tuple(_names(self.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, *_below(folder))))

    def entries(self, commit: str, data: str, tracks: Iterable[str] = ()) -> list[Entry]:
        """What a commit lists below the folder of all tracks: all of it, or what is below these names.

        The folders in which that folder lies are listed only when they are links or submodules.
        """
        folders = [path.as_posix() for path in (PurePosixPath(data), *PurePosixPath(data).parents) if path.name]
        words = ("ls-tree", "-z", "--full-tree", commit, "--")
        above = _entries(self.read(*words, *folders)) if folders else ()
        below = [f"{data}/{track}".lstrip("/") for track in tracks] or [data]
        found = _entries(self.read("ls-tree", "-r", *words[1:], *filter(None, below)))
        linked = [entry for entry in above if entry.kind != "file"]
        return [*linked, *(entry for entry in found if entry not in linked)]

    def content(self, commit: str, path: str, most: int) -> bytes | None:
        """What a file holds at a commit; None when it is not there, is no file, or is larger than `most` bytes."""
        if is_no_commit(commit):
            return None
        size = self._attempt("cat-file", "-s", f"{commit}:{path}")
        return self._attempt("cat-file", "blob", f"{commit}:{path}") if size and int(size) <= most else None

    def read(self, *words: str) -> bytes:
        """What a git command prints.

        Raises:
            Mistake: git refuses.
        """
        done = self._run(*words)
        if done.returncode:
            raise _refused(self.folder, words[0], done.stderr)
        return done.stdout

    def _attempt(self, *words: str) -> bytes | None:
        done = self._run(*words)
        return None if done.returncode else done.stdout

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return _limited(self.folder, self.limits, words) if self.limits else _git(self.folder, *words)

    def _tree(self, commit: str) -> str:
        """What to compare: the commit, or the tree without any file, whose id depends on the repository's hash."""
        if not is_no_commit(commit):
            return commit
        return self.read("hash-object", "-t", "tree", "--stdin").decode().strip()

    def _no_commit(self, ref: str) -> Mistake:
        if (self._attempt("rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
            remedy = f"It is a shallow clone: run `git fetch --depth=1 origin {ref}`, or `git fetch --unshallow`."
        else:
            remedy = "Run `git fetch`, or correct the name; 0 stands for the state before the first file."
        return Mistake(f"{self.folder} has no commit '{ref}'. {remedy}")


def open_repository(folder: Path) -> Repository:
    """The repository that a folder belongs to.

    Raises:
        Mistake: it belongs to none, or git is not installed.
    """
    done = _git(folder, "rev-parse", "--show-toplevel")
    if not done.returncode:
        return Repository(Path(os.fsdecode(done.stdout).removesuffix("\n")))
    done = _git(folder, "rev-parse", "--absolute-git-dir")
    if done.returncode:
        raise _refused(folder, "rev-parse", done.stderr)
    return Repository(Path(os.fsdecode(done.stdout).removesuffix("\n")), bare=True)


def is_no_file(content: str) -> bool:
    """Whether the identity of a change's content is that of a link or a submodule.

    >>> is_no_file("120000 0badc0de"), is_no_file("0badc0de")
    (True, False)
    """
    return content.startswith((f"{_LINK} ", f"{_SUBMODULE} "))


def git_environment() -> dict[str, str]:
    """The environment for git, without the repository that git itself names to its hooks."""
    return {name: value for name, value in os.environ.items() if name not in _LOCATION} | _SETTINGS


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), *SAFE, *words]
    try:
        return subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, env=git_environment()
        )
    except FileNotFoundError:
        raise Mistake("this needs git. Install it and run again.") from None


def _limited(folder: Path, limits: Limits, words: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """Run git with limits. It prints into files, which cannot grow beyond the limit either.

    Raises:
        LimitExceeded: git needs more.
    """
    command = confined(["git", "-C", str(folder), *SAFE, *words], limits.with_disk(MOST_OUTPUT))
    env = git_environment() | {"GIT_ALLOW_PROTOCOL": ""}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, timeout=limits.seconds
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        printed = [_content_of(stream.fileno()) for stream in (out, err)]
    if limit := exceeded(Done(code, *printed)):
        raise LimitExceeded(f"`git {words[0]}` needs more than {limit}")
    return subprocess.CompletedProcess(command, code or 0, *printed)


def _content_of(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _refused(folder: Path, command: str, stderr: bytes) -> Mistake:
    said = (stderr.decode(errors="replace").strip() or "no reason was given").splitlines()[0]
    if "not a git repository" in said:
        return Mistake(f"{folder} belongs to no git repository. Run this in the project's folder.")
    said = re.sub(r"://[^/\s]*@", "://…@", said.removeprefix("fatal: "))
    return Mistake(f"git {command} failed in {folder}: {said}. Mend that and run again.")


def _parsed(raw: bytes) -> tuple[Change, ...]:
    fields = iter(raw.split(b"\0")[:-1])
    found = (_change(head.decode(), os.fsdecode(path)) for head, path in zip(fields, fields, strict=True))
    return tuple(change for change in found if change.before != change.after)


def _change(head: str, path: str) -> Change:
    old_mode, new_mode, before, after, _ = head.removeprefix(":").split(" ")
    return Change(path, _content(old_mode, before), _content(new_mode, after))


def _content(mode: str, blob: str) -> str:
    """What tells content apart: git's id, and whether it is a link. Zeros stand for a file on disk."""
    if mode == _ABSENT:
        return ""
    known = "on disk" if is_no_commit(blob) else blob
    return f"{mode} {known}" if mode in (_LINK, _SUBMODULE) else known


def _entries(listed: bytes) -> Iterator[Entry]:
    for line in listed.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, content = head.decode().split(" ")
        if mode != _TREE:
            yield Entry(os.fsdecode(path), _KINDS.get(mode, "file"), content)


def _below(folder: str) -> tuple[str, ...]:
    return ("--", folder) if folder else ()


def _names(listed: bytes) -> Iterable[str]:
    return (os.fsdecode(name) for name in listed.split(b"\0")[:-1])
