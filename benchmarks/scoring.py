"""Our scoring beside jiwer's default call, sclite, kaldialign and meeteval, on one made-up test set in one run.

Every scorer runs in a process of its own, so that the peaks do not mix; all must find the same number of errors. Peers
that are not installed are left out: `pip install -r benchmarks/requirements.txt`, and sctk from Debian for sclite.
"""

import json
import random
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import typer
from scorers import SCLITE, SCORERS

OURS, JIWER = "ours", "jiwer, default call"
Figures = tuple[int, float, float]


def main(
    utterances: Annotated[int, typer.Option(min=1, help="How many, of about 12 words each.")] = 100_000,
    peers: Annotated[bool, typer.Option(help="Beside ours; some need minutes and gigabytes at 1,000,000.")] = True,
) -> None:
    """Print one table for benchmarks/README.md."""
    with tempfile.TemporaryDirectory(prefix="speechops-benchmark-") as folder:
        words = _write_test_set(Path(folder), utterances)
        names = [*SCORERS, "sclite"] if peers else [name for name in SCORERS if name.startswith(OURS)]
        figures = {name: _alone(name, Path(folder)) for name in names if _is_here(name)}
    errors = {found for found, _, _ in figures.values()}
    if len(errors) > 1:
        raise SystemExit(f"different errors: { {name: one[0] for name, one in figures.items()} }")
    print(
        f"{utterances:,} utterances, {words:,} words, {errors.pop():,} errors\n\n| scorer | seconds | peak MB |\n|---|--:|--:|"
    )
    for name, (_, seconds, memory) in figures.items():
        print(f"| {name} | {seconds:.2f} | {memory:,.0f} |")
    if peers:
        _ratio(figures[OURS], figures[JIWER])


def _ratio(ours: Figures, jiwers: Figures) -> None:
    print(
        f"\nours is {jiwers[1] / ours[1]:.1f} × faster and {jiwers[2] / ours[2]:.1f} × leaner than jiwer's default call"
    )


def _is_here(name: str) -> bool:
    if name == "sclite":
        return Path(SCLITE).exists()
    return name not in ("kaldialign", "meeteval") or find_spec(name) is not None


def _alone(name: str, folder: Path) -> Figures:
    command = [sys.executable, str(Path(__file__).with_name("scorers.py")), name, str(folder)]
    errors, seconds, memory = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return errors, seconds, memory


def _write_test_set(folder: Path, utterances: int) -> int:
    """Words by Zipf's law, lengths log-normal with a mean of 12, about 10 % of the words wrong. Returns their number."""
    rng = random.Random(1)
    vocabulary = [f"w{rank}" for rank in range(20_000)]
    cumulative = list(accumulate(1 / (rank + 1) for rank in range(20_000)))
    words = 0
    with (folder / "said").open("w") as said, (folder / "heard").open("w") as heard:
        for place in range(utterances):
            length = max(1, int(rng.lognormvariate(2.35, 0.55)))
            reference = rng.choices(vocabulary, cum_weights=cumulative, k=length)
            end = "\n" if place < utterances - 1 else ""
            said.write(" ".join(reference) + end)
            heard.write(" ".join(one for word in reference for one in _heard_as(word, vocabulary, rng)) + end)
            words += length
    return words


def _heard_as(word: str, vocabulary: list[str], rng: random.Random) -> list[str]:
    chance = rng.random()
    if chance > 0.1:
        return [word]
    other = rng.choice(vocabulary)
    return [other] if chance > 0.04 else [] if chance > 0.02 else [word, other]


if __name__ == "__main__":
    typer.run(main)
