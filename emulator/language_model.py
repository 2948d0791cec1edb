"""Trigram language models: estimated from a domain's sentences, and mixed with the shipped model of general English.

The domain model uses Witten-Bell smoothing: what follows a context h c(h) times, with T(h) different words, has
p(w|h) = (c(hw) + T(h) p(w|h')) / (c(h) + T(h)), where h' is h without its oldest word. The mixture holds every n-gram of
either model at (1 - weight) base + weight domain; its back-off weights are computed anew, so that every context sums to
one. All tables are arrays keyed as `emulator.trie.NGrams` describes; both models of a mixture share their words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from emulator.ngram_keys import Indices, Keys, Probabilities, find, merge
from emulator.trie import WORD_BITS, NGrams

Sentence = Sequence[str]
"""The words of one utterance, lower-case, without marks for start and end."""

START, END = "<s>", "</s>"
NOTHING = (1 << WORD_BITS) - 1
"""Stands before the start of a sentence; no n-gram holds it, so a look-up falls back to the bigram."""

LAST_WORD = (1 << WORD_BITS) - 1
LAST_TWO = (1 << 2 * WORD_BITS) - 1
FOLDS = 5
EM_ROUNDS = 30
SMALLEST_MASS = 1e-6
"""What a context keeps for unseen words when rounding leaves nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What either model gives to each word of sentences that neither was trained on."""

    base: Probabilities
    domain: Probabilities

    def best_weight(self, start: float = 0.5) -> float:
        """Find the domain model's weight in the mixture that fits these words best, by expectation maximisation."""
        weight = start
        for _ in range(EM_ROUNDS):
            domain = weight * self.domain
            weight = float(np.mean(domain / (domain + (1 - weight) * self.base)))
        return weight

    def perplexities(self, weight: float) -> tuple[float, float]:
        """Perplexity of the base model and of the mixture over the words that the base model knows."""
        known = self.base > 0
        mixed = weight * self.domain + (1 - weight) * self.base
        return perplexity(self.base[known]), perplexity(mixed[known])


def perplexity(probabilities: Probabilities) -> float:
    """How many words a model hesitates between on average, given the probability of each running word."""
    return float(np.exp(-np.mean(np.log(probabilities))))


def token_keys(sentences: Iterable[Sentence], ids: Mapping[str, int]) -> Keys:
    """Turn sentences into one trigram key per running word and sentence end: what is predicted, and from what."""
    start, end = ids[START], ids[END]
    padded = [[NOTHING, start, *(ids[word] for word in sentence), end] for sentence in sentences]
    stream = np.array([word for sentence in padded for word in sentence], np.int64)
    lengths = np.array([len(sentence) for sentence in padded], np.int64)
    firsts = np.cumsum(lengths) - lengths
    at = np.delete(np.arange(len(stream)), np.concatenate([firsts, firsts + 1]))
    return stream[at] << 2 * WORD_BITS | stream[at - 1] << WORD_BITS | stream[at - 2]


def with_words(model: NGrams, words: Iterable[str], probability: float = 0.0) -> NGrams:
    """Add words that the model lacks, each with this probability; `mix` makes the contexts sum to one again."""
    known = set(model.words)
    added = tuple(word for word in words if word not in known)
    return replace(
        model,
        words=model.words + added,
        unigrams=np.append(model.unigrams * (1 - probability * len(added)), np.full(len(added), probability)),
        unigram_backoffs=np.append(model.unigram_backoffs, np.ones(len(added))),
    )


def estimate(tokens: Keys, words: tuple[str, ...]) -> NGrams:
    """Estimate a Witten-Bell trigram model from running words; words that never occur share what is left equally."""
    uniform = np.full(len(words), 1 / (len(words) - 1))
    uniform[words.index(START)] = 0.0
    seen, unigrams, _, unseen_mass = _witten_bell(tokens >> 2 * WORD_BITS, 0, lambda keys: uniform[keys])
    unigram_table = unseen_mass[0] * uniform
    unigram_table[seen] = unigrams

    bigram_keys, bigrams, ones, backoffs = _witten_bell(
        tokens >> WORD_BITS, LAST_WORD, lambda keys: unigram_table[keys >> WORD_BITS]
    )
    unigram_backoffs = np.ones(len(words))
    unigram_backoffs[ones] = backoffs

    trigram_keys, trigrams, twos, backoffs = _witten_bell(
        tokens[tokens & LAST_WORD != NOTHING], LAST_TWO, lambda keys: bigrams[find(bigram_keys, keys >> WORD_BITS)]
    )
    bigram_backoffs = np.ones(len(bigram_keys))
    bigram_backoffs[find(bigram_keys, twos)] = backoffs
    return NGrams(words, unigram_table, unigram_backoffs, bigram_keys, bigrams, bigram_backoffs, trigram_keys, trigrams)


