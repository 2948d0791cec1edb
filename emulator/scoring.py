"""What an evaluation measures: word errors on normalised text, token errors on display text; jiwer aligns.

Counts add up over recordings, rates come last, as fractions with four decimals (Azure's "results aren't multiplied by
100"). Token classes are named by the specification; which edit belongs to which class is our reading.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jiwer

from emulator.normaliser import normalise

_TOKEN = re.compile(r"\w+(?:['’.,]\w+)*|[^\w\s]")
TOKEN_CLASSES = ("punctuation", "capitalization", "inverseTextNormalization", "lexical", "others")

Edit = tuple[str | None, str | None]
"""A reference word and the recognised one in its place; None for an insertion or a deletion."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a recognised text differs from its reference, word by word."""

    correct: int
    edits: tuple[Edit, ...]

    @property
    def insertions(self) -> int:
        """Words too many."""
        return sum(reference is None for reference, _ in self.edits)

    @property
    def deletions(self) -> int:
        """Words missing."""
        return sum(recognised is None for _, recognised in self.edits)

    @property
    def substitutions(self) -> int:
        """Words in place of others."""
        return len(self.edits) - self.insertions - self.deletions

    @property
    def reference_words(self) -> int:
        """Length of the reference."""
        return self.correct + self.substitutions + self.deletions


@dataclass(slots=True)
class Tally:
    """Counts over all recordings of one model."""

    sentences: int = 0
    wrong_sentences: int = 0
    words: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, words: Alignment, tokens: Alignment) -> None:
        """Count one recording."""
        self.sentences += 1
        self.wrong_sentences += bool(words.edits)
        self.words.update(counts(words))
        self.tokens.update(counts(tokens))
        self.classes.update(token_class(edit) for edit in tokens.edits)

    def properties(self, number: int) -> dict[str, Any]:
        """The part of `EvaluationProperties` for model 1 or 2."""
        edits = sum(self.classes.values())
        errors = {
            name: {"numberOfEdits": self.classes[name], "percentageOfAllEdits": _percent(self.classes[name], edits)}
            for name in TOKEN_CLASSES
        }
        values = {**_measures("word", self.words), **_measures("token", self.tokens)}
        values["sentenceErrorRate"] = _rate(self.wrong_sentences, self.sentences)
        values |= {"sentenceCount": self.sentences, "tokenErrors": errors}
        return {f"{name}{number}": value for name, value in values.items()}


def unknown_properties() -> dict[str, Any]:
    """What stands in an evaluation until it has succeeded: -1 everywhere."""
    names = [*_measures("word", Counter()), *_measures("token", Counter()), "sentenceErrorRate", "sentenceCount"]
    return {f"{name}{number}": -1.0 if name.endswith("Rate") else -1 for number in (1, 2) for name in names}


def align_words(reference: str, recognised: str) -> Alignment:
    """Compare as the word error rate does: normalised."""
    return align(normalise(reference), normalise(recognised))


def align_tokens(reference: str, recognised: str) -> Alignment:
    """Compare as the token error rate does: display text, punctuation marks on their own."""
    return align(" ".join(_TOKEN.findall(reference)), " ".join(_TOKEN.findall(recognised)))


def align(reference: str, recognised: str) -> Alignment:
    """Compare texts whose words are separated by single spaces."""
    if not reference:
        return Alignment(0, tuple((None, word) for word in recognised.split()))
    if not recognised:
        return Alignment(0, tuple((word, None) for word in reference.split()))
    output = jiwer.process_words(reference, recognised)
    return Alignment(output.hits, tuple(_edits(output)))


def _edits(output: jiwer.WordOutput) -> Iterator[Edit]:
    expected, heard = output.references[0], output.hypotheses[0]
    for chunk in output.alignments[0]:
        if chunk.type == "equal":
            continue
        left = expected[chunk.ref_start_idx : chunk.ref_end_idx]
        right = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
        for position in range(max(len(left), len(right))):
            yield _at(left, position), _at(right, position)


def _at(words: list[str], position: int) -> str | None:
    return words[position] if position < len(words) else None


def counts(alignment: Alignment) -> dict[str, int]:
    """The five counts of an alignment."""
    return {
        "reference": alignment.reference_words,
        "correct": alignment.correct,
        "substitutions": alignment.substitutions,
        "deletions": alignment.deletions,
        "insertions": alignment.insertions,
    }


def token_class(edit: Edit) -> str:
    """The class of `TokenErrorDetails` that an edit belongs to."""
    present = [token for token in edit if token]
    if any(not any(letter.isalnum() for letter in token) for token in present):
        return "punctuation"
    if len(present) == 2 and present[0].casefold() == present[1].casefold():
        return "capitalization"
    if any(letter.isdigit() for token in present for letter in token):
        return "inverseTextNormalization"
    return "lexical"


def _measures(unit: str, found: Counter[str]) -> dict[str, Any]:
    capital = unit.capitalize()
    errors = found["substitutions"] + found["deletions"] + found["insertions"]
    return {
        f"{unit}ErrorRate": _rate(errors, found["reference"]),
        f"{unit}Count": found["reference"],
        f"correct{capital}Count": found["correct"],
        f"{unit}SubstitutionCount": found["substitutions"],
        f"{unit}DeletionCount": found["deletions"],
        f"{unit}InsertionCount": found["insertions"],
    }


def _rate(errors: int, total: int) -> float:
    return round(errors / total, 4) if total else 0.0


def _percent(part: int, total: int) -> float:
    return round(100 * part / total, 2) if total else 0.0
