"""A speech engine for tests of the service: quick, exact, and with a lock on its door.

Its "audio" carries the spoken text in the samples. The base model knows every word but those that begin with an x; a
custom model also knows the words that it was trained with. It waits as long as there is a file `cache/hold-training`,
`cache/hold-decoding`, or `cache/hold-<a word that is said>`.
"""

import io
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emulator.audio import read_wav
from emulator.recogniser import Recognition, Word
from emulator.training import CannotTrain, Recipe

LOUD = 100
NOISE = 12_345
RATE = 16_000


def wav(text: str, *, rate: int = RATE, channels: int = 1, seconds: float = 0.5) -> bytes:
    """A recording in which this is said; no text is digital silence."""
    samples = np.zeros(max(int(rate * seconds), len(text)) * channels, dtype="<i2")
    samples[: len(text)] = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype("<i2") * LOUD
    return pcm(samples, rate, channels)


def noise() -> bytes:
    """A loud recording without words."""
    return pcm(np.full(RATE, NOISE, dtype="<i2"), RATE, 1)


def pcm(samples: Any, rate: int, channels: int) -> bytes:
    """A WAV file of 16-bit samples."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return target.getvalue()


def train(recipe: Recipe, cache: Path) -> Mapping[str, Any]:
    """Note that training took place; fail without letters."""
    with (cache / "trainings.log").open("a") as log:
        log.write(f"{recipe.key}\n")
    _wait(cache / "hold-training")
    if not any(letter.isalpha() for sentence in recipe.sentences for letter in sentence) and not recipe.pronunciations:
        raise CannotTrain("No line has a word in it; add sentences.")
    return {"sentences": len(recipe.sentences), "pronunciations": len(recipe.pronunciations)}


def recogniser(recipe: Recipe, cache: Path) -> "FakeRecogniser":
    """A model that knows the recipe's words."""
    known = {word.lower().strip(".,") for sentence in recipe.sentences for word in sentence.split()}
    return FakeRecogniser(known | {display.lower() for display, _ in recipe.pronunciations}, cache)


class FakeRecogniser:
    """Reads the text out of the samples."""

    def __init__(self, known: set[str], cache: Path) -> None:
        self._known, self._cache = known, cache

    def recognise(self, data: bytes) -> Recognition:
        """What was said, with `uh` for unknown words."""
        samples = read_wav(data)
        text = (
            bytes(int(value) // LOUD for value in samples.pcm if value >= LOUD and value != NOISE)
            .decode("ascii")
            .lower()
        )
        words = [word if not word.startswith("x") or word in self._known else "uh" for word in text.split()]
        for word in ("decoding", *words):
            _wait(self._cache / f"hold-{word}")
        spoken = tuple(Word(word, 0.1 * n, 0.1, 0.9) for n, word in enumerate(words))
        lexical = " ".join(words)
        display = f"{lexical.capitalize()}." if lexical else ""
        return Recognition(lexical, display, 0.9 if words else 0.0, samples.seconds, spoken)


def files(recipe: Recipe, cache: Path) -> Mapping[str, Path]:
    """One file, with the words that the model was trained with."""
    path = cache / recipe.key / "words.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(recipe.sentences))
    return {f"{recipe.key}/words.txt": path}


def _wait(door: Path) -> None:
    while door.exists():
        time.sleep(0.01)
