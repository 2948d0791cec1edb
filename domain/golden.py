"""Golden utterances: recordings that prove which model answers."""

from domain.wer import ErrorCounts, Scorecard, UtteranceScore, score

_LONGEST = 60
"""Words; a recording for short-audio recognition may last 60 seconds."""


def golden_utterances(benchmark: Scorecard, candidate: Scorecard, count: int) -> tuple[str, ...]:
    """The recordings that tell the candidate from the benchmark best, by file name.

    Those come first that the candidate gets right and the benchmark gets most wrong; ties go by name.
    """
    before = {utterance.id: utterance.counts.errors for utterance in benchmark.utterances}

    def rank(utterance: UtteranceScore) -> tuple[int, int, str]:
        return utterance.counts.errors, -before.get(utterance.id, 0), utterance.id

    short = (u for u in candidate.utterances if 0 < u.counts.reference_words <= _LONGEST)
    return tuple(utterance.id for utterance in sorted(short, key=rank)[:count])


def difference(expected: dict[str, str], heard: dict[str, str]) -> ErrorCounts:
    """How far what an endpoint says is from what the evaluation heard: pooled counts over normalised texts."""
    return sum((score(text, heard.get(name, "")) for name, text in expected.items()), ErrorCounts())
