"""The whole gate: how often it promotes a candidate that is no better, and how long 100,000 recordings take.

    .venv/bin/python -m benchmarks.gate [pairs]

Simulated results of `tests/domain/simulated_pairs.py` go through `decide` with the default policy, as real ones do.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np

from domain.comparison import Comparison, Measured, Phrase
from domain.corpus import Labels
from domain.gate import decide
from domain.leakage import LeakReport
from domain.policy import GatePolicy
from domain.wer import Scorecard, UtteranceScore
from tests.domain.simulated_pairs import Flags, Pair, Setting, simulate

SETTINGS = (
    Setting(20, 1_000, 0.0), Setting(20, 1_000, 0.15), Setting(20, 1_000, 0.3), Setting(20, 5_000, 0.15),
    Setting(100, 1_000, 0.15), Setting(8, 400, 0.15), Setting(20, 1_000, 0.15, better=0.1),
    Setting(100, 5_000, 0.15, better=0.1),
)  # fmt: skip
LOOKED = LeakReport(checked=("simulated",))
NOISES = 3


def compared(pair: Pair) -> Comparison:
    """A simulated pair as the gate sees it, with three noises that mean nothing."""
    labels = {
        f"{number}.wav": {"speaker": str(speaker), "noise": str(number % NOISES)}
        for number, speaker in enumerate(pair.speaker.tolist())
    }
    old, new = (Measured(str(number), _scored(pair, side), None) for number, side in enumerate(_sides(pair)))
    return Comparison(old, new, labels=labels, leaks=LOOKED)


def _sides(pair: Pair) -> tuple[Flags, Flags]:
    return pair.benchmark, pair.candidate


def _scored(pair: Pair, wrong: Flags) -> Scorecard:
    return Scorecard(tuple(_utterances(pair, wrong)), normaliser="simulated")


def _utterances(pair: Pair, wrong: Flags) -> Iterator[UtteranceScore]:
    ends = np.cumsum(pair.words).tolist()
    for number, (end, length) in enumerate(zip(ends, pair.words.tolist(), strict=True)):
        flags = wrong[end - length : end].tolist()
        heard = " ".join("y" if flag else "x" for flag in flags)
        letters = "".join("S" if flag else "H" for flag in flags)
        yield UtteranceScore(f"{number}.wav", " ".join("x" * length), heard, letters)


def promotions(setting: Setting, pairs: int) -> Counter[str]:
    """Outcomes of so many simulated pairs."""
    random = np.random.Generator(np.random.PCG64(7))
    return Counter(decide(compared(simulate(setting, random)), GatePolicy()).outcome.value for _ in range(pairs))


def seconds(recordings: int = 100_000) -> float:
    """CPU seconds of one verdict on so many recordings: three models, five labels with 32 slices, 600 phrases."""
    random = np.random.Generator(np.random.PCG64(7))
    whole = compared(simulate(Setting(200, recordings, 0.15, better=0.1), random))
    phrases = tuple(Phrase(f"x y w{number}") for number in range(600))
    large = Comparison(
        whole.benchmark, whole.candidate, whole.benchmark, _many_labels(whole.labels), phrases=phrases, leaks=LOOKED
    )
    start = time.process_time()
    decide(large, GatePolicy())
    return time.process_time() - start


def _many_labels(labels: Labels) -> Labels:
    rows = enumerate(labels.items())
    return {
        name: {**row, "accent": f"a{number % 20}", "age": f"g{number % 7}", "room": f"r{number % 2}"}
        for number, (name, row) in rows
    }


def main() -> None:
    """Print both tables."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(
        "| speakers | recordings | interaction | truly better | PASS | INCONCLUSIVE | FAIL |\n|--:|--:|--:|--:|--:|--:|--:|"
    )
    for setting in SETTINGS:
        counts = promotions(setting, pairs)
        shares = " | ".join(f"{counts[name] / pairs:.1%}" for name in ("PASS", "INCONCLUSIVE", "FAIL"))
        known = f"{setting.speakers} | {setting.utterances:,} | {setting.interaction} | {setting.better:.0%}"
        print(f"| {known} | {shares} |", flush=True)
    print(f"\n100,000 recordings: {seconds():.1f} s of CPU")


if __name__ == "__main__":
    main()
