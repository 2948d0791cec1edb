"""Recordings as Azure accepts them for test and training: RIFF WAV, 8 or 16 kHz, mono, 16-bit PCM.

Source: azure-ai-docs, how-to-custom-speech-test-and-train, "audio + human-labeled transcript data".
"""

import io
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

DECODER_RATE = 16_000
ACCEPTED_RATES = (8_000, 16_000)
BYTES_PER_SAMPLE = 2
CHUNK_HEADER = 8
DAMAGED = "the WAV file is damaged; export it again as 16-bit PCM"
NO_WAV = "not a RIFF WAV file; convert it to WAV, 16 kHz, mono, 16-bit PCM"
MEASURED_FRAMES = 2**18
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
"""What programs that write to a pipe put into the header, since they cannot go back to correct it."""


class UnsupportedAudio(ValueError):
    """The recording cannot be used; `reason` says why, and what to do, in words for the person who made it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmptyAudio(UnsupportedAudio):
    """There is a header, but no sound."""


class AudioTooLong(UnsupportedAudio):
    """More sound than the operation takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One recording as the decoder wants it: mono, 16-bit, 16 kHz, whatever its rate was in the file."""

    pcm: npt.NDArray[np.int16]

    @property
    def seconds(self) -> float:
        """Length by the samples that are there, not by what the file's header says."""
        return len(self.pcm) / DECODER_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """A recording of one or two channels: an array of frames by channels, at the file's own rate in Hz."""

    pcm: npt.NDArray[np.int16]
    rate: int

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.pcm.shape[1])

    @property
    def seconds(self) -> float:
        """Length by the samples that are there."""
        return len(self.pcm) / self.rate

    def wav(self, channel: int) -> bytes:
        """One channel as a mono WAV file."""
        return _as_wav(self.pcm[:, channel], self.rate)

    def merged(self) -> bytes:
        """All channels mixed into a mono WAV file."""
        if self.count == 1:  # the mean of two hours would take a gigabyte
            return self.wav(0)
        return _as_wav(self.pcm.mean(axis=1).astype(np.int16), self.rate)


def _as_wav(pcm: npt.NDArray[np.int16], rate: int) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, pcm, rate, format="WAV", subtype="PCM_16")
    return target.getvalue()


def read_wav(data: bytes) -> Samples:
    """Read a WAV file's bytes.

    Raises:
        UnsupportedAudio: not RIFF WAV, another rate, stereo, not 16-bit PCM, empty, or cut off.
    """
    declared = _declared_bytes(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_format(file, most_channels=1)
            rate, pcm = file.samplerate, file.read(dtype="int16")
    except soundfile.LibsndfileError as error:
        raise UnsupportedAudio(DAMAGED) from error
    _check_complete(pcm.size, declared)
    return Samples(pcm if rate == DECODER_RATE else soxr.resample(pcm, rate, DECODER_RATE, "HQ"))


def measure_wav(path: Path) -> float:
    """Seconds of a WAV file, which is read piece by piece: two hours of sound do not have to fit into memory.

    Raises:
        UnsupportedAudio: as for `read_wav`.
    """
    if not path.stat().st_size:
        raise UnsupportedAudio(NO_WAV)
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        declared = _declared_bytes(data)
    try:
        with soundfile.SoundFile(path) as file:
            _check_format(file, most_channels=1)
            rate, read = file.samplerate, sum(len(piece) for piece in file.blocks(MEASURED_FRAMES, dtype="int16"))
    except soundfile.LibsndfileError as error:
        raise UnsupportedAudio(DAMAGED) from error
    _check_complete(read, declared)
    return float(read / rate)


def read_channels(data: bytes, longest_seconds: float) -> Channels:
    """Read a WAV file of one or two channels.

    Raises:
        UnsupportedAudio: as for `read_wav`, but that stereo is fine.
        AudioTooLong: it is, by its header; the sound has not been read then.
    """
    declared = _declared_bytes(data)
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_format(file, most_channels=2)
            if file.frames > longest_seconds * file.samplerate:
                raise AudioTooLong(f"longer than {longest_seconds / 60:g} minutes")
            rate, pcm = file.samplerate, file.read(dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UnsupportedAudio(DAMAGED) from error
    _check_complete(pcm.size, declared)
    return Channels(pcm, rate)


def _declared_bytes(data: bytes | mmap.mmap) -> int:
    """How long the header says that the sound is: the size of the first chunk named "data"."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise UnsupportedAudio(NO_WAV)
    position = 12
    while position + CHUNK_HEADER <= len(data):
        size = int.from_bytes(data[position + 4 : position + CHUNK_HEADER], "little")
        if data[position : position + 4] == b"data":
            return size
        position += CHUNK_HEADER + size + size % 2
    raise UnsupportedAudio("the WAV file ends before its sound begins; upload it again")


def _check_format(file: soundfile.SoundFile, *, most_channels: int) -> None:
    if file.subtype != "PCM_16":
        raise UnsupportedAudio(f"samples are {file.subtype}; 16-bit PCM is needed")
    if file.channels > most_channels:
        needed = "mono" if most_channels == 1 else "mono or stereo"
        raise UnsupportedAudio(f"{file.channels} channels; {needed} is needed")
    if file.samplerate not in ACCEPTED_RATES:
        raise UnsupportedAudio(f"sample rate is {file.samplerate} Hz; 16000 or 8000 Hz is needed")


def _check_complete(samples: int, declared: int) -> None:
    if not samples:
        raise EmptyAudio("the recording is empty")
    read = samples * BYTES_PER_SAMPLE
    if declared not in UNKNOWN_LENGTHS and declared - read >= BYTES_PER_SAMPLE:
        raise UnsupportedAudio(f"the recording is cut off: {read} of {declared} bytes are there; upload it again")
