"""Our scoring beside jiwer's default call, on the same made-up test set in one run: seconds, peak memory, ratio.

Both give the same errors (checked). Each runs in a process of its own, so that the peaks do not mix.
"""

import multiprocessing
import random
import resource
import time
from collections.abc import Callable
from typing import Annotated

import jiwer
import typer

from domain.normalise import Normaliser
from domain.wer import score_utterances

WORDS = [f"w{number}" for number in range(20_000)]
PLAIN = Normaliser("plain", 1, ())
Texts = tuple[list[str], list[str]]


def main(utterances: Annotated[int, typer.Option(min=1, help="How many, of about 12 words each.")] = 100_000) -> None:
    """Print one table."""
    ours, jiwers = _measured(_ours, utterances), _measured(_jiwer, utterances)
    if ours[0] != jiwers[0]:
        raise SystemExit(f"different errors: {ours[0]} and {jiwers[0]}")
    print(f"{utterances:,} utterances, {ours[0]:,} errors")
    print(f"ours           {ours[1]:6.2f} s  {ours[2]:7.0f} MB above the texts")
    print(f"jiwer default  {jiwers[1]:6.2f} s  {jiwers[2]:7.0f} MB")
    print(f"ratio          {jiwers[1] / ours[1]:6.1f} ×  {jiwers[2] / max(ours[2], 1):7.1f} ×")


def _ours(texts: Texts) -> int:
    references, hypotheses = texts
    named = {str(number): text for number, text in enumerate(references)}
    heard = {str(number): text for number, text in enumerate(hypotheses)}
    return score_utterances(named, heard, PLAIN).total.errors


def _jiwer(texts: Texts) -> int:
    output = jiwer.process_words(*texts)
    return output.substitutions + output.deletions + output.insertions


def _measured(score: Callable[[Texts], int], utterances: int) -> tuple[int, float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (score, utterances))


def _timed(score: Callable[[Texts], int], utterances: int) -> tuple[int, float, float]:
    texts = _made_up(utterances)
    before, began = _peak_megabytes(), time.perf_counter()
    errors = score(texts)
    return errors, time.perf_counter() - began, _peak_megabytes() - before


def _made_up(utterances: int) -> Texts:
    """Zipf-like words, about 10 % of them changed, dropped or doubled."""
    random.seed(1)
    references, hypotheses = [], []
    for _ in range(utterances):
        said = [WORDS[min(int(random.paretovariate(0.7)), len(WORDS)) - 1] for _ in range(random.randint(4, 20))]
        heard = [word for one in said for word in _misheard(one)]
        references.append(" ".join(said))
        hypotheses.append(" ".join(heard))
    return references, hypotheses


def _misheard(word: str) -> list[str]:
    chance = random.random()
    if chance > 0.1:
        return [word]
    return [random.choice(WORDS)] if chance > 0.04 else [] if chance > 0.02 else [word, word]


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
