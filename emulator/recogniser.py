"""Recognising speech: what a model hears in a recording, word by word."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pocketsphinx import Decoder, Segmenter

from emulator.audio import DECODER_RATE, EmptyAudio, Samples, read_wav
from emulator.dictionary import shipped
from emulator.text import JOINT, as_display, lexical_of
from emulator.training import DICTIONARY, DISPLAY_FORMS, LANGUAGE_MODEL, Recipe, ensure_model

Pcm = npt.NDArray[np.int16]

FRAMES_PER_SECOND = 100
SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 30.0
"""Longer recordings are cut where nobody speaks."""

SILENCE = 10 ** (-60 / 20) * 2**15
"""RMS of the loudest tenth of a second below which nobody speaks; the decoder hears words in digital silence."""

ACTIVE_STATES = 10_000
"""Most states that the search keeps per frame: a little faster than the default 30,000 on noise; 3,000 lose words."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word: when it was said, in seconds from the start of the recording, and how surely (0 to 1)."""

    text: str
    offset_seconds: float
    duration_seconds: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard. `lexical` is lower-case words, empty for silence; `display` is written as people write."""

    lexical: str
    display: str
    confidence: float
    duration_seconds: float
    words: tuple[Word, ...]


class Recogniser(Protocol):
    """Turns the bytes of a WAV file into words."""

    def recognise(self, wav: bytes) -> Recognition:
        """Recognise one recording; raises UnsupportedAudio for one that Azure would not take."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word of the decoder's, which may stand for several, and when it was said (in seconds)."""

    unit: str
    start: float
    end: float
    confidence: float


class PocketSphinxRecogniser:
    """A loaded model, good for any number of recordings, which it hears alike in every order.

    Loading takes a quarter of a second once the model's files are in the cache, decoding about a seventh of the
    recording's length. Not for use by several threads at once.
    """

    def __init__(self, recipe: Recipe, cache: Path) -> None:
        """Load a model, building it first if need be; raises CannotTrain as `training.train` does."""
        folder = ensure_model(recipe, cache)
        self._display_forms: dict[str, str] = json.loads((folder / DISPLAY_FORMS).read_text(encoding="utf-8"))
        self._decoder = Decoder(
            hmm=str(shipped("en-us")),
            lm=str(folder / LANGUAGE_MODEL),
            dict=str(folder / DICTIONARY),
            maxhmmpf=ACTIVE_STATES,
            loglevel="FATAL",
        )

    def recognise(self, wav: bytes) -> Recognition:
        """Recognise one recording.

        Raises:
            UnsupportedAudio: not 8 or 16 kHz mono 16-bit RIFF WAV, or cut off.
        """
        try:
            samples = read_wav(wav)
        except EmptyAudio:
            return Recognition("", "", 0.0, 0.0, ())
        heard = [word for offset, pcm in _utterances(samples) if _is_loud(pcm) for word in self._decode(pcm, offset)]
        words = tuple(word for unit in heard for word in _words(unit))
        return Recognition(
            lexical=" ".join(word.text for word in words),
            display=as_display([word.unit for word in heard], self._display_forms),
            confidence=sum(word.confidence for word in words) / len(words) if words else 0.0,
            duration_seconds=samples.seconds,
            words=words,
        )

    def _decode(self, pcm: Pcm, offset: float) -> Sequence[_Heard]:
        """Decode one utterance as if it were the first; without the reset, noise estimates carry over."""
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(pcm.tobytes(), full_utt=True)
        finally:
            self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return ()
        return [
            _Heard(
                unit=segment.word.partition("(")[0],
                start=offset + segment.start_frame / FRAMES_PER_SECOND,
                end=offset + (segment.end_frame + 1) / FRAMES_PER_SECOND,
                confidence=min(1.0, segment.prob),
            )
            for segment in self._decoder.seg()
            if segment.word[0] not in "<[+"
        ]


def _utterances(samples: Samples) -> Iterator[tuple[float, Pcm]]:
    """Offsets in seconds and sound: all at once, or piece by piece when it is long; nothing when it is too short."""
    if SHORTEST_SECONDS <= samples.seconds <= LONGEST_SECONDS:
        yield 0.0, samples.pcm
    elif samples.seconds > LONGEST_SECONDS:
        segmenter = Segmenter(sample_rate=DECODER_RATE)
        for segment in segmenter.segment(io.BytesIO(_with_short_last_frame(samples.pcm, segmenter.frame_bytes))):
            yield segment.start_time, np.frombuffer(segment.pcm, np.int16)


def _with_short_last_frame(pcm: Pcm, frame_bytes: int) -> bytes:
    """The segmenter gives its last speech away only at a frame that is not full."""
    data = pcm.tobytes()
    return data if len(data) % frame_bytes else data + bytes(pcm.itemsize)


def _is_loud(pcm: Pcm) -> bool:
    frame = DECODER_RATE // 10
    if len(pcm) < frame:
        return False
    frames = pcm[: len(pcm) // frame * frame].reshape(-1, frame).astype(np.float64)
    return bool(np.sqrt(np.mean(frames**2, axis=1)).max() >= SILENCE)


def _words(heard: _Heard) -> Iterator[Word]:
    """The words that a unit stands for, its time shared among them by their lengths."""
    texts = lexical_of(heard.unit).split()
    letters, start = len(heard.unit.replace(JOINT, "")), heard.start
    for text in texts:
        duration = (heard.end - heard.start) * len(text) / letters
        yield Word(text, round(start, 3), round(duration, 3), heard.confidence)
        start += duration
