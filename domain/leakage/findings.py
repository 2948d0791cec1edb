"""What was found: leaks and oddities as records, and as problems that people can mend."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.problems import Problem


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Leak(_Record):
    """One thing that training and testing data share, or one thing that is odd. `file` and `line` are where people mend it."""

    kind: str
    """Such as `same text`: what to do about it is in `domain.leakage.REMEDIES`."""
    file: str
    line: int | None = None
    utterance: str | None = None
    """The testing recording that is concerned."""
    reason: str
    """A sentence for people, without a transcript."""
    blocks: bool = True
    """Whether the testing data cannot be trusted because of it; otherwise people are told."""
    suspicious: bool = True
    """Whether it can make a gain look larger than it is; if not, it is only worth knowing."""


class LeakReport(_Record):
    """All that was found, and what was looked at."""

    leaks: tuple[Leak, ...] = ()
    checked: tuple[str, ...] = ()
    """What was looked at, in words."""

    @property
    def outcome(self) -> Literal["clean", "suspicious", "leaked"]:
        """Leaked when anything blocks, suspicious when anything can flatter a model, clean otherwise."""
        if any(leak.blocks for leak in self.leaks):
            return "leaked"
        return "suspicious" if any(leak.suspicious for leak in self.leaks) else "clean"

    @property
    def utterances(self) -> frozenset[str]:
        """The testing recordings that blocking leaks concern: what is left without them can still be judged."""
        return frozenset(leak.utterance for leak in self.leaks if leak.blocks and leak.utterance)

    def __add__(self, other: "LeakReport") -> "LeakReport":
        """What two searches found, for instance in the current training data and in those of earlier models."""
        return LeakReport(
            leaks=tuple(dict.fromkeys(self.leaks + other.leaks)),
            checked=tuple(dict.fromkeys(self.checked + other.checked)),
        )


_TAKE_OUT = "Take the line out of the training data, or the recording out of the testing data."
_KEEP_APART = "Keep the recording in one of the two."
_CORRECT = "Correct or remove the line if it is not what people say."

REMEDIES = {
    "same text": _TAKE_OUT,
    "near text": _TAKE_OUT,
    "copied passages": "Take the passage out of the training data, or the recording out of the testing data.",
    "short text": "Nothing need be done when these are phrases that everybody says.",
    "shared phrases": "Write training text from other sources than the testing transcripts.",
    "same bytes": _KEEP_APART,
    "same audio": _KEEP_APART,
    "tested twice": "Keep one of the two.",
    "speaker": "Test with other speakers too if the model is for people who are not known yet.",
    "session": "Test with recordings of other sessions.",
    "repeated line": "Keep one of them, unless the weight is meant.",
    "repeated words": "Azure may drop the line: shorten it.",
    "special characters": "Azure may drop the line: write what is said in plain letters.",
    "composition": "Save the file in Unicode NFC, or words that look the same are different ones.",
    "hidden characters": "Remove them: nobody can see what they hide.",
    "other script": _CORRECT,
    "markup": _CORRECT,
    "instructions": _CORRECT,
    "not searched": "Keep what models have learnt for as long as they are in use.",
    "balance": "Add recordings of it, or do not judge it on its own.",
}
"""What to do, by kind of leak."""


def as_problems(report: LeakReport) -> list[Problem]:
    """The blocking leaks as problems of a track's data, each with its remedy, in the report's order."""
    blocking = (leak for leak in report.leaks if leak.blocks)
    return [Problem(one.file, one.line, one.reason, REMEDIES.get(one.kind, _KEEP_APART)) for one in blocking]