def trigram_probabilities(model: NGrams, keys: Keys) -> Probabilities:
    """Look up p(word | previous, before that) for each key, through back-off where the model lacks the trigram."""
    return _with_backoff(
        *(model.trigram_keys, model.trigrams, keys),
        lambda rest: _backoff(model, rest & LAST_TWO) * bigram_probabilities(model, rest >> WORD_BITS),
    )


def bigram_probabilities(model: NGrams, keys: Keys) -> Probabilities:
    """Look up p(word | previous) for each bigram key, through back-off where the model lacks the bigram."""
    return _with_backoff(
        *(model.bigram_keys, model.bigrams, keys),
        lambda rest: model.unigram_backoffs[rest & LAST_WORD] * model.unigrams[rest >> WORD_BITS],
    )


def mix(base: NGrams, domain: NGrams, weight: float) -> NGrams:
    """Interpolate two models over the same words: every n-gram of either, `weight` (0 to 1) of it the domain's."""
    unigrams = _blend(base.unigrams, domain.unigrams, weight)
    pairs = merge(base.bigram_keys, domain.bigram_keys)
    bigrams = _blend(bigram_probabilities(base, pairs), bigram_probabilities(domain, pairs), weight)
    triples = merge(base.trigram_keys, domain.trigram_keys)
    trigrams = _blend(trigram_probabilities(base, triples), trigram_probabilities(domain, triples), weight)
    suffixes = bigrams[find(pairs, triples >> WORD_BITS)]
    return NGrams(
        words=base.words,
        unigrams=unigrams,
        unigram_backoffs=_backoffs(pairs & LAST_WORD, bigrams, unigrams[pairs >> WORD_BITS], len(unigrams)),
        bigram_keys=pairs,
        bigrams=bigrams,
        bigram_backoffs=_backoffs(find(pairs, triples & LAST_TWO), trigrams, suffixes, len(pairs)),
        trigram_keys=triples,
        trigrams=trigrams,
    )


def cross_validate(sentences: Sequence[Sentence], base: NGrams) -> HeldOut | None:
    """Let five domain models predict the fifth of the sentences that each has not seen, and the base model all of them.

    A sentence's fold depends on its words alone, not on its place. None if all fall into one fold.
    """
    ids = {word: number for number, word in enumerate(base.words)}
    folds = np.array([crc32(" ".join(sentence).encode()) % FOLDS for sentence in sentences])
    keys = [token_keys([sentences[i] for i in np.flatnonzero(folds == fold).tolist()], ids) for fold in range(FOLDS)]
    filled = [fold for fold in range(FOLDS) if len(keys[fold])]
    if len(filled) < 2:
        return None
    domain = []
    for fold in filled:
        rest = np.concatenate([keys[other] for other in filled if other != fold])
        domain.append(trigram_probabilities(estimate(rest, base.words), keys[fold]))
    return HeldOut(trigram_probabilities(base, np.concatenate([keys[fold] for fold in filled])), np.concatenate(domain))


def _witten_bell(
    tokens: Keys, context_mask: int, lower: Callable[[Keys], Probabilities]
) -> tuple[Keys, Probabilities, Keys, Probabilities]:
    """Return the n-grams that occur and their probabilities, the contexts and what each leaves to the lower order."""
    keys, counts = np.unique(tokens, return_counts=True)
    contexts, context = np.unique(keys & context_mask, return_inverse=True)
    types = np.bincount(context, minlength=len(contexts))
    totals = types + np.bincount(context, counts, len(contexts))
    return keys, (counts + types[context] * lower(keys)) / totals[context], contexts, types / totals


def _blend(base: Probabilities, domain: Probabilities, weight: float) -> Probabilities:
    return (1 - weight) * base + weight * domain


def _with_backoff(
    table: Keys, values: Probabilities, keys: Keys, rest: Callable[[Keys], Probabilities]
) -> Probabilities:
    found = find(table, keys)
    missing = found < 0
    probabilities = values[found] if len(values) else np.zeros(len(keys))
    probabilities[missing] = rest(keys[missing])
    return probabilities


def _backoff(model: NGrams, contexts: Keys) -> Probabilities:
    """Look up the back-off weights of bigram contexts: one for those that the model has never seen."""
    found = find(model.bigram_keys, contexts)
    return np.where(found < 0, 1.0, np.append(model.bigram_backoffs, 1.0)[found])


def _backoffs(contexts: Indices, higher: Probabilities, lower: Probabilities, size: int) -> Probabilities:
    """Share what the n-grams of a context leave among all that the lower order gives to other words."""
    left = 1 - np.bincount(contexts, higher, size)
    left_below = 1 - np.bincount(contexts, lower, size)
    return np.maximum(left, SMALLEST_MASS) / np.maximum(left_below, SMALLEST_MASS)
