"""What a recording must be: RIFF WAV, PCM 16 bit, mono, 8 or 16 kHz. The one reader of WAV files.

Source: Microsoft, "Training and testing datasets". Azure's own checks are not published, and programs disagree about headers
that contradict themselves. So a file is accepted only when every reader must find the same samples in it: all its chunks are
walked, to the end of the file, and lengths are taken from the bytes that are there.
"""

import shlex
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from domain.problems import Problem, git_lfs_pointer

LONGEST_TESTING_SECONDS = 2 * 60 * 60
"""Azure's limit for a recording to test with."""

LONGEST_TRAINING_SECONDS = 40
"""Of longer recordings Azure uses the transcript alone; when all are longer, training fails."""

_RATES = (8_000, 16_000)
_BYTES_PER_FRAME = 2
_PCM = 1
_PLAIN_FORMAT = struct.Struct("<HHIIHH")
_PLAIN_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000)
"""What programs that write to a pipe put into the header, for they cannot go back to correct it."""

_LFS_POINTER_BYTES = 200
_MOST_CHUNKS = 1_000
_SLIP = 8
"""Bytes by which the size of the whole may be wrong: some writers count its own 8 bytes, Recorder.js forgets 4 others."""

_COPY_AGAIN = "Copy it again from where it came from."
_EXPORT_AGAIN = "Export it again from where it was recorded, as WAV, 16-bit PCM, mono, 16 kHz."


@dataclass(frozen=True, slots=True)
class Audio:
    """A usable recording: its length, its rate in Hz, and at which bytes of the file its samples lie."""

    seconds: float
    rate: int
    sound: range


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk as its header tells it; without a name it is what lies where a chunk should begin."""

    name: bytes
    start: int
    size: int
    begins: bytes = b""

    @property
    def end(self) -> int:
        return self.start + self.size


class _Refused(Exception):
    """Why a recording cannot be used, and what to do; without a remedy, convert it."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason = reason
        self.remedy = remedy


def check_wav(
    stream: IO[bytes], length: int, file: str, longest_seconds: float = LONGEST_TESTING_SECONDS
) -> Audio | Problem:
    """Judge a recording; of its samples none is loaded.

    Args:
        stream: the file, at its beginning.
        length: its size in bytes.
        file: what to call it in a problem.
        longest_seconds: the longest that is allowed.
    """
    if not length:
        return Problem(file, None, "the file is empty", _COPY_AGAIN)
    head = stream.read(_LFS_POINTER_BYTES)
    if pointer := git_lfs_pointer(head, file):
        return pointer
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return Problem(file, None, "this is not a RIFF WAV file", _another_format(file))
    try:
        rate, data = _parts(list(_chunks(stream, length)), head, length, file)
        return _measured(rate, data, longest_seconds)
    except _Refused as refused:
        return Problem(file, None, refused.reason, refused.remedy or conversion(file))


def sound_in(stream: IO[bytes], length: int) -> range:
    """Where the samples lie in a file, whatever else is wrong with it; nowhere when there are none.

    Args:
        stream: the file.
        length: its size in bytes.
    """
    data = next((chunk for chunk in _chunks(stream, length) if chunk.name == b"data"), None)
    return range(data.start, min(data.end, length)) if data else range(0)


def plain_wav(stream: IO[bytes], audio: Audio) -> bytes:
    """A recording as every program reads it: the plainest header, then its samples, and nothing else."""
    stream.seek(audio.sound.start)
    sound, rate = stream.read(len(audio.sound)), audio.rate
    form = (b"fmt ", 16, _PCM, 1, rate, rate * _BYTES_PER_FRAME, _BYTES_PER_FRAME, 16)
    size = _PLAIN_HEADER.size - 8 + len(sound)
    return _PLAIN_HEADER.pack(b"RIFF", size, b"WAVE", *form, b"data", len(sound)) + sound


def _chunks(stream: IO[bytes], length: int) -> Iterator[_Chunk]:
    """The chunks of a RIFF file, in their order; a nameless one is the last, where something else begins, or too many."""
    stream.seek(0)
    position, left = 12 if stream.read(4) == b"RIFF" else length, _MOST_CHUNKS
    while position + 8 <= length:
        stream.seek(position)
        header = stream.read(8 + _PLAIN_FORMAT.size)
        if not left or len(header) < 8 or not header[:4].isascii() or not header[:4].decode().isprintable():
            yield _Chunk(b"", position, length - position)
            return
        name, size = struct.unpack_from("<4sI", header)
        yield _Chunk(name, position + 8, size, header[8:])
        position, left = position + 8 + size + size % 2, left - 1


