"""Recordings as Azure accepts them for test and training: RIFF WAV, 8 or 16 kHz, mono, 16-bit PCM.

Source: azure-ai-docs, how-to-custom-speech-test-and-train, "audio + human-labeled transcript data".
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

DECODER_RATE = 16_000
ACCEPTED_RATES = (8_000, 16_000)
BYTES_PER_SAMPLE = 2
CHUNK_HEADER = 8
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
"""What programs that write to a pipe put into the header, since they cannot go back to correct it."""


class UnsupportedAudio(ValueError):
    """The recording cannot be used; `reason` says why, and what to do, in words for the person who made it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmptyAudio(UnsupportedAudio):
    """There is a header, but no sound."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One recording as the decoder wants it: mono, 16-bit, 16 kHz, whatever its rate was in the file."""

    pcm: npt.NDArray[np.int16]

    @property
    def seconds(self) -> float:
        """Length by the samples that are there, not by what the file's header says."""
        return len(self.pcm) / DECODER_RATE


def read_wav(data: bytes) -> Samples:
    """Read a WAV file's bytes.

    Raises:
        UnsupportedAudio: not RIFF WAV, another rate, stereo, not 16-bit PCM, empty, or cut off.
    """
    declared = _declared_bytes(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_format(file)
            rate, pcm = file.samplerate, file.read(dtype="int16")
    except soundfile.LibsndfileError as error:
        raise UnsupportedAudio("the WAV file is damaged; export it again as 16-bit PCM") from error
    _check_complete(pcm, declared)
    return Samples(pcm if rate == DECODER_RATE else soxr.resample(pcm, rate, DECODER_RATE, "HQ"))


def _declared_bytes(data: bytes) -> int:
    """How long the header says that the sound is: the size of the first chunk named "data"."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise UnsupportedAudio("not a RIFF WAV file; convert it to WAV, 16 kHz, mono, 16-bit PCM")
    position = 12
    while position + CHUNK_HEADER <= len(data):
        size = int.from_bytes(data[position + 4 : position + CHUNK_HEADER], "little")
        if data[position : position + 4] == b"data":
            return size
        position += CHUNK_HEADER + size + size % 2
    raise UnsupportedAudio("the WAV file ends before its sound begins; upload it again")


def _check_format(file: soundfile.SoundFile) -> None:
    if file.subtype != "PCM_16":
        raise UnsupportedAudio(f"samples are {file.subtype}; 16-bit PCM is needed")
    if file.channels != 1:
        raise UnsupportedAudio(f"{file.channels} channels; mono is needed")
    if file.samplerate not in ACCEPTED_RATES:
        raise UnsupportedAudio(f"sample rate is {file.samplerate} Hz; 16000 or 8000 Hz is needed")


def _check_complete(pcm: npt.NDArray[np.int16], declared: int) -> None:
    if not len(pcm):
        raise EmptyAudio("the recording is empty")
    read = len(pcm) * BYTES_PER_SAMPLE
    if declared not in UNKNOWN_LENGTHS and declared - read >= BYTES_PER_SAMPLE:
        raise UnsupportedAudio(f"the recording is cut off: {read} of {declared} bytes are there; upload it again")
