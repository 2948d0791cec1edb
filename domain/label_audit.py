"""References that are probably wrong: every model hears the same thing, and it is not what the reference says."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.comparison import Comparison
from domain.wer import UtteranceScore


@dataclass(frozen=True, slots=True)
class Doubt:
    """A testing recording whose reference people should listen to. `words` are said and heard; None stands for no word."""

    utterance: str
    words: tuple[tuple[str | None, str | None], ...]


def doubtful_references(comparison: Comparison) -> tuple[Doubt, ...]:
    """The recordings that benchmark, candidate and base heard alike and unlike the reference, by number of such words.

    A base that was not measured has no say. The models share training data, so they may share a mistake: whoever is
    told listens before correcting. Recordings in which all heard nothing are among them.
    """
    doubts = (_doubt(*scores) for scores in _measured_by_all(comparison))
    return tuple(sorted(filter(None, doubts), key=lambda doubt: (-len(doubt.words), doubt.utterance)))


def _measured_by_all(comparison: Comparison) -> Iterator[tuple[UtteranceScore, ...]]:
    models = (comparison.benchmark, comparison.candidate, comparison.base)
    first, *others = ({one.id: one for one in model.scorecard.utterances} for model in models if model)
    for identity, score in first.items():
        if all(identity in other for other in others):
            yield score, *(other[identity] for other in others)


def _doubt(first: UtteranceScore, *others: UtteranceScore) -> Doubt | None:
    unequal = any((one.reference, one.hypothesis) != (first.reference, first.hypothesis) for one in others)
    if unequal or first.hypothesis == first.reference:
        return None
    words = tuple((said, heard) for operation, said, heard in first.steps() if operation != "H")
    return Doubt(first.id, words)
