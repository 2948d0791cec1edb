"""How every word of a custom model is said: a word without a pronunciation is silently dropped by the decoder.

First comes what a pronunciation row says, and the dictionary; then, for words in neither, whatever the spelling allows: the
parts of "GoDrive" and "watchtower", the letters of "BBC" and "b12", "souq" within "souq's", and last the rules of `G2P`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product, zip_longest

from emulator.dictionary import Dictionary
from emulator.g2p import G2P
from emulator.graphones import LETTERS
from emulator.normaliser import normalise
from emulator.text import JOINT, Row, unit_of

MOST_TOLD = 3
"""Variants that one pronunciation row may give a word."""

MOST_GUESSED = 2
"""Variants for a word that nobody says how to pronounce: more would hide what a pronunciation row gains."""

SHORTEST_PART = 3
LONGEST_ACRONYM = 5
POSSESSIVE = "'s"
VOICELESS = frozenset(["P", "T", "K", "F", "TH"])
SIBILANTS = frozenset(["S", "Z", "SH", "ZH", "CH", "JH"])

_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_RUNS = re.compile(r"[a-z']+|\d+")
_VOWEL = re.compile("[AEIOUY]")

Variants = tuple[str, ...]
Pieces = tuple[str, ...]
"""Words whose sounds, one after the other, make up a word: ("go", "drive"), ("b.", "b.", "c.")."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Pronounces words that are not in the dictionary.

    `common` are words that may be parts of a compound; `spellings` say how words are written ("godrive": "GoDrive");
    `g2p` brings the letter-to-sound rules when they are first needed.
    """

    dictionary: Dictionary
    common: frozenset[str]
    spellings: Mapping[str, str]
    g2p: Callable[[], G2P]

    def pronounce(
        self, words: Iterable[str], rows: Iterable[Row], spelled: Mapping[str, Variants] | None = None
    ) -> dict[str, Variants]:
        """Variants, best first, for each word that a row names, that is spelled in phones, or that the dictionary lacks.

        A word in a script that has no sounds here gets none; the language model has to do without it.
        """
        told = self._told(rows)
        for unit, variants in (spelled or {}).items():
            told[unit] = tuple(dict.fromkeys((*variants, *told.get(unit, self.dictionary.get(unit, ())))))
        known = {**self.dictionary, **told}
        unknown = {word: tuple(self._ways(word, known)) for word in words if word not in known}
        sounds = self._sounds(chain.from_iterable(unknown.values()), known)
        guessed = {
            word: _variants([_spoken(way, sounds) for way in ways], MOST_GUESSED) for word, ways in unknown.items()
        }
        return told | {word: variants for word, variants in guessed.items() if variants}

    def _told(self, rows: Iterable[Row]) -> dict[str, Variants]:
        """What the rows say, in front of what the dictionary says of the same word."""
        ways: dict[str, list[Pieces]] = {}
        for display, spoken in rows:
            pieces = tuple(normalise(_plain(spoken)).split())
            if pieces and unit_of(display):
                ways.setdefault(unit_of(display), []).append(pieces)
        sounds = self._sounds(chain.from_iterable(ways.values()), self.dictionary)
        spoken_rows = {unit: [_variants([_spoken(way, sounds)], MOST_TOLD) for way in of] for unit, of in ways.items()}
        told = {unit: tuple(chain.from_iterable(variants)) for unit, variants in spoken_rows.items()}
        return {
            unit: tuple(dict.fromkeys((*variants, *self.dictionary.get(unit, ()))))
            for unit, variants in told.items()
            if variants
        }

    def _sounds(self, ways: Iterable[Pieces], known: Dictionary) -> dict[str, Variants]:
        """Variants of every piece, by the letter-to-sound rules where nothing else is known."""
        pieces = set(chain.from_iterable(ways)) - {POSSESSIVE}
        unknown = sorted(piece for piece in pieces if piece not in known and set(piece) <= set(LETTERS))
        guessed = self.g2p().guess(unknown, MOST_GUESSED) if unknown else {}
        return {piece: known.get(piece) or guessed.get(piece, ()) for piece in pieces}

    def _ways(self, word: str, known: Dictionary) -> Iterator[Pieces]:
        """Ways to take a word apart, the most trusted first."""
        spelled = self.spellings.get(word, word)
        if word.endswith(POSSESSIVE) and len(word) > len(POSSESSIVE):
            stem = word.removesuffix(POSSESSIVE)
            ways = [(stem,)] if stem in known else self._ways(stem, known)
            yield from ((*way, POSSESSIVE) for way in ways)
        elif JOINT in word:
            yield tuple(word.split(JOINT))
        elif any(character.isdigit() for character in word):
            yield tuple(self._letters_and_numbers(word))
        elif spelled.isupper() and len(spelled) <= LONGEST_ACRONYM:
            yield from self._acronym(word)
        else:
            yield from self._parts(word, spelled, known)

    def _acronym(self, word: str) -> Iterator[Pieces]:
        """Letter by letter; as a word, too, if it has a vowel ("NASA")."""
        if _VOWEL.search(word.upper()):
            yield (_plain(word),)
        yield _letter_names(word)

    def _parts(self, word: str, spelled: str, known: Dictionary) -> Iterator[Pieces]:
        camel = tuple(part.lower() for part in _CAMEL.findall(spelled))
        if len(camel) > 1 and "".join(camel) == word:
            yield camel
            return
        splits = ((word[:i], word[i:]) for i in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1))
        compounds = [
            parts for parts in splits if self.common.issuperset(parts) and all(part in known for part in parts)
        ]
        if compounds:
            yield max(compounds, key=lambda parts: min(map(len, parts)))
        yield (_plain(word),)

    def _letters_and_numbers(self, word: str) -> Iterator[str]:
        for run in _RUNS.findall(_plain(word)):
            if run.isdigit():
                yield from normalise(run).split()
            elif len(run) >= SHORTEST_PART:
                yield run
            else:
                yield from _letter_names(run)


def _plain(word: str) -> str:
    """Without accents: "café" is read like "cafe"."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))


def _letter_names(word: str) -> Pieces:
    """The dictionary's names of letters: "b" alone may be an abbreviation, "b." is the letter."""
    return tuple(f"{letter}." for letter in _plain(word).lower() if letter.isalpha())


def _spoken(way: Pieces, sounds: Mapping[str, Variants]) -> Iterator[str]:
    """Every combination of the pieces' variants, the best of each first."""
    for combination in product(*(sounds[piece] for piece in way if piece != POSSESSIVE)):
        phones = " ".join(combination)
        if phones:
            yield f"{phones} {_possessive(phones)}" if way[-1] == POSSESSIVE else phones


def _possessive(phones: str) -> str:
    last = phones.rpartition(" ")[2]
    if last in SIBILANTS:
        return "IH Z"
    return "S" if last in VOICELESS else "Z"


def _variants(ways: Sequence[Iterator[str]], most: int) -> Variants:
    """The best of each way first, then the second best of each, without repeats."""
    spoken = (phones for rank in zip_longest(*ways) for phones in rank if phones)
    return tuple(islice(dict.fromkeys(islice(spoken, most * len(ways))), most))
