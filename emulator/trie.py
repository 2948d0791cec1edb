"""Read and write the trigram language models that PocketSphinx loads fastest: its binary trie.

PocketSphinx's own `NGramModel.write` loses all trigrams or crashes, and ARPA text costs two seconds per decoder instead
of 0.02, so the layout of PocketSphinx 5.1.1's `lm_trie` is read and written here (little endian):

    "Trie Language Model", u8 order, u32 count per order, i32 quantiser (1)
    f32 x 65,536 for each of bigram probability, bigram back-off, trigram probability
    (V + 1) unigrams: f32 probability, f32 back-off, u32 index of the first bigram that ends in this word
    (n2 + 1) bigrams, bit-packed: word, back-off bin, probability bin, index of the first trigram; 8 spare bytes
    (n3 + 1) trigrams, bit-packed: word, probability bin; 8 spare bytes
    u32 length, zero-terminated words in the order of their ids

Probabilities are logarithms to the base 1.0001. The trie is reversed: the newest word comes first, the oldest last, and
children are sorted by word id. The shipped model claims six bigrams more than it has; the last pointer tells the truth.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emulator.ngram_keys import Indices, Keys, Probabilities

Bytes = npt.NDArray[np.uint8]

WORD_BITS = 20
"""Bits of a word id within a key: room for a million words."""

MAGIC = b"Trie Language Model"
ORDER = 3
BINS = 65_536
BIN_BITS = 16
SPARE_BYTES = 8
LOG_BASE = np.log(1.0001)
UNIGRAM = np.dtype([("log", "<f4"), ("backoff", "<f4"), ("next", "<u4")])


class MalformedTrie(ValueError):
    """The file is no trigram trie of PocketSphinx, or the model does not fit into one."""


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """A back-off trigram model as sorted tables; V words, n2 bigrams, n3 trigrams; probabilities are linear.

    A bigram's key is `word << 20 | previous`, a trigram's `word << 40 | previous << 20 | before_that`: newest word first,
    so `key >> 20` of a trigram is the bigram that it extends and its low 40 bits are the context it was seen in.
    """

    words: tuple[str, ...]
    unigrams: Probabilities
    unigram_backoffs: Probabilities
    bigram_keys: Keys
    bigrams: Probabilities
    bigram_backoffs: Probabilities
    trigram_keys: Keys
    trigrams: Probabilities


def read_trie(path: Path) -> NGrams:
    """Read a PocketSphinx `.lm.bin` trigram model; raises MalformedTrie when it is something else."""
    reader = _Reader(path.read_bytes())
    if reader.take(len(MAGIC)) != MAGIC or reader.take(1)[0] != ORDER:
        raise MalformedTrie(f"{path.name} is not a trigram trie of PocketSphinx; give a .lm.bin file of order 3")
    size, claimed_bigrams, trigram_count = reader.integers(3)
    if reader.integers(1) != (1,):
        raise MalformedTrie(f"{path.name} is not quantised to 16 bits; only that kind is read here")
    bigram_bins, backoff_bins, trigram_bins = (_linear(reader.floats(BINS)) for _ in range(ORDER))
    unigrams = np.frombuffer(reader.take((size + 1) * UNIGRAM.itemsize), UNIGRAM)
    last, backoff_bin, bigram_bin, first = reader.packed(claimed_bigrams, _bigram_widths(size, trigram_count))
    oldest, trigram_bin = reader.packed(trigram_count, _trigram_widths(size))
    bigram_count = int(unigrams["next"][-1])
    bigram_keys = _keys(np.arange(size), unigrams["next"], last[:bigram_count])
    trigram_keys = _keys(bigram_keys, first[: bigram_count + 1], oldest[:trigram_count])
    in_order = np.argsort(trigram_keys, kind="stable")  # the shipped model has two neighbours the wrong way round
    return NGrams(
        words=tuple(reader.take(*reader.integers(1)).decode().split("\0")[:-1]),
        unigrams=_linear(unigrams["log"][:-1]),
        unigram_backoffs=_linear(unigrams["backoff"][:-1]),
        bigram_keys=bigram_keys,
        bigrams=bigram_bins[bigram_bin[:bigram_count]],
        bigram_backoffs=backoff_bins[backoff_bin[:bigram_count]],
        trigram_keys=trigram_keys[in_order],
        trigrams=trigram_bins[trigram_bin[:trigram_count][in_order]],
    )


def write_trie(model: NGrams, path: Path) -> None:
    """Write the model as a `.lm.bin`; probabilities are rounded to 65,536 bins that hold equally many n-grams each."""
    size, trigram_count = len(model.words), len(model.trigrams)
    bigram_starts = _starts(model.bigram_keys, np.arange(size))
    trigram_starts = _starts(model.trigram_keys, model.bigram_keys)
    _check_fits(model, bigram_starts, trigram_starts)
    bigrams, backoffs, trigrams = map(_quantise, (model.bigrams, model.bigram_backoffs, model.trigrams))
    spelled = "".join(f"{word}\0" for word in model.words).encode()
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<B3Ii", ORDER, size, len(model.bigrams), trigram_count, 1))
        for bins, _ in (bigrams, backoffs, trigrams):
            file.write(bins.tobytes())
        file.write(_unigram_table(model, bigram_starts).tobytes())
        bigram_fields = (_last_word(model.bigram_keys), backoffs[1], bigrams[1], trigram_starts)
        file.write(_pack(bigram_fields, _bigram_widths(size, trigram_count)))
        file.write(_pack((_last_word(model.trigram_keys), trigrams[1]), _trigram_widths(size)))
        file.write(struct.pack("<I", len(spelled)) + spelled)


class _Reader:
    """Takes one piece after the other from a file's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, length: int) -> bytes:
        piece = self._data[self._position : self._position + length]
        if len(piece) < length:
            raise MalformedTrie("the language model ends too early; its file was cut off")
        self._position += length
        return piece

    def integers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.take(4 * count))

    def floats(self, count: int) -> npt.NDArray[np.float32]:
        return np.frombuffer(self.take(4 * count), "<f4")

    def packed(self, entries: int, widths: Sequence[int]) -> list[npt.NDArray[np.uint32]]:
        """Unpack a bit array with one entry more than counted: a column per field."""
        return _unpack(self.take(_packed_size(entries, widths)), entries + 1, widths)


