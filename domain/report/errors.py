"""What went wrong, word by word, in one pass over the scorecards: a report of 100,000 utterances takes seconds."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import NamedTuple

from domain.alignment import DELETION, HIT, INSERTION, SUBSTITUTION
from domain.comparison import Comparison
from domain.wer import Scorecard, UtteranceScore

_WRONG = re.compile("[SDI]")


Confusion = tuple[str | None, str | None]
"""What was said and what was heard instead; None stands for "nothing": a word put in, or left out."""

WordError = tuple[str, int, str | None, str | None]
"""S, D or I; the place, which counts reference words from 0 (an insertion stands before that word); said; heard. A plain
tuple, for there are hundreds of thousands."""


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Words with how often, over all utterances that two models have in common."""

    fixed: Counter[str]
    broken: Counter[str]
    missed: Counter[str]
    """Reference words that the candidate did not hear right."""
    before: Counter[Confusion]
    """The benchmark's confusions."""
    after: Counter[Confusion]
    """The candidate's."""


def is_right(utterance: UtteranceScore) -> bool:
    """Whether every word was heard right, and nothing else."""
    return utterance.alignment.count(HIT) == len(utterance.alignment)


def errors_of(utterance: UtteranceScore) -> list[WordError]:
    """The errors of one utterance, from left to right.

    >>> errors_of(UtteranceScore("a.wav", "take me to qasba", "take to qasba now", "HDHHI"))
    [('D', 1, 'me', None), ('I', 4, None, 'now')]
    """
    if is_right(utterance):
        return []
    said, heard = utterance.reference.split(), utterance.hypothesis.split()
    errors: list[WordError] = []
    inserted = deleted = 0
    for found in _WRONG.finditer(utterance.alignment):
        operation, step = found[0], found.start()
        if operation == INSERTION:
            errors.append((operation, step - inserted, None, heard[step - deleted]))
            inserted += 1
        elif operation == DELETION:
            errors.append((operation, step - inserted, said[step - inserted], None))
            deleted += 1
        else:
            errors.append((operation, step - inserted, said[step - inserted], heard[step - deleted]))
    return errors


def word_errors(comparison: Comparison) -> WordErrors:
    """Fixed, broken, missed and confused words of benchmark and candidate."""
    fixed: list[str] = []
    broken: list[str] = []
    before: list[Confusion] = []
    after: list[Confusion] = []
    earlier = {utterance.id: utterance for utterance in comparison.benchmark.scorecard.utterances}
    for utterance in comparison.candidate.scorecard.utterances:
        if (other := earlier.get(utterance.id)) is None or (is_right(other) and is_right(utterance)):
            continue
        was, now = errors_of(other), errors_of(utterance)
        before += [(said, heard) for _, _, said, heard in was]
        after += [(said, heard) for _, _, said, heard in now]
        missed, misses = _missed(was), _missed(now)
        if missed != misses:
            fixed += [word for place, word in missed.items() if place not in misses]
            broken += [word for place, word in misses.items() if place not in missed]
    missing = Counter(said for said, _ in after if said is not None)
    return WordErrors(Counter(fixed), Counter(broken), missing, Counter(before), Counter(after))


def _missed(errors: list[WordError]) -> dict[int, str]:
    return {place: said for _, place, said, _ in errors if said is not None}


class Change(NamedTuple):
    """How often two words are mixed up, by the benchmark and by the candidate."""

    said: str | None
    heard: str | None
    before: int
    after: int

    @property
    def kind(self) -> str:
        """S, D or I."""
        if self.heard is None:
            return DELETION
        return INSERTION if self.said is None else SUBSTITUTION


def changes(errors: WordErrors, most: int) -> list[Change]:
    """The confusions that matter most: frequent in either model, or changed; ties go by the words."""
    seen = Counter(errors.before)
    seen.update(errors.after)
    least = min(nlargest(most, seen.values()), default=0)
    found = (Change(*pair, errors.before[pair], errors.after[pair]) for pair, times in seen.items() if times >= least)
    return nsmallest(most, found, key=lambda one: (-one.before - one.after, -abs(one.before - one.after), _text(one)))


def _text(change: Change) -> tuple[str, str]:
    return change.said or "", change.heard or ""


def ranked(words: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """The words that occur most, ties by the alphabet, so that equal data make equal pages."""
    return nsmallest(most, words.items(), key=lambda item: (-item[1], item[0]))


def never_heard(comparison: Comparison, errors: WordErrors, said: Counter[str]) -> Counter[str]:
    """Of all the words that are said, with how often, those that no model heard right even once."""
    before = _by_reference(errors.before)
    never = {word for word, missed in errors.missed.items() if missed >= said[word] <= before[word]}
    if comparison.base is not None:
        never -= _heard(comparison.base.scorecard, never)
    return Counter({word: said[word] for word in never})


def _by_reference(confusions: Counter[Confusion]) -> Counter[str]:
    missed: Counter[str] = Counter()
    for (said, _), count in confusions.items():
        if said is not None:
            missed[said] += count
    return missed


def _heard(scorecard: Scorecard, words: set[str]) -> set[str]:
    """Those of the words that were heard right at least once."""
    heard: set[str] = set()
    for utterance in scorecard.utterances if words else ():
        if not words.isdisjoint(utterance.reference.split()):
            heard.update(word for word, right in utterance.heard_right() if right)
    return heard
