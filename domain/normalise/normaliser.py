"""What a normaliser is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from domain.naming import fingerprint

Step = Callable[[str], str]
Unit = Literal["word", "character"]


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Steps that turn a transcript into tokens with single spaces between them.

    Applying it twice changes nothing more. Whoever changes what a step does raises `version`.

    >>> from domain.normalise import normaliser_for
    >>> normaliser_for("en-US")('"Holy cow!" said Batman.')
    'holy cow said batman'
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    comparable: bool = True
    """Whether a WER after these rules can be held against the service's own figure."""
    unit: Unit = "word"
    """What the tokens between spaces are; with `character`, Latin words and numbers are still whole."""

    def __call__(self, text: str) -> str:
        """The normalised text; empty when `text` holds no words."""
        for step in self.steps:
            text = step(text)
        return text

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over name, version and the names of the steps, in order."""
        return fingerprint(self.name, self.version, [step.__name__ for step in self.steps])
