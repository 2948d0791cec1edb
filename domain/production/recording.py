"""A production recording as we know it: nobody has written down what was said, only what the models heard."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from domain.normalise import Normaliser

Vocabulary = Set[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the live model made of one recording."""

    name: str
    """Path of the transcript below its period's folder, without `.json`; its folder is what belongs together."""
    words: tuple[str, ...]
    """Normalised."""
    confidences: tuple[float, ...] = ()
    """0 to 1, of each word, where the service tells them."""
    seconds: float = 0.0
    base: tuple[str, ...] | None = None
    """What the base model heard in the same recording, normalised; None when nobody asked it."""

    @property
    def folder(self) -> str:
        """Speaker, caller or day, if the transcripts are kept in folders; otherwise empty.

        >>> Heard("2026-11-20/call-7", ()).folder, Heard("call-7", ()).folder
        ('2026-11-20', '')
        """
        return self.name.rpartition("/")[0]


def heard(
    name: str,
    text: str,
    confidences: tuple[float, ...],
    seconds: float,
    normaliser: Normaliser,
    base: str | None = None,
) -> Heard:
    """A recording from the texts as the service gives them."""
    other = None if base is None else tuple(normaliser(base).split())
    return Heard(name, tuple(normaliser(text).split()), confidences, seconds, other)


def beside_base(recordings: tuple[Heard, ...], base: Mapping[str, Heard]) -> tuple[Heard, ...]:
    """The recordings with what the base model heard in them, by name; the others stay as they are."""
    return tuple(replace(one, base=base[one.name].words) if one.name in base else one for one in recordings)
