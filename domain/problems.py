"""What is wrong with a user's data, told so that they can mend it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.mistakes import Mistake

MOST_PROBLEMS = 100
"""Checking stops here: whoever has a hundred problems has one, a hundred times."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation of what the data must look like. It never quotes a transcript.

    >>> print(Problem("sharjah/testing/trans.txt", 3, "the line has no tab", "Put a tab after the file name."))
    sharjah/testing/trans.txt:3: the line has no tab. Put a tab after the file name.
    """

    file: str
    line: int | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}. {self.remedy}"


class DataRejected(Mistake):
    """A track's data have problems, all of which `problems` lists (at most `MOST_PROBLEMS`); nothing was uploaded.

    `hint` ends the message.
    """

    def __init__(self, problems: Iterable[Problem], hint: str = "") -> None:
        found = tuple(problems)
        self.problems = found[:MOST_PROBLEMS]
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        more = "\n  and more: mend these first, then run again." if len(found) >= MOST_PROBLEMS else ""
        after = f"\n{hint}" if hint else ""
        super().__init__(f"the data have {count}; nothing was uploaded.\n{listed}{more}{after}")


@contextmanager
def collected_in(problems: list[Problem]) -> Iterator[None]:
    """Go on after a rejection, with its problems added to `problems`.

    >>> found = []
    >>> with collected_in(found):
    ...     raise DataRejected([Problem("a.wav", None, "the file is empty", "Copy it again.")])
    >>> len(found)
    1
    """
    try:
        yield
    except DataRejected as rejected:
        problems.extend(rejected.problems)


def git_lfs_pointer(head: bytes, file: str) -> Problem | None:
    """The problem of a file that Git LFS has not fetched yet; `head` is how the file begins."""
    if not head.startswith(b"version https://git-lfs"):
        return None
    return Problem(file, None, "this is a Git LFS pointer, not the data themselves", "Run `git lfs pull`.")
