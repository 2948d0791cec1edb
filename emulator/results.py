"""Result files of transcriptions and evaluations, from recognitions.

The transcription result has the published JSON schema (transcriptionresult_v2024-11-15). The content of the score files
of an evaluation is not published: theirs is our own, and nobody should depend on it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emulator.entities import Recording
from emulator.presentation import Presentation, Recognition, span_of, timed_display_words
from emulator.scoring import Alignment, counts


def transcription_result(
    source: str, seconds: float, heard: Mapping[int, Recognition], shown: Presentation, now: datetime
) -> dict[str, Any]:
    """The result file of one recording: one phrase per channel, or none for silence."""
    return {
        "source": source,
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        **_span("duration", seconds),
        "combinedRecognizedPhrases": [{"channel": number, **shown.forms(one)} for number, one in heard.items()],
        "recognizedPhrases": [_phrase(number, one, shown) for number, one in heard.items() if one["lexical"]],
    }


def transcription_report(recordings: Sequence[Recording]) -> dict[str, Any]:
    """The `TranscriptionReport` file of recordings that were all recognised."""
    return report([{"source": recording.name, "status": "Succeeded"} for recording in recordings])


def report(details: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The `TranscriptionReport` file; a failed recording has `errorKind` and `errorMessage`."""
    failed = sum(detail["status"] == "Failed" for detail in details)
    return {
        "successfulTranscriptionsCount": len(details) - failed,
        "failedTranscriptionsCount": failed,
        "details": list(details),
    }


def score_details(
    recording: Recording, recognition: Recognition, words: Alignment, tokens: Alignment
) -> dict[str, Any]:
    """The score file of one recording and one model."""
    return {
        "audio": recording.name,
        "reference": recording.transcript,
        "recognized": recognition["display"],
        "lexical": recognition["lexical"],
        "words": counts(words),
        "tokens": counts(tokens),
        "wordEdits": [{"reference": expected, "recognized": heard} for expected, heard in words.edits],
    }


def _phrase(channel: int, recognition: Recognition, shown: Presentation) -> dict[str, Any]:
    words = recognition["words"]
    start, duration = span_of(words) if words else (0.0, recognition["duration_seconds"])
    best: dict[str, Any] = {"confidence": _confidence(recognition), **shown.forms(recognition)}
    if shown.words:
        best["words"] = [_word(word) for word in words]
    if shown.display_words:
        best["displayWords"] = [_display_word(*timed) for timed in timed_display_words(best["display"], words)]
    phrase = {
        "recognitionStatus": "Success",
        "channel": channel,
        "speaker": shown.speaker,
        "locale": shown.locale,
        **_span("offset", start),
        **_span("duration", duration),
        "nBest": [best],
    }
    return {name: value for name, value in phrase.items() if value is not None}


def _word(word: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "word": word["text"],
        **_span("offset", word["offset_seconds"]),
        **_span("duration", word["duration_seconds"]),
        "confidence": _confidence(word),
    }


def _display_word(text: str, offset: float, duration: float) -> dict[str, Any]:
    return {"displayText": text, **_span("offset", offset), **_span("duration", duration)}


def _span(name: str, seconds: float) -> dict[str, Any]:
    return {
        name: f"PT{seconds:.2f}S",
        f"{name}InTicks": ticks(seconds),
        f"{name}Milliseconds": round(seconds * 1000),
    }


def _confidence(of: Mapping[str, Any]) -> float:
    return round(float(of["confidence"]), 4)


def ticks(seconds: float) -> int:
    """Seconds in Azure's unit of 100 ns."""
    return round(seconds * 10_000_000)
