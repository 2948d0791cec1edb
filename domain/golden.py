"""Golden utterances: recordings that prove which model answers, and how quickly it does."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field

from domain.latency import Latency
from domain.release_policy import ReleaseSettings
from domain.wer import ErrorCounts, Scorecard, UtteranceScore, score

LONGEST_SECONDS = 60
"""What short-audio recognition takes, by Microsoft's documentation."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Golden(_Record):
    """One golden utterance in normalised words: what was said, and what the evaluation heard of it. Its repr has neither."""

    said: str = Field(repr=False)
    heard: str = Field(repr=False)


class Hearing(_Record):
    """What an endpoint made of the golden utterances, in figures without words. Rates are fractions, None without words."""

    recordings: int = 0
    text_difference: float | None = None
    """How far its text is from what the evaluation heard."""
    wer: float | None = None
    evaluated_wer: float | None = None
    """What the evaluation had for the same recordings."""
    latency: Latency | None = None

    def complaint(self, endpoint: str, settings: ReleaseSettings) -> str:
        """Why an endpoint must not serve clients; empty when it answers as the evaluation did, and in time.

        >>> deaf = Hearing(recordings=3, text_difference=1.0, wer=1.0, evaluated_wer=0.0)
        >>> print(deaf.complaint("taxi-live", ReleaseSettings(golden_tolerance_percent=100)))
        'taxi-live' does not answer 3 golden utterances as it must: WER 100.0 %, in the evaluation 0.0 % (up to 10 points more are allowed)
        """
        faults = "; ".join(self._faults(settings)) if self.recordings else ""
        return (
            f"'{endpoint}' does not answer {self.recordings} golden utterances as it must: {faults}" if faults else ""
        )

    def _faults(self, settings: ReleaseSettings) -> Iterator[str]:
        tolerance, points = settings.golden_tolerance_percent, settings.golden_wer_tolerance_points
        if self.text_difference is None:
            yield "the evaluation had heard no word in them, so nothing shows which model answers"
        elif _percent(self.text_difference) > tolerance:
            yield f"the text differs from the evaluation's by {_percent(self.text_difference):.1f} % of the words ({tolerance:g} % are allowed)"
        if self.wer is not None and self.evaluated_wer is not None and _percent(self.wer - self.evaluated_wer) > points:
            now, then = _percent(self.wer), _percent(self.evaluated_wer)
            yield f"WER {now:.1f} %, in the evaluation {then:.1f} % (up to {points:g} points more are allowed)"
        slow = self.latency.percentile_95 if self.latency else 0.0
        if slow > settings.maximum_latency_seconds:
            yield f"95 of 100 answers take up to {slow:g} s ({settings.maximum_latency_seconds:g} s are allowed)"


def golden_utterances(benchmark: Scorecard, candidate: Scorecard) -> tuple[str, ...]:
    """All recordings with words, those first that tell the candidate from the benchmark best, by file name.

    Those come first that the candidate gets right and the benchmark gets most wrong; ties go by name.
    """
    before = {utterance.id: utterance.counts.errors for utterance in benchmark.utterances}

    def rank(utterance: UtteranceScore) -> tuple[int, int, str]:
        return utterance.counts.errors, -before.get(utterance.id, 0), utterance.id

    spoken = (utterance for utterance in candidate.utterances if utterance.counts.reference_words)
    return tuple(utterance.id for utterance in sorted(spoken, key=rank))


def compare(golden: Mapping[str, Golden], heard: Mapping[str, str], latency: Latency | None = None) -> Hearing:
    """Hold what an endpoint says against the evaluation's text, and both against what was said; counts are pooled.

    Args:
        golden: what the endpoint should say, by recording.
        heard: what it says, normalised; a recording that is left out counts as not understood.
        latency: how long it took.
    """
    texts = [(one.said, one.heard, heard.get(name, "")) for name, one in golden.items()]
    return Hearing(
        recordings=len(texts),
        text_difference=_pooled((then, now) for _, then, now in texts),
        wer=_pooled((said, now) for said, _, now in texts),
        evaluated_wer=_pooled((said, then) for said, then, _ in texts),
        latency=latency,
    )


def _pooled(pairs: Iterator[tuple[str, str]]) -> float | None:
    return sum((score(expected, found) for expected, found in pairs), ErrorCounts()).wer


def _percent(fraction: float) -> float:
    return round(fraction * 100, 6)
