"""What worker processes do for transcriptions: read a recording, hear its channels, write the result file."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from emulator import work
from emulator.artifacts import Shelf
from emulator.audio import AudioTooLong, Channels, EmptyAudio, UnsupportedAudio, read_channels
from emulator.entities import FileKind, StoredFile
from emulator.errors import JobFailure
from emulator.presentation import Presentation
from emulator.results import transcription_result

MAX_RECORDING_BYTES = 250 * 1024**2
"""Of one recording, which a worker reads whole: the documented limit of `:transcribe`; Azure's batches take more."""
NO_LANGUAGE = "Language Identification did not recognize any language."


@dataclass(frozen=True, slots=True)
class Listening:
    """A recording, the model to hear it with, and how."""

    audio: Path
    recipe_key: str | None
    """None when the speech is in none of the candidate languages."""
    channels: tuple[int, ...] | None
    """Numbers of those that are wanted; None merges all."""
    longest_seconds: float
    is_diarized: bool = False
    is_one_language: bool = False
    """Whether a recording in which no language is identified is a failure."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said in a recording, by channel."""

    seconds: float
    channels: dict[int, dict[str, Any]]
    """`emulator.recogniser.Recognition` as JSON."""


@dataclass(frozen=True, slots=True)
class ResultOrder:
    """The file to write."""

    owner: str
    name: str
    source: str
    shown: Presentation
    now: datetime


def listen(place: work.Place, order: Listening) -> Heard:
    """Recognise a recording.

    Raises:
        JobFailure: it cannot be, with the detailed code of its reason.
    """
    found = _read(order)
    heard: dict[int, dict[str, Any]] = {}
    if order.recipe_key is not None:
        heard = {number: work.recognise(place, order.recipe_key, wav) for number, wav in _wanted(order, found)}
    if order.is_one_language and not any(one["lexical"] for one in heard.values()):
        raise JobFailure("NoLanguageIdentified", NO_LANGUAGE)
    return Heard(found.seconds, heard)


def transcribe(place: work.Place, order: Listening, result: ResultOrder) -> tuple[StoredFile, float]:
    """Recognise a recording of a batch and write its result file; also the recording's seconds.

    Raises:
        JobFailure: as `listen`.
    """
    heard = listen(place, order)
    content = transcription_result(result.source, heard.seconds, heard.channels, result.shown, result.now)
    shelf = Shelf(place.data, result.owner, result.now)
    return shelf.put_json(result.name, FileKind.TRANSCRIPTION, content), heard.seconds


def _read(order: Listening) -> Channels:
    if order.audio.stat().st_size > MAX_RECORDING_BYTES:
        raise JobFailure("AudioLengthLimitExceeded", f"The audio is larger than {MAX_RECORDING_BYTES // 1024**2} MB.")
    data = order.audio.read_bytes()
    if not data:
        raise JobFailure("EmptyAudioFile", "The audio file is empty.")
    try:
        return read_channels(data, order.longest_seconds)
    except EmptyAudio as error:
        raise JobFailure("EmptyAudioFile", "The audio file is empty.") from error
    except AudioTooLong as error:
        raise JobFailure("AudioLengthLimitExceeded", f"The audio is {error.reason}.") from error
    except UnsupportedAudio as error:
        raise JobFailure("InvalidAudioFormat", f"The audio cannot be recognised: {error.reason}.") from error


def _wanted(order: Listening, found: Channels) -> list[tuple[int, bytes]]:
    if order.is_diarized and found.count > 1 and order.channels is not None:
        raise JobFailure("BadChannelConfiguration", "Speakers can only be told apart in a recording of one channel.")
    if order.channels is None:
        return [(0, found.merged())]
    numbers = [number for number in order.channels if number < found.count]
    if not numbers:
        raise JobFailure("BadChannelConfiguration", "The recording has none of the channels that were asked for.")
    return [(number, found.wav(number)) for number in numbers]
