"""Prints of recordings: by them the same recording is known again, whatever it is called and however it is wrapped."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import IO

from domain.leakage import Recording
from domain.wav import sound_in
from tasks.filesets import FileSet

_CHUNK = 1024 * 1024


def prints_of(files: FileSet, names: Sequence[str]) -> Iterator[Recording]:
    """The print of each named recording; one megabyte is in memory at a time.

    Raises:
        DataRejected: a recording cannot be read.
    """
    for name in names:
        with files.open(name) as header:
            sound = sound_in(header, files.sizes[name])
        with files.open(name) as stream:
            contents, digest = _digests(stream, sound)
        yield Recording(name, files.place(name), contents, digest)


def _digests(stream: IO[bytes], sound: range) -> tuple[str, str]:
    contents, samples, position = hashlib.sha256(), _Samples(), 0
    while chunk := stream.read(_CHUNK):
        contents.update(chunk)
        samples.update(chunk[max(sound.start - position, 0) : max(sound.stop - position, 0)])
        position += len(chunk)
    return contents.hexdigest(), samples.hexdigest()


class _Samples:
    """SHA-256 of samples without the digital silence before and after them; empty when there is nothing else."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._heard = False
        self._zeros = 0

    def update(self, chunk: bytes) -> None:
        """Add samples."""
        if not self._heard:
            chunk = chunk.lstrip(b"\0")
        kept = chunk.rstrip(b"\0")
        if kept:
            self._add_silence()
            self._digest.update(kept)
            self._heard = True
        if self._heard:
            self._zeros += len(chunk) - len(kept)

    def _add_silence(self) -> None:
        while self._zeros:
            zeros = min(self._zeros, _CHUNK)
            self._digest.update(bytes(zeros))
            self._zeros -= zeros

    def hexdigest(self) -> str:
        """64 hex digits, or nothing."""
        return self._digest.hexdigest() if self._heard else ""
