"""Golden utterances: recordings that prove which model answers."""

from domain.wer import ErrorCounts, Scorecard, UtteranceScore, score

LONGEST_SECONDS = 60
"""What short-audio recognition takes, by Microsoft's documentation."""


def golden_utterances(benchmark: Scorecard, candidate: Scorecard) -> tuple[str, ...]:
    """All recordings with words, those first that tell the candidate from the benchmark best, by file name.

    Those come first that the candidate gets right and the benchmark gets most wrong; ties go by name.
    """
    before = {utterance.id: utterance.counts.errors for utterance in benchmark.utterances}

    def rank(utterance: UtteranceScore) -> tuple[int, int, str]:
        return utterance.counts.errors, -before.get(utterance.id, 0), utterance.id

    spoken = (utterance for utterance in candidate.utterances if utterance.counts.reference_words)
    return tuple(utterance.id for utterance in sorted(spoken, key=rank))


def difference(expected: dict[str, str], heard: dict[str, str]) -> ErrorCounts:
    """How far what an endpoint says is from what the evaluation heard: pooled counts over normalised texts."""
    return sum((score(text, heard.get(name, "")) for name, text in expected.items()), ErrorCounts())
