"""Recognition of real recordings, before and after training."""

import io
import wave
from functools import cache
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soxr

from emulator.audio import UnsupportedAudio, read_wav
from emulator.normaliser import normalise
from emulator.recogniser import PocketSphinxRecogniser, Recognition
from emulator.training import BASE, Recipe

TRACK = Path(__file__).parents[2] / "data" / "sharjah"
CLIPS = 12


def lines(name: str) -> list[str]:
    """The lines of one of the track's text files."""
    return (TRACK / name).read_text(encoding="utf-8-sig").splitlines()


def rows(name: str) -> tuple[tuple[str, str], ...]:
    """Its two columns."""
    return tuple((first, second) for first, _, second in (line.partition("\t") for line in lines(name)))


RECIPE = Recipe(tuple(lines("training/plain_text.txt")), rows("training/pronunciation.txt"))
SPOKEN = dict(rows("testing/trans.txt")[::4][:CLIPS])


@cache
def clip(name: str) -> bytes:
    """A recording of the track."""
    return (TRACK / "testing" / name).read_bytes()


def wav(pcm: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]", rate: int = 16_000) -> bytes:
    """A WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())
    return target.getvalue()


@pytest.fixture(scope="module")
def base(model_cache: Path) -> PocketSphinxRecogniser:
    """The shipped model."""
    return PocketSphinxRecogniser(BASE, model_cache)


@pytest.fixture(scope="module")
def custom(model_cache: Path) -> PocketSphinxRecogniser:
    """A model trained with the track's text and pronunciations."""
    return PocketSphinxRecogniser(RECIPE, model_cache)


@pytest.fixture(scope="module")
def heard(custom: PocketSphinxRecogniser) -> dict[str, Recognition]:
    """What the trained model hears in a quarter of the track's recordings."""
    return {name: custom.recognise(clip(name)) for name in SPOKEN}


@pytest.fixture(scope="module")
def general(base: PocketSphinxRecogniser) -> dict[str, Recognition]:
    """What the shipped model hears in them."""
    return {name: base.recognise(clip(name)) for name in SPOKEN}


def wer(heard: dict[str, Recognition]) -> float:
    """Word error rate against what was spoken."""
    return jiwer.wer([normalise(SPOKEN[name]) for name in heard], [result.lexical for result in heard.values()])


def test_training_makes_the_recogniser_much_better(
    general: dict[str, Recognition], heard: dict[str, Recognition]
) -> None:
    """General English misses a fifth of the words or so, the trained model not half as many."""
    before, after = wer(general), wer(heard)

    assert before > 0.15
    assert after < 0.15
    assert after < before / 2


def test_names_are_written_as_people_write_them(heard: dict[str, Recognition]) -> None:
    """The lexical form is lower-case, the display form has the capitals of the training data and a full stop."""
    displays = " ".join(result.display for result in heard.values())

    assert any(name in displays for name in ("Sharjah", "GoDrive", "Kalba", "Mleiha", "Souq"))
    assert all(result.lexical == result.lexical.lower() for result in heard.values())
    assert all(result.display[0].isupper() and result.display[-1] == "." for result in heard.values())


def test_words_follow_each_other_within_the_recording(heard: dict[str, Recognition]) -> None:
    """Times are seconds, confidences lie between 0 and 1, and the words are the text."""
    for result in heard.values():
        starts = [word.offset_seconds for word in result.words]
        assert starts == sorted(starts)
        assert result.words[-1].offset_seconds + result.words[-1].duration_seconds <= result.duration_seconds + 0.02
        assert all(0 <= word.confidence <= 1 and word.duration_seconds > 0 for word in result.words)
        assert " ".join(word.text for word in result.words) == result.lexical


def test_confidence_is_higher_where_the_words_are_right(general: dict[str, Recognition]) -> None:
    """It says something, if not everything."""
    right, wrong = [], []
    for name, result in general.items():
        spoken = normalise(SPOKEN[name]).split()
        for word in result.words:
            (right if word.text in spoken else wrong).append(word.confidence)

    assert np.mean(right) > np.mean(wrong) + 0.1


