"""Whether testing data leaked into training data, and whether training data are poisoned: then no figure means anything."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Leak(_Record):
    """One thing that training and testing data share, or one thing that is odd. `file` and `line` are where people mend it."""

    kind: str
    """Such as `same text`, `near text`, `same bytes`, `same audio`, `speaker`, `session`."""
    file: str
    line: int | None = None
    utterance: str | None = None
    """The testing recording that is concerned."""
    reason: str
    """A sentence for people, without a transcript."""
    blocks: bool = True
    """Whether the testing data cannot be trusted because of it; otherwise people are told."""


class LeakReport(_Record):
    """All that was found, and what was looked at."""

    leaks: tuple[Leak, ...] = ()
    checked: tuple[str, ...] = ()
    """What was looked at, in words."""

    @property
    def outcome(self) -> Literal["clean", "suspicious", "leaked"]:
        """Clean when nothing was found, leaked when anything blocks."""
        if any(leak.blocks for leak in self.leaks):
            return "leaked"
        return "suspicious" if self.leaks else "clean"

    @property
    def utterances(self) -> frozenset[str]:
        """The testing recordings that blocking leaks concern: what is left without them can still be judged."""
        return frozenset(leak.utterance for leak in self.leaks if leak.blocks and leak.utterance)
