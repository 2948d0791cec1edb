"""How long one report of a large testing set takes, and how large it is: the goal is 3 s and 2 MB for 100,000 utterances.

The testing set is made up: about 12 words per utterance, 10 % of them wrong, 200 speakers, four labels.
"""

import random
import resource
import time
from itertools import product
from typing import Annotated

import typer

from domain.comparison import Comparison, Measured
from domain.normalise import normaliser_for
from domain.report import charts_png, html_report
from domain.ruling import Decision, ModelRef, Ruling, Subject
from domain.track import Track
from domain.verdict import Finding, Outcome, Verdict
from domain.wer import score_utterances

VOCABULARY = ["".join(letters) for letters in product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiouy", "lnrst")][
    :20_000
]
"""Letters only: the normaliser would spell digits out."""

WEIGHTS = [1 / (rank + 5) for rank in range(len(VOCABULARY))]


def main(
    utterances: Annotated[int, typer.Option(min=1, help="How many.")] = 100_000,
    confidences: Annotated[bool, typer.Option(help="Whether every word has a confidence.")] = True,
) -> None:
    """Print one table: with transcripts, without, and the charts as PNG."""
    comparison = made_up(utterances, confidences)
    decision = _decision(comparison)
    before = _megabytes()
    for name, make in (
        ("html", lambda: html_report(decision, comparison)),
        ("html again", lambda: html_report(decision, comparison)),
        ("counts only", lambda: html_report(decision, comparison, transcripts=False)),
        ("png", lambda: charts_png(decision, comparison)),
    ):
        start, cpu = time.perf_counter(), time.process_time()
        page = make()
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        size = len(page.encode() if isinstance(page, str) else page)
        print(f"{name:12} {took:6.2f} s  {cpu:6.2f} s of CPU  {size / 1e6:6.2f} MB")
    print(f"{utterances:,} utterances; {_megabytes() - before:.0f} MB above the comparison")


def made_up(utterances: int, confidences: bool, seed: int = 1) -> Comparison:
    """Three models on the same recordings; the candidate is the best."""
    chance = random.Random(seed)
    words = chance.choices(VOCABULARY, WEIGHTS, k=utterances * 12)
    said = {f"u{number}.wav": " ".join(words[number * 12 : number * 12 + 12]) for number in range(utterances)}
    values = {"noise": 4, "accent": 6, "channel": 3, "topic": 8}
    labels = {
        name: {"speaker": f"s{place % 200}"}
        | {label: f"{label}{chance.randrange(size)}" for label, size in values.items()}
        for place, name in enumerate(said)
    }
    sides = [
        _measured(name, said, rate, chance, confidences) for name, rate in (("old", 0.1), ("new", 0.09), ("base", 0.15))
    ]
    return Comparison(sides[0], sides[1], base=sides[2], labels=labels, seconds=dict.fromkeys(said, 4.0))


def _measured(model: str, said: dict[str, str], rate: float, chance: random.Random, confidences: bool) -> Measured:
    heard = {name: " ".join(_word(word, rate, chance) for word in text.split()) for name, text in said.items()}
    card = score_utterances(said, heard, normaliser_for("en-US"))
    sure = {one.id: tuple((word, chance.random()) for word in one.hypothesis.split()) for one in card.utterances}
    return Measured(model, card, None, sure if confidences else {})


def _word(word: str, rate: float, chance: random.Random) -> str:
    if chance.random() >= rate:
        return word
    return chance.choice((chance.choice(VOCABULARY), chance.choice(VOCABULARY), "", f"{word} uh"))


def _decision(comparison: Comparison) -> Decision:
    ref = ModelRef(path="models/1", name="new")
    counts = comparison.benchmark.scorecard.total, comparison.candidate.scorecard.total
    finding = Finding(rule="significance", outcome=Outcome.PASS, reason="made up", value=0.01, interval=(0.005, 0.015))
    verdict = Verdict(
        outcome=Outcome.PASS, findings=(finding,), benchmark="old", candidate="new", benchmark_counts=counts[0],
        candidate_counts=counts[1], policy="p", normaliser=comparison.candidate.scorecard.normaliser,
    )  # fmt: skip
    subject = Subject(
        track=Track(name="t", locale="en-US"), revision="r", base=ref, benchmark=ref, candidate=ref, testing_hash="h",
        testing="k", sheet="s", recipe="",
    )  # fmt: skip
    return Decision(digest="d", ruling=Ruling(subject=subject, verdict=verdict, measurement="m"))


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