def test_a_recording_is_heard_alike_whatever_came_before(
    custom: PocketSphinxRecogniser, heard: dict[str, Recognition]
) -> None:
    """Bit for bit, in another order and after silence: noise estimates must not carry over."""
    custom.recognise(wav(np.zeros(32_000, np.int16)))

    assert {name: custom.recognise(clip(name)) for name in reversed(list(SPOKEN)[:4])} == {
        name: heard[name] for name in list(SPOKEN)[:4]
    }


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.11, 1.0, 5.0, 45.0])
@pytest.mark.parametrize("level", [0, 3])
def test_silence_has_no_words(seconds: float, level: int, custom: PocketSphinxRecogniser) -> None:
    """Of any length, digital or with the hiss of a converter: a result, not an error."""
    hiss = np.random.default_rng(1).integers(-level, level + 1, int(seconds * 16_000)).astype(np.int16)

    result = custom.recognise(wav(hiss))

    assert (result.lexical, result.display, result.words) == ("", "", ())
    assert result.duration_seconds == pytest.approx(seconds, abs=0.01)


def test_a_recording_that_is_refused_does_not_spoil_the_next(
    custom: PocketSphinxRecogniser, heard: dict[str, Recognition]
) -> None:
    """Stereo raises, and the decoder is ready again."""
    name = next(iter(SPOKEN))
    with pytest.raises(UnsupportedAudio):
        custom.recognise(clip(name)[:200])

    assert custom.recognise(clip(name)) == heard[name]


def test_a_failing_decode_leaves_no_utterance_open(
    custom: PocketSphinxRecogniser, heard: dict[str, Recognition]
) -> None:
    """The decoder refuses an empty buffer with an IndexError; without care every later call would fail."""
    with pytest.raises(IndexError):
        custom._decode(np.zeros(0, np.int16), 0.0)

    name = next(iter(SPOKEN))
    assert custom.recognise(clip(name)) == heard[name]


@pytest.mark.slow
def test_a_long_recording_is_cut_where_nobody_speaks(
    custom: PocketSphinxRecogniser, heard: dict[str, Recognition]
) -> None:
    """More than half a minute, up to its last word: all that was said is heard, at the time when it was said."""
    pause = np.random.default_rng(1).integers(-20, 20, 24_000).astype(np.int16)
    parts = [np.concatenate([read_wav(clip(name)).pcm, pause]) for name in SPOKEN]
    whole = np.concatenate(parts)[: -len(pause)]
    assert len(whole) / 16_000 > 30

    result = custom.recognise(wav(whole[: len(whole) // 480 * 480]))

    spoken = normalise(" ".join(SPOKEN.values()))
    last_starts = sum(map(len, parts[:-1])) / 16_000
    assert jiwer.wer(spoken, result.lexical) < 0.25
    assert last_starts <= result.words[-1].offset_seconds <= len(whole) / 16_000


@pytest.mark.slow
def test_telephone_speech_is_understood(custom: PocketSphinxRecogniser) -> None:
    """8 kHz is worse, but it is not nonsense."""
    names = list(SPOKEN)[:5]
    narrow = {
        name: custom.recognise(wav(soxr.resample(read_wav(clip(name)).pcm, 16_000, 8_000), 8_000)) for name in names
    }

    assert wer(narrow) < 0.5


def test_a_display_form_of_several_words_is_several_words(model_cache: Path) -> None:
    """ "Al Majaz" is one entry of the dictionary, and two words of the result."""
    name, reference = next((n, text) for n, text in rows("testing/trans.txt") if "Al Majaz" in text and "rms" in n)
    recipe = Recipe(RECIPE.sentences, (*RECIPE.pronunciations, ("Al Majaz", "al mah jazz")))

    result = PocketSphinxRecogniser(recipe, model_cache).recognise(clip(name))

    assert "Al Majaz" in reference
    assert "Al Majaz" in result.display
    assert [word.text for word in result.words if word.text in ("al", "majaz")] == ["al", "majaz"]
