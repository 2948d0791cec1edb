"""What the check of a stranger's data may use, and the error that says that it wanted more."""

from dataclasses import dataclass, replace

from domain.mistakes import Mistake

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one check. Each program that the check starts has them for itself, too.

    Attributes:
        seconds: of wall-clock time for the whole check, and of processor time for each program.
        memory: bytes of address space of each program.
        disk: bytes of all files of the tracks together, and of each file that a program writes.
        files: of the tracks together.
    """

    seconds: float = 900
    memory: int = 2_000 * MEGABYTE
    disk: int = 1_000 * MEGABYTE
    files: int = 20_000

    def with_disk(self, most: int) -> "Limits":
        """The same with another limit of bytes, but never a larger one."""
        return replace(self, disk=min(self.disk, most))


class LimitExceeded(Mistake):
    """A check needs more than it may use: the data are neither right nor wrong, they are not judged."""


def check_files(count: int, limits: Limits | None) -> None:
    """Refuse more files than a check may use.

    Raises:
        LimitExceeded: there are more.
    """
    if limits and count > limits.files:
        raise LimitExceeded(f"the tracks have {count:,} files, more than the {limits.files:,} that a check takes")


def check_bytes(size: int, limits: Limits | None) -> None:
    """Refuse larger files than a check may use.

    Raises:
        LimitExceeded: together they are larger.
    """
    if limits and size > limits.disk:
        most = limits.disk // MEGABYTE
        raise LimitExceeded(
            f"the tracks' files have {size // MEGABYTE:,} MB, more than the {most:,} MB that a check takes"
        )
