"""Which letters of a word stand for which of its sounds, learnt from a pronunciation dictionary.

A graphone is a letter with the no, one or two phones that it stands for: "taxi" is t/T a/AE x/K-S i/IY, "phone" ends in
n/N e/-. Expectation maximisation, each round with the best alignment of every word, settles after three rounds.
(Graphones: Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion", 2008.)
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
ROUNDS = 3
FEWEST_USES = 2
"""Graphones that only one word needs are noise of the dictionary."""

LOG_SILENT = -3.0
LOG_PAIR = -12.0
LOG_UNSEEN = -14.0
IMPOSSIBLE = -1e9

Integers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Graphone:
    """A letter and what it sounds like; no phone when it is silent."""

    letter: str
    phones: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The graphones of a dictionary, and its words as rows of indices into them: one array per word length."""

    graphones: tuple[Graphone, ...]
    words: tuple[Integers, ...]


def align(entries: Iterable[tuple[str, Sequence[str]]]) -> Alignment:
    """Align each (word, phones) entry; words with more than two phones per letter or other characters are left out."""
    usable = [(word, phones) for word, phones in entries if set(word) <= set(LETTERS) and len(phones) <= 2 * len(word)]
    sounds = _Sounds(tuple(sorted({phone for _, phones in usable for phone in phones})))
    groups = _by_length(usable, sounds)
    scores = _first_guess(groups, sounds)
    for _ in range(ROUNDS):
        codes = [group.best_codes(scores) for group in groups]
        scores = _scores(np.bincount(np.concatenate([c.ravel() for c in codes]), minlength=scores.size), sounds)
    return _without_rare(codes, sounds)


@dataclass(frozen=True, slots=True)
class _Sounds:
    """Numbers for what a letter can sound like: 0 nothing, then each phone, then each pair of phones."""

    phones: tuple[str, ...]

    def __len__(self) -> int:
        return 1 + len(self.phones) + len(self.phones) ** 2

    @property
    def first_pair(self) -> int:
        return 1 + len(self.phones)

    def spelled(self, sound: int) -> tuple[str, ...]:
        if sound == 0:
            return ()
        if sound < self.first_pair:
            return (self.phones[sound - 1],)
        first, second = divmod(sound - self.first_pair, len(self.phones))
        return self.phones[first], self.phones[second]


@dataclass(frozen=True, slots=True, eq=False)
class _SameLength:
    """Words of one length: N rows of n letters, up to m phones (-1 pads), and what single phones and pairs are called."""

    letters: Integers
    phones: Integers
    sounds: _Sounds

    @property
    def phone_counts(self) -> Integers:
        counts: Integers = np.sum(self.phones >= 0, axis=1)
        return counts

    def best_codes(self, scores: Scores) -> Integers:
        """The best alignment of each word: N rows of n codes `letter * number of sounds + sound`."""
        rows, length = np.arange(len(self.letters)), self.letters.shape[1]
        choices = self._choices(scores)
        sounds = self._sounds_ending_at()
        codes = np.empty_like(self.letters)
        position = self.phone_counts
        for i in reversed(range(length)):
            used = choices[i][rows, position]
            codes[:, i] = self.letters[:, i] * len(self.sounds) + sounds[used, rows, position]
            position = position - used
        return codes

    def _choices(self, scores: Scores) -> list[npt.NDArray[np.intp]]:
        """For each letter, N x (m + 1): how many phones it takes best if it takes the last of that many."""
        sounds = self._sounds_ending_at()
        best: Scores = np.full(sounds.shape[1:], IMPOSSIBLE)
        best[:, 0] = 0.0
        choices = []
        for letter in self.letters.T:
            ways = np.full(sounds.shape, IMPOSSIBLE)
            for used, sound in enumerate(sounds):
                score = np.where(sound >= 0, scores[letter[:, None], sound], IMPOSSIBLE)
                ways[used, :, used:] = best[:, : best.shape[1] - used] + score[:, used:]
            choices.append(np.argmax(ways, axis=0))
            best = np.max(ways, axis=0)
        return choices

    def _sounds_ending_at(self) -> Integers:
        """3 x N x (m + 1): the sound of the last none, one or two of the first j phones, or -1."""
        words, most = self.phones.shape
        sounds = np.full((3, words, most + 1), -1)
        sounds[0] = 0
        sounds[1, :, 1:] = np.where(self.phones >= 0, 1 + self.phones, -1)
        pairs = self.sounds.first_pair + self.phones[:, :-1] * len(self.sounds.phones) + self.phones[:, 1:]
        sounds[2, :, 2:] = np.where(self.phones[:, 1:] >= 0, pairs, -1)
        return sounds


def _by_length(entries: Sequence[tuple[str, Sequence[str]]], sounds: _Sounds) -> list[_SameLength]:
    letter_ids = {letter: number for number, letter in enumerate(LETTERS)}
    phone_ids = {phone: number for number, phone in enumerate(sounds.phones)}
    lengths = defaultdict(list)
    for word, phones in entries:
        lengths[len(word)].append((word, phones))
    groups = []
    for _, members in sorted(lengths.items()):
        letters = np.array([[letter_ids[letter] for letter in word] for word, _ in members])
        padded = np.full((len(members), max(len(phones) for _, phones in members)), -1)
        for row, (_, phones) in zip(padded, members, strict=True):
            row[: len(phones)] = [phone_ids[phone] for phone in phones]
        groups.append(_SameLength(letters, padded, sounds))
    return groups


def _first_guess(groups: Iterable[_SameLength], sounds: _Sounds) -> Scores:
    """Log probability of each letter's sounds if letters and phones of a word ran evenly side by side."""
    counts = np.zeros((len(LETTERS), len(sounds)))
    for group in groups:
        rows, length = np.arange(len(group.letters)), group.letters.shape[1]
        for i in range(length):
            np.add.at(counts, (group.letters[:, i], 1 + group.phones[rows, i * group.phone_counts // length]), 1)
    scores: Scores = np.log((counts + 1e-3) / (counts.sum(axis=1, keepdims=True) + 1))
    scores[:, 0], scores[:, sounds.first_pair :] = LOG_SILENT, LOG_PAIR
    return scores


def _scores(counts: npt.NDArray[np.intp], sounds: _Sounds) -> Scores:
    """Log probability of each letter's sounds by how often the last round used them."""
    table = counts.reshape(len(LETTERS), len(sounds))
    scores: Scores = np.log((table + 1e-2) / (table.sum(axis=1, keepdims=True) + 1))
    pairs = slice(sounds.first_pair, None)
    scores[:, pairs] = np.where(table[:, pairs] > 0, scores[:, pairs], LOG_UNSEEN)
    return scores


def _without_rare(codes: Sequence[Integers], sounds: _Sounds) -> Alignment:
    """Number the graphones in use from 0; words that need a rare one are left out."""
    used, counts = np.unique(np.concatenate([c.ravel() for c in codes]), return_counts=True)
    used = used[counts >= FEWEST_USES]
    numbers = [np.minimum(np.searchsorted(used, c), len(used) - 1) for c in codes]
    letters, heard = np.divmod(used, len(sounds))
    graphones = (
        Graphone(LETTERS[letter], sounds.spelled(sound)) for letter, sound in zip(letters, heard.tolist(), strict=True)
    )
    kept = (n[(used[n] == c).all(axis=1)] for n, c in zip(numbers, codes, strict=True))
    return Alignment(tuple(graphones), tuple(kept))
