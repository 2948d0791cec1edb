"""Which recordings are accepted, and why others are not."""

import io
import tracemalloc
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emulator.audio import AudioTooLong, EmptyAudio, Samples, UnsupportedAudio, measure_wav, read_channels, read_wav

TONE = (np.sin(np.arange(16_000) / 16_000 * 440 * 2 * np.pi) * 8_000).astype("<i2")


def wav(pcm: bytes = TONE.tobytes(), rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    """A WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return target.getvalue()


def encoded(**format_: str) -> bytes:
    """The tone in another format."""
    target = io.BytesIO()
    soundfile.write(target, TONE, 16_000, **format_)
    return target.getvalue()


def with_data_size(size: int) -> bytes:
    """A file whose header promises another length."""
    data = bytearray(wav())
    data[40:44] = size.to_bytes(4, "little")
    return bytes(data)


def test_samples_come_out_as_they_are() -> None:
    """16 kHz is what the decoder wants."""
    assert np.array_equal(read_wav(wav()).pcm, TONE)


def test_telephone_speech_is_brought_to_the_decoders_rate() -> None:
    """A second stays a second, and the tone as loud."""
    samples = read_wav(wav(TONE[::2].tobytes(), rate=8_000))

    assert samples.seconds == pytest.approx(1.0)
    assert samples.pcm.dtype == np.int16
    assert np.std(samples.pcm.astype(float)) == pytest.approx(np.std(TONE.astype(float)), rel=0.02)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a RIFF WAV"),
        (b"ID3\x04 an mp3 file", "not a RIFF WAV"),
        (encoded(format="FLAC"), "not a RIFF WAV"),
        (wav(rate=44_100), "44100 Hz"),
        (wav(rate=48_000), "48000 Hz"),
        (wav(channels=2), "2 channels"),
        (wav(width=1), "PCM_U8"),
        (encoded(format="WAV", subtype="PCM_24"), "PCM_24"),
        (encoded(format="WAV", subtype="FLOAT"), "FLOAT"),
        (encoded(format="WAV", subtype="ULAW"), "ULAW"),
        (encoded(format="WAV", subtype="MS_ADPCM"), "MS_ADPCM"),
        (wav()[:20], "ends before"),
        (wav()[:9_000], "cut off"),
        (with_data_size(64_000), "cut off"),
        (wav()[:12] + wav()[36:], "damaged"),
    ],
)
def test_what_azure_would_not_take_is_refused_with_the_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    """The reason goes into the import report as it is; a file that is only measured is refused alike."""
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(UnsupportedAudio, match=reason) as caught:
        read_wav(content)
    with pytest.raises(UnsupportedAudio, match=reason):
        measure_wav(path)

    assert caught.value.reason == str(caught.value)


@pytest.mark.parametrize("content", [wav(), wav(rate=8_000), with_data_size(0xFFFFFFFF)])
def test_a_file_is_as_long_as_its_sound(content: bytes, tmp_path: Path) -> None:
    """Measured piece by piece or read whole."""
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert measure_wav(path) == pytest.approx(read_wav(content).seconds, abs=0.001)


def test_two_hours_of_sound_do_not_have_to_fit_into_memory(tmp_path: Path) -> None:
    """An import reads archives of gigabytes."""
    path = tmp_path / "long.wav"
    path.write_bytes(wav(bytes(64_000_000)))
    tracemalloc.start()
    assert measure_wav(path) == 2_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_header_without_sound_is_empty() -> None:
    """Which a recogniser may take for silence, and an import may not."""
    with pytest.raises(EmptyAudio):
        read_wav(wav(b""))


def test_a_recording_that_was_streamed_has_the_length_of_its_sound() -> None:
    """Programs that write to a pipe cannot know the length beforehand."""
    assert read_wav(with_data_size(0xFFFFFFFF)).seconds == pytest.approx(1.0)


def test_other_chunks_before_the_sound_do_no_harm() -> None:
    """Editors leave notes there, padded to an even length."""
    plain = wav()
    note = b"LIST" + (5).to_bytes(4, "little") + b"hello\0"

    assert np.array_equal(read_wav(plain[:36] + note + plain[36:]).pcm, TONE)


def test_length_is_counted_not_believed() -> None:
    """Half a second of samples is half a second."""
    assert Samples(TONE[:8_000]).seconds == 0.5


@given(st.binary(max_size=200), st.integers(0, 60))
def test_damaged_bytes_never_raise_anything_else(noise: bytes, position: int) -> None:
    """Uploads come from everywhere."""
    damaged = wav()[:position] + noise + wav()[position + len(noise) :]

    with suppress(UnsupportedAudio):
        assert read_wav(damaged).seconds > 0
    with suppress(UnsupportedAudio):
        assert read_channels(damaged, 10).seconds > 0


def test_two_channels_can_be_read_apart_and_together() -> None:
    """Each as it was recorded; the mixture is their mean, at the file's own rate."""
    sides = np.column_stack((TONE, -TONE // 2))
    found = read_channels(wav(sides.tobytes(), rate=8_000, channels=2), 10)

    assert (found.count, found.seconds, found.rate) == (2, 2.0, 8_000)
    for number in (0, 1):
        with wave.open(io.BytesIO(found.wav(number))) as file:
            assert file.getparams()[:3] == (1, 2, 8_000)
            assert np.array_equal(np.frombuffer(file.readframes(16_000), "<i2"), sides[:, number])
    with wave.open(io.BytesIO(found.merged())) as file:
        assert np.allclose(np.frombuffer(file.readframes(16_000), "<i2"), sides.mean(axis=1), atol=1)


def test_one_channel_is_read_as_well() -> None:
    """Batches take both."""
    found = read_channels(wav(), 10)

    assert found.count == 1
    assert np.array_equal(read_wav(found.wav(0)).pcm, TONE)
    assert np.array_equal(read_wav(found.merged()).pcm, TONE)


def test_what_is_too_long_is_not_even_read() -> None:
    """The limit itself is fine; three channels are one too many."""
    assert read_channels(wav(), 1.0).seconds == 1.0
    with pytest.raises(AudioTooLong, match="minutes"):
        read_channels(wav(), 0.999)
    with pytest.raises(UnsupportedAudio, match="mono or stereo"):
        read_channels(wav(TONE[:15_999].tobytes(), channels=3), 10)