def _linear(logarithms: npt.NDArray[np.float32]) -> Probabilities:
    probabilities: Probabilities = np.exp(logarithms.astype(np.float64) * LOG_BASE)
    return probabilities


def _logarithms(probabilities: Probabilities) -> npt.NDArray[np.float32]:
    logarithms: npt.NDArray[np.float32] = (np.log(np.maximum(probabilities, 1e-99)) / LOG_BASE).astype("<f4")
    return logarithms


def _bigram_widths(size: int, trigram_count: int) -> tuple[int, ...]:
    return size.bit_length(), BIN_BITS, BIN_BITS, trigram_count.bit_length()


def _trigram_widths(size: int) -> tuple[int, ...]:
    return size.bit_length(), BIN_BITS


def _keys(parents: Keys, starts: npt.NDArray[np.uint32], words: npt.NDArray[np.uint32]) -> Keys:
    """Join each word with its parent's key; the children of parent i are words[starts[i]:starts[i + 1]]."""
    return np.repeat(parents, np.diff(starts)) << WORD_BITS | words


def _starts(keys: Keys, parents: Keys) -> Indices:
    """Index of each parent's first child, and the number of all children at the end."""
    return np.append(np.searchsorted(keys >> WORD_BITS, parents), len(keys))


def _last_word(keys: Keys) -> Keys:
    return keys & ((1 << WORD_BITS) - 1)


