"""What a recording must be: RIFF WAV, PCM 16 bit, mono, 8 or 16 kHz.

Source: Microsoft, "Training and testing datasets". Lengths are taken from the bytes that are there, never from the
header alone: Python's `wave` opens a file that is cut in half without a word.
"""

import shlex
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from domain.problems import Problem, git_lfs_pointer

HEAD_BYTES = 65_536
"""How much of a file `check_wav` needs to see."""

LONGEST_TESTING_SECONDS = 2 * 60 * 60
"""Azure's limit for a recording to test with."""

LONGEST_TRAINING_SECONDS = 40
"""Of longer recordings Azure uses the transcript alone; when all are longer, training fails."""

_RATES = (8_000, 16_000)
_BYTES_PER_FRAME = 2
_PCM = 1
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000)
_COPY_AGAIN = "Copy it again from where it came from."


@dataclass(frozen=True, slots=True)
class Audio:
    """A usable recording."""

    seconds: float
    rate: int


@dataclass(frozen=True, slots=True)
class _Data:
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate: int
    bits: int

    def complaints(self) -> Iterator[str]:
        if self.tag != _PCM:
            yield f"its encoding is not plain PCM (format {self.tag:#06x})"
        if self.bits != 16:
            yield f"its samples have {self.bits} bits, not 16"
        if self.channels != 1:
            yield f"it has {self.channels} channels, not 1"
        if self.rate not in _RATES:
            yield f"its rate is {self.rate:,} Hz, not 8,000 or 16,000"


def check_wav(head: bytes, length: int, file: str, longest_seconds: float = LONGEST_TESTING_SECONDS) -> Audio | Problem:
    """Judge a recording by how it begins and how long it is.

    Args:
        head: its first `HEAD_BYTES` bytes, or all when it is shorter.
        length: its size in bytes.
        file: what to call it in a problem.
        longest_seconds: the longest that is allowed.
    """
    if not length:
        return Problem(file, None, "the file is empty", _COPY_AGAIN)
    if pointer := git_lfs_pointer(head, file):
        return pointer
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return Problem(file, None, "this is not a RIFF WAV file", conversion(file))
    form, data = _chunks(head)
    if form is None or data is None:
        return Problem(file, None, "its header is broken or too long", conversion(file))
    if complaints := ", ".join(form.complaints()):
        return Problem(file, None, complaints, conversion(file, form.rate))
    return _measure(form.rate, data, length, file, longest_seconds)


def sound_in(head: bytes, length: int) -> range:
    """Where the samples lie in a recording; nowhere when it is none.

    Args:
        head: its first `HEAD_BYTES` bytes, or all when it is shorter.
        length: its size in bytes.
    """
    _, data = _chunks(head) if head[:4] == b"RIFF" else (None, None)
    return range(data.start, min(data.start + data.size, length)) if data else range(0)


def _chunks(head: bytes) -> tuple[_Format | None, _Data | None]:
    position, form = 12, None
    while position + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, position)
        position += 8
        if name == b"data":
            return form, _Data(position, size)
        if name == b"fmt " and size >= 16 and position + 16 <= len(head):
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, position)
            form = _Format(tag, channels, rate, bits)
        position += size + size % 2
    return form, None


def _measure(rate: int, data: _Data, length: int, file: str, longest_seconds: float) -> Audio | Problem:
    there = length - data.start
    seconds = min(data.size, there) // _BYTES_PER_FRAME / rate
    if data.size in _UNKNOWN_SIZES and there >= _BYTES_PER_FRAME:
        return Problem(file, None, "its header does not say how long it is", conversion(file, rate, "--ignore-length "))
    if data.size > there:
        promised = data.size / _BYTES_PER_FRAME / rate
        return Problem(file, None, f"it is cut off: {seconds:.1f} of {promised:.1f} seconds are there", _COPY_AGAIN)
    if not seconds:
        return Problem(file, None, "it holds no sound", "Record it again, or remove it and its transcript.")
    if seconds > longest_seconds:
        reason = f"it lasts {seconds:,.0f} seconds, but Azure takes at most {longest_seconds:,.0f}"
        return Problem(file, None, reason, "Cut it into shorter recordings.")
    return Audio(seconds, rate)


def conversion(file: str, rate: int = 0, option: str = "") -> str:
    """The remedy for a recording in another format: the command that makes it what Azure wants, at 8 kHz if it is."""
    name = shlex.quote(PurePosixPath(file).name)
    kept = "8k" if rate == 8_000 else "16k"
    return f"Convert it: `sox {option}{name} -b 16 -e signed-integer -c 1 -r {kept} -t wav converted.wav`."
