"""How two texts align, word by word, as jiwer aligns them.

jiwer is the scorer of record. Most of its time and memory goes into objects that say where each run of equal words begins
and ends, and into the garbage collector that walks them. So we make the one call at its heart ourselves (rapidfuzz's
opcodes over words written as numbers, jiwer 4.0 `process_words`), keep one letter per step, and put a sample of every run
to jiwer itself: should a release of either library align differently, scoring stops. Figures: benchmarks/README.md.

jiwer's tie-break (rapidfuzz's) decides how errors split into substitutions, deletions and insertions, so compare WERs with
other scorers, never those three.
"""

from collections import defaultdict
from collections.abc import Sequence

import jiwer
from rapidfuzz.distance import Levenshtein

from domain.mistakes import Mistake

HIT, SUBSTITUTION, DELETION, INSERTION = "HSDI"

LONGEST_UTTERANCE = 300_000
"""Words. Time grows with the square: this many take 10 to 30 seconds."""
MOST_UTTERANCES = 5_000_000

_LETTER = {"equal": HIT, "substitute": SUBSTITUTION, "replace": SUBSTITUTION, "delete": DELETION, "insert": INSERTION}
_MOST_WORDS_KNOWN = 100_000  # then the numbers start again, for memory; they need to agree within a pair only
_SHARED = 100  # steps; shorter alignments are often equal, and equal ones are kept once
_SAMPLE = 64  # pairs of every run that jiwer aligns as well: about one millisecond
_SAMPLED = 1_000  # steps; longer alignments are not sampled, for time


def alignments(references: Sequence[str], hypotheses: Sequence[str], names: Sequence[str] | None = None) -> list[str]:
    """How each pair of texts aligns: one letter of H, S, D, I per step. The texts are normalised already.

    Words are what `str.split` says; jiwer's own transform would split at U+0020 only.

    Args:
        references: what was said.
        hypotheses: what was heard, in the same order.
        names: what to call each pair in an error; by default its place, counted from 1.

    >>> alignments(["take me to qasba"], ["take to qasba now"])
    ['HDHHI']

    Raises:
        Mistake: more than can be scored in reasonable time, or the installed jiwer aligns differently from what we know.
        ValueError: the two are not equally long.
    """
    _refuse_too_much(references, hypotheses, names)
    numbers = _Numbers()
    known: dict[str, str] = {}
    aligned = []
    for said, heard in zip(references, hypotheses, strict=True):
        letters = HIT * len(said.split()) if said == heard else numbers.align(said.split(), heard.split())
        aligned.append(known.setdefault(letters, letters) if len(letters) <= _SHARED else letters)
    _ask_jiwer(references, hypotheses, aligned)
    return aligned


class _Numbers(defaultdict[str, int]):
    """A number for every word, given when it is first met: rapidfuzz then compares numbers, never hashes of words."""

    def __init__(self) -> None:
        super().__init__(self.__len__)

    def align(self, said: list[str], heard: list[str]) -> str:
        if len(self) > _MOST_WORDS_KNOWN:
            self.clear()
        number = self.__getitem__
        runs = Levenshtein.opcodes([*map(number, said)], [*map(number, heard)])
        return "".join(
            [_LETTER[run.tag] * (run.src_end - run.src_start or run.dest_end - run.dest_start) for run in runs]
        )


def _refuse_too_much(references: Sequence[str], hypotheses: Sequence[str], names: Sequence[str] | None) -> None:
    if len(references) > MOST_UTTERANCES:
        raise Mistake(f"{len(references):,} utterances are too many: score at most {MOST_UTTERANCES:,} at once")
    for texts, side in ((references, "reference"), (hypotheses, "transcript")):
        for place, text in enumerate(texts):
            if len(text) > LONGEST_UTTERANCE and (words := len(text.split())) > LONGEST_UTTERANCE:
                raise Mistake(
                    f"the {side} of {_name(place, names)} has {words:,} words: at most {LONGEST_UTTERANCE:,} can be "
                    "aligned, so split the recording"
                )


def _name(place: int, names: Sequence[str] | None) -> str:
    return f"utterance {place + 1}" if names is None else f"'{names[place]}'"


def _ask_jiwer(references: Sequence[str], hypotheses: Sequence[str], aligned: Sequence[str]) -> None:
    places = [place for place, letters in enumerate(aligned) if letters.strip(HIT) and len(letters) <= _SAMPLED]
    sample = places[:: max(1, len(places) // _SAMPLE)][:_SAMPLE]
    theirs = by_jiwer([references[place] for place in sample], [hypotheses[place] for place in sample])
    if theirs != [aligned[place] for place in sample]:
        raise Mistake(
            "the installed jiwer and rapidfuzz align words differently from each other, so no count can be trusted: "
            "install exactly what requirements.lock says"
        )


def by_jiwer(references: Sequence[str], hypotheses: Sequence[str]) -> list[str]:
    """What `alignments` gives, by jiwer's own call: slow and large, but the word that counts."""
    if not references:
        return []
    output = jiwer.process_words(list(references), list(hypotheses), _WORDS, _WORDS)
    return ["".join(map(_letters, runs)) for runs in output.alignments]


class _SplitAtWhiteSpace(jiwer.AbstractTransform):
    """jiwer's own transform splits at U+0020 only."""

    def __call__(self, sentences: str | list[str]) -> list[list[str]]:
        return [text.split() for text in ([sentences] if isinstance(sentences, str) else sentences)]


_WORDS = _SplitAtWhiteSpace()


def _letters(run: jiwer.AlignmentChunk) -> str:
    return _LETTER[run.type] * max(run.ref_end_idx - run.ref_start_idx, run.hyp_end_idx - run.hyp_start_idx)