def _parts(chunks: Sequence[_Chunk], head: bytes, length: int, file: str) -> tuple[int, _Chunk]:
    """The rate, and the chunk that holds the samples, once nothing contradicts them."""
    names = [chunk.name for chunk in chunks]
    if b"data" not in names:
        raise _Refused("its header is broken, or the file ends before its sound begins", _EXPORT_AGAIN)
    at = names.index(b"data")
    if names.count(b"fmt ") != 1 or b"fmt " not in names[:at]:
        raise _Refused("its header does not tell the format once and before the sound", _EXPORT_AGAIN)
    data, after, rate = chunks[at], chunks[at + 1 :], _rate(chunks[names.index(b"fmt ")], file)
    _check_end(data, after, length, rate, file)
    (size,) = struct.unpack_from("<I", head, 4)
    if not data.end - _SLIP <= size + 8 <= length + _SLIP:
        reason = f"its header contradicts itself: it tells of {size + 8:,} bytes, but the file has {length:,}"
        raise _Refused(reason, conversion(file, rate))
    return rate, data


def _rate(form: _Chunk, file: str) -> int:
    if form.size < _PLAIN_FORMAT.size or len(form.begins) < _PLAIN_FORMAT.size:
        raise _Refused("its header is broken: the format is cut off", _EXPORT_AGAIN)
    tag, channels, rate, per_second, frame, bits = _PLAIN_FORMAT.unpack(form.begins)
    if not (channels and rate):
        raise _Refused(f"its header is broken: it has {channels} channels at {rate} Hz", _EXPORT_AGAIN)
    if complaints := ", ".join(_complaints(tag, channels, rate, bits)):
        raise _Refused(complaints, conversion(file, rate))
    if (frame, per_second) != (_BYTES_PER_FRAME, rate * _BYTES_PER_FRAME):
        reason = f"its header contradicts itself: {rate:,} samples are not {per_second:,} bytes, in frames of {frame}"
        raise _Refused(reason, conversion(file, rate))
    return int(rate)


def _complaints(tag: int, channels: int, rate: int, bits: int) -> Iterator[str]:
    if tag != _PCM:
        yield f"its encoding is not plain PCM (format {tag:#06x})"
    if bits != 16:
        yield f"its samples have {bits} bits, not 16"
    if channels != 1:
        yield f"it has {channels} channels, not 1"
    if rate not in _RATES:
        yield f"its rate is {rate:,} Hz, not 8,000 or 16,000"


def _check_end(data: _Chunk, after: Sequence[_Chunk], length: int, rate: int, file: str) -> None:
    """Refuse sound whose end nobody can tell: cut off, of unknown length, or with something else than chunks after it."""
    there = length - data.start
    unread = next((chunk for chunk in after if not chunk.name or chunk.end > length), None)
    is_cut_off, has_more = data.end > length, there >= _BYTES_PER_FRAME
    if data.size in _UNKNOWN_SIZES and has_more and (is_cut_off or unread):
        raise _Refused("its header does not say how long it is", conversion(file, rate, "--ignore-length "))
    if is_cut_off:
        seconds, promised = (size // _BYTES_PER_FRAME / rate for size in (there, data.size))
        raise _Refused(f"it is cut off: {seconds:.1f} of {promised:.1f} seconds are there", _COPY_AGAIN)
    if any(chunk.name == b"data" for chunk in after):
        raise _Refused("it holds more than one piece of sound (`data` chunk)", _EXPORT_AGAIN)
    if unread:
        left = length - data.end
        reason = f"its sound ends {left:,} bytes before the file does, and what follows is not readable"
        raise _Refused(reason, f"{conversion(file, rate, '--ignore-length ')} Then listen to how it ends.")
    if data.size % _BYTES_PER_FRAME:
        raise _Refused("its sound ends in the middle of a sample", conversion(file, rate))


def _measured(rate: int, data: _Chunk, longest_seconds: float) -> Audio:
    seconds = data.size // _BYTES_PER_FRAME / rate
    if not seconds:
        raise _Refused("it holds no sound", "Record it again, or remove it and its transcript.")
    if seconds > longest_seconds:
        reason = f"it lasts {seconds:,.0f} seconds, but Azure takes at most {longest_seconds:,.0f}"
        raise _Refused(reason, "Cut it into shorter recordings.")
    return Audio(seconds, rate, range(data.start, data.end))


def conversion(file: str, rate: int = 0, option: str = "") -> str:
    """The remedy for a recording in another format: the command that makes it what Azure wants, at 8 kHz if it is."""
    name = shlex.quote(PurePosixPath(file).name)
    kept = "8k" if rate == 8_000 else "16k"
    return f"Convert it: `sox {option}{name} -b 16 -e signed-integer -c 1 -r {kept} -t wav converted.wav`."


def _another_format(file: str) -> str:
    """The remedy for what is no WAV file whatever its name says: a command that looks at the content."""
    name = shlex.quote(PurePosixPath(file).name)
    command = f"ffmpeg -i {name} -ac 1 -ar 16000 -c:a pcm_s16le converted.wav"
    return f"If it is sound in another format, convert it: `{command}`; otherwise record it again."
