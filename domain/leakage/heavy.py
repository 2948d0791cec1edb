"""Lines that stand in a text too often, found in one reading with little memory."""

import hashlib
from collections.abc import Iterator

_ROOM = 20
"""Counters for each share that is asked for: counts are then at most a twentieth of that share too low."""


class HeavyHitters:
    """Counts texts that hold a share of all: Misra and Gries (1982), "Finding repeated elements".

    No count is ever too high, so whoever is told of was there at least as often. With few different texts they are exact.

    >>> lines = HeavyHitters(share=0.5)
    >>> for number, text in enumerate(["go", "stop", "go", "go"], start=1):
    ...     lines.add(text, number)
    >>> list(lines.above(2)), lines.total
    ([(1, 3)], 4)
    """

    def __init__(self, share: float) -> None:
        self.total = 0
        self._share = share
        self._most = round(_ROOM / share)
        self._counts: dict[bytes, int] = {}
        self._first: dict[bytes, int] = {}

    def add(self, text: str, line: int) -> None:
        """Count a text that stands in a line; one without words does not count."""
        if not text:
            return
        self.total += 1
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self._counts:
            self._counts[digest] += 1
        elif len(self._counts) < self._most:
            self._counts[digest], self._first[digest] = 1, line
        else:
            self._forget()

    def _forget(self) -> None:
        self._counts = {digest: count - 1 for digest, count in self._counts.items() if count > 1}
        self._first = {digest: self._first[digest] for digest in self._counts}

    def above(self, count: int) -> Iterator[tuple[int, int]]:
        """First line and count of each text that was there more often than this and than the share, by line."""
        held = ((self._first[digest], seen) for digest, seen in self._counts.items())
        return (one for one in sorted(held) if one[1] > max(count, self._share * self.total))
