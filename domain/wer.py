"""Word errors: what was said beside what was heard, aligned as jiwer does, kept as counts.

Compare WERs with other scorers, never substitutions, deletions and insertions: see `domain.alignment`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pydantic import TypeAdapter

from domain.alignment import DELETION, HIT, INSERTION, SUBSTITUTION, alignments
from domain.normalise import Normaliser, Unit


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Word errors as counts: counts add up over utterances, rates do not.

    >>> long_and_right = ErrorCounts(reference_words=10)
    >>> short_and_wrong = ErrorCounts(reference_words=1, substitutions=1)
    >>> f"{(long_and_right + short_and_wrong).wer:.1%}"
    '9.1%'
    """

    reference_words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __post_init__(self) -> None:
        if min(self.hits, self.substitutions, self.deletions, self.insertions) < 0:
            raise ValueError(f"impossible word counts: {self}")

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            self.reference_words + other.reference_words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def hits(self) -> int:
        """Reference words that were heard right."""
        return self.reference_words - self.substitutions - self.deletions

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float | None:
        """Word error rate as a fraction (may exceed 1); None without reference words, for that shows nothing."""
        return self.errors / self.reference_words if self.reference_words else None


class Step(NamedTuple):
    """One step of an alignment: `operation` is H, S, D or I; a word is None where that side has none."""

    operation: str
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True, slots=True)
class UtteranceScore:
    """One recording's normalised texts and how they align: one letter of H, S, D, I per step, from left to right.

    >>> said, heard = "take me to qasba", "take to qasba now"
    >>> one = UtteranceScore("slt-01.wav", said, heard, alignment_of(said, heard))
    >>> one.alignment, one.counts.errors
    ('HDHHI', 2)
    """

    id: str
    reference: str
    hypothesis: str
    alignment: str

    @property
    def counts(self) -> ErrorCounts:
        """The utterance's word errors."""
        return _counts(self.alignment)

    def steps(self) -> Iterator[Step]:
        """The alignment with its words, for people to read."""
        said, heard = iter(self.reference.split()), iter(self.hypothesis.split())
        for operation in self.alignment:
            yield Step(
                operation,
                None if operation == INSERTION else next(said),
                None if operation == DELETION else next(heard),
            )

    def heard_right(self) -> Iterator[tuple[str, bool]]:
        """Every reference word, in order, and whether it was heard right."""
        verdicts = (operation == HIT for operation in self.alignment if operation != INSERTION)
        return zip(self.reference.split(), verdicts, strict=True)


@dataclass(frozen=True)
class Scorecard:
    """How one model did on one set of references: evidence, so it can be written as JSON and read back.

    A model is not judged on an incomplete scorecard: `missing` are recordings without a transcript (they are in no
    count), `unexpected` are transcripts of unknown recordings, or second ones of a known recording.
    """

    utterances: tuple[UtteranceScore, ...]
    normaliser: str
    """The normaliser's fingerprint: scorecards with different ones must not be compared."""
    normaliser_name: str = ""
    comparable: bool = True
    """Whether this WER can be held against the service's own figure, or the normaliser's rules are not the service's."""
    unit: Unit = "word"
    """What was counted: words, or characters where a script has no spaces."""
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()

    @cached_property
    def total(self) -> ErrorCounts:
        """Word errors pooled over all utterances."""
        return _counts("".join(utterance.alignment for utterance in self.utterances))

    @property
    def wer(self) -> float | None:
        """Word error rate over all utterances as a fraction; None without reference words."""
        return self.total.wer

    @property
    def is_complete(self) -> bool:
        """Whether every recording has exactly one transcript and no other recording has any."""
        return not self.missing and not self.unexpected

    def to_json(self) -> bytes:
        """The scorecard as JSON (UTF-8), equal bytes for equal scorecards. It holds transcripts: store it like the data."""
        return _SCORECARD.dump_json(self)

    @classmethod
    def from_json(cls, document: bytes) -> "Scorecard":
        """Read what `to_json` wrote."""
        return _SCORECARD.validate_json(document)


