"""What every code host can do for us, in our words."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Body = Callable[[str], str]


class Status(StrEnum):
    """What a commit's status can be; each host has its own words for it."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it is now; commits are full ids."""

    number: int
    head: str
    base: str
    """The newest commit of the branch that it would be merged into, as far as the host knows."""
    labels: frozenset[str] = frozenset()
    from_fork: bool = True
    """Whether its commits come from a repository in which others may write."""


class CodeHost(Protocol):
    """One repository on a code host.

    All methods raise `HostBusy` for what may pass, and `Mistake` for what a person must mend.
    """

    def head_ref(self, number: int) -> str:
        """The full name of the ref under which the repository keeps a pull request's commits."""
        ...

    async def pull_request(self, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    async def status(self, number: int, commit: str, name: str, status: Status, text: str, link: str = "") -> None:
        """Set the status `name` of a commit of a pull request; setting the same again changes nothing.

        Args:
            number: the pull request.
            commit: the full id.
            name: what the status is called, such as `speechops/data`.
            status: what it is now.
            text: one line for people; a long one is cut.
            link: where they find more; empty for none.
        """
        ...

    async def comment(self, number: int, marker: str, body: Body) -> None:
        """Write the one comment of ours: it begins with the marker, and is changed when it is there already.

        `body` makes the new text from the old one, which is empty when there is no comment yet. Without a new text none
        is written.

        A comment of somebody else that begins with the marker is left alone.
        """
        ...
