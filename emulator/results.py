"""Result files of transcriptions and evaluations, from recognitions.

The transcription result has the published JSON schema (transcriptionresult_v2024-11-15). The content of the score files
of an evaluation is not published: theirs is our own, and nobody should depend on it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emulator.entities import Recording
from emulator.scoring import Alignment, counts

Recognition = Mapping[str, Any]
"""`emulator.recogniser.Recognition` as JSON: lexical, display, confidence, duration_seconds, words."""


def transcription_result(recording: Recording, recognition: Recognition, now: datetime) -> dict[str, Any]:
    """The result file of one recording: one phrase, or none for silence."""
    phrase = _phrase(recognition)
    return {
        "source": recording.name,
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        **_span("duration", recording.seconds),
        "combinedRecognizedPhrases": [{"channel": 0, **_forms(recognition)}],
        "recognizedPhrases": [phrase] if recognition["lexical"] else [],
    }


def transcription_report(recordings: Sequence[Recording]) -> dict[str, Any]:
    """The `TranscriptionReport` file."""
    return {
        "successfulTranscriptionsCount": len(recordings),
        "failedTranscriptionsCount": 0,
        "details": [{"source": recording.name, "status": "Succeeded"} for recording in recordings],
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


def _phrase(recognition: Recognition) -> dict[str, Any]:
    words = [_word(word) for word in recognition["words"]]
    start = recognition["words"][0]["offset_seconds"] if words else 0.0
    end = _end(recognition["words"][-1]) if words else recognition["duration_seconds"]
    best = {"confidence": _confidence(recognition), **_forms(recognition), "words": words}
    return {
        "recognitionStatus": "Success",
        "channel": 0,
        **_span("offset", start),
        **_span("duration", end - start),
        "nBest": [best],
    }


def _forms(recognition: Recognition) -> dict[str, str]:
    lexical, display = recognition["lexical"], recognition["display"]
    return {"lexical": lexical, "itn": lexical, "maskedITN": lexical, "display": display}


def _word(word: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "word": word["text"],
        **_span("offset", word["offset_seconds"]),
        **_span("duration", word["duration_seconds"]),
        "confidence": _confidence(word),
    }


def _span(name: str, seconds: float) -> dict[str, Any]:
    return {
        name: f"PT{seconds:.2f}S",
        f"{name}InTicks": ticks(seconds),
        f"{name}Milliseconds": round(seconds * 1000),
    }


def _end(word: Mapping[str, Any]) -> float:
    end: float = word["offset_seconds"] + word["duration_seconds"]
    return end


def _confidence(of: Mapping[str, Any]) -> float:
    return round(float(of["confidence"]), 4)


def ticks(seconds: float) -> int:
    """Seconds in Azure's unit of 100 ns."""
    return round(seconds * 10_000_000)