_SCORECARD = TypeAdapter(Scorecard)


def score(reference: str, hypothesis: str) -> ErrorCounts:
    """Word errors between two texts that are already normalised; words are what `str.split` says.

    >>> score("take me to qasba", "take me to cause bar")
    ErrorCounts(reference_words=4, substitutions=1, deletions=0, insertions=1)
    """
    return _counts(alignment_of(reference, hypothesis))


def score_utterances(
    references: Mapping[str, str],
    hypotheses: Mapping[str, str] | Iterable[tuple[str, str]],
    normaliser: Normaliser,
) -> Scorecard:
    """Normalise both sides, pair them by utterance id, and count word errors.

    Args:
        references: utterance id (the recording's file name) to what was said.
        hypotheses: the same ids to what a model heard; as pairs when an id might occur twice.
        normaliser: makes both sides comparable.

    Returns:
        A scorecard with one score per paired utterance, in the order of `references`. What cannot be paired is listed
        in it; of several transcripts of one recording the first is scored and the id is listed as unexpected.

    Raises:
        Mistake: more than 5,000,000 recordings, or more than 300,000 words in one; it names the recording.
    """
    heard, repeated = _by_id(hypotheses)
    paired = [identity for identity in references if identity in heard]
    said = [normaliser(references[identity]) for identity in paired]
    texts = [normaliser(heard[identity]) for identity in paired]
    return Scorecard(
        utterances=tuple(map(UtteranceScore, paired, said, texts, alignments(said, texts, paired))),
        normaliser=normaliser.fingerprint,
        normaliser_name=f"{normaliser.name} {normaliser.version}",
        comparable=normaliser.comparable,
        unit=normaliser.unit,
        missing=tuple(sorted(identity for identity in references if identity not in heard)),
        unexpected=tuple(sorted({*repeated, *(identity for identity in heard if identity not in references)})),
    )


def _by_id(hypotheses: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[dict[str, str], set[str]]:
    heard: dict[str, str] = {}
    repeated: set[str] = set()
    for identity, text in hypotheses.items() if isinstance(hypotheses, Mapping) else hypotheses:
        if identity in heard:
            repeated.add(identity)
        else:
            heard[identity] = text
    return heard, repeated


def missed_words(scorecard: Scorecard) -> Counter[str]:
    """Reference words that the model did not hear right, with how often."""
    return Counter(word for utterance in scorecard.utterances for word, right in utterance.heard_right() if not right)


def fixed_words(benchmark: Scorecard, candidate: Scorecard) -> Counter[str]:
    """Reference words that the benchmark got wrong and the candidate gets right at the same place, with how often.

    Raises:
        ValueError: the two were scored against different references.
    """
    return _gained(benchmark, candidate)


def broken_words(benchmark: Scorecard, candidate: Scorecard) -> Counter[str]:
    """Reference words that the benchmark got right and the candidate gets wrong at the same place, with how often.

    Raises:
        ValueError: the two were scored against different references.
    """
    return _gained(candidate, benchmark)


def _gained(before: Scorecard, after: Scorecard) -> Counter[str]:
    later = {utterance.id: utterance for utterance in after.utterances}
    gained: Counter[str] = Counter()
    for one in before.utterances:
        if (other := later.get(one.id)) is None:
            continue
        if one.reference != other.reference:
            raise ValueError(f"'{one.id}' was scored against two different references")
        if one.alignment == other.alignment:
            continue
        pairs = zip(one.heard_right(), other.heard_right(), strict=True)
        gained.update(word for (word, was_right), (_, is_right) in pairs if is_right and not was_right)
    return gained


def alignment_of(reference: str, hypothesis: str) -> str:
    """How two normalised texts align: one letter of H, S, D, I per step."""
    return alignments([reference], [hypothesis])[0]


def _counts(alignment: str) -> ErrorCounts:
    return ErrorCounts(
        reference_words=len(alignment) - alignment.count(INSERTION),
        substitutions=alignment.count(SUBSTITUTION),
        deletions=alignment.count(DELETION),
        insertions=alignment.count(INSERTION),
    )