def _check_fits(model: NGrams, bigram_starts: Indices, trigram_starts: Indices) -> None:
    """PocketSphinx looks children up by interpolation in 32 bits, and every trigram needs the bigram that it extends."""
    most_children = int(max(np.diff(bigram_starts).max(initial=0), np.diff(trigram_starts).max(initial=0)))
    if len(model.words) * most_children >= 2**32:
        raise MalformedTrie(f"{len(model.words)} words with up to {most_children} predecessors are too many for a trie")
    if np.any(np.diff(trigram_starts) < 0) or (len(model.trigrams) and trigram_starts[0] != 0):
        raise MalformedTrie("a trigram extends a bigram that the model lacks")


def _unigram_table(model: NGrams, bigram_starts: Indices) -> npt.NDArray[np.void]:
    table = np.zeros(len(model.words) + 1, UNIGRAM)
    table["log"][:-1] = _logarithms(model.unigrams)
    table["backoff"][:-1] = _logarithms(model.unigram_backoffs)
    table["next"] = bigram_starts
    return table


def _quantise(probabilities: Probabilities) -> tuple[npt.NDArray[np.float32], Indices]:
    """Return 65,536 logarithms, the means of equally many sorted values each, and every probability's bin."""
    values = _logarithms(probabilities)
    ordered = np.sort(values)
    if len(ordered) < BINS:
        bins = np.concatenate([ordered, np.full(BINS - len(ordered), ordered[-1] if len(ordered) else 0, "<f4")])
        return bins, np.searchsorted(ordered, values)
    starts = np.arange(BINS) * len(ordered) // BINS
    sums = np.add.reduceat(ordered.astype(np.float64), starts)
    means = sums / np.diff(np.append(starts, len(ordered)))
    return means.astype("<f4"), np.searchsorted(ordered[starts[1:]], values, side="right")


def _packed_size(entries: int, widths: Sequence[int]) -> int:
    return ((1 + entries) * sum(widths) + 7) // 8 + SPARE_BYTES


def _unpack(data: bytes, entries: int, widths: Sequence[int]) -> list[npt.NDArray[np.uint32]]:
    """Split packed entries into one array per field; eight entries fill a whole number of bytes, so strides reach all."""
    stride, rows = sum(widths), -(-entries // 8)
    padded = np.zeros(rows * stride + SPARE_BYTES, np.uint8)
    filled = min(len(data), len(padded))
    padded[:filled] = np.frombuffer(data, np.uint8, filled)
    columns = [np.empty((rows, 8), np.uint32) for _ in widths]
    for column, width, offset in zip(columns, widths, accumulate(widths, initial=0), strict=False):
        for phase in range(8):
            first_byte, shift = divmod(phase * stride + offset, 8)
            column[:, phase] = _word32(padded, first_byte, stride, rows) >> shift & (1 << width) - 1
    return [column.ravel()[:entries] for column in columns]


def _word32(data: Bytes, first_byte: int, stride: int, rows: int) -> npt.NDArray[np.uint32]:
    """Four bytes of every row, as one little-endian number."""
    word = np.zeros(rows, np.uint32)
    for i in range(4):
        word |= data[first_byte + i :: stride][:rows].astype(np.uint32) << 8 * i
    return word


def _pack(fields: Sequence[npt.NDArray[np.integer]], widths: Sequence[int]) -> bytes:
    """Pack one array per field, bit by bit; the extra last entry keeps only a field's final value, the end pointer."""
    entries, stride = len(fields[0]), sum(widths)
    rows = -(-(entries + 1) // 8)
    packed = np.zeros(rows * stride + 2 * SPARE_BYTES, np.uint8)
    for values, width, offset in zip(fields, widths, accumulate(widths, initial=0), strict=False):
        padded = np.zeros(rows * 8, np.uint32)
        padded[: len(values)] = values
        for phase in range(8):
            first_byte, shift = divmod(phase * stride + offset, 8)
            shifted = padded[phase::8] << shift
            for i in range(4):
                packed[first_byte + i :: stride][:rows] |= (shifted >> 8 * i & 0xFF).astype(np.uint8)
        assert width + 7 <= 32  # noqa: S101 - a field and its shift must fit into four bytes
    return packed[: _packed_size(entries, widths)].tobytes()
