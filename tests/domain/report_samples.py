"""Made-up comparisons for the tests of reports."""

import random

from domain.comparison import Comparison, Measured, ServiceScore
from domain.gate import decide
from domain.leakage import Leak, LeakReport
from domain.naming import fingerprint
from domain.normalise import normaliser_for
from domain.ruling import Decision, ModelRef, Ruling, Subject
from domain.track import GatePolicy, Track
from domain.wer import score_utterances

WORDS = [
    "take",
    "me",
    "to",
    "the",
    "old",
    "souq",
    "by",
    "taxi",
    "please",
    "and",
    "wait",
    "near",
    "a",
    "museum",
    "of",
    "dinosaurs",
    "where",
    "cars",
    "may",
    "stop",
    "all",
    "day",
]
NAMES = {
    "qasba": "cause bar",
    "souq": "sock",
    "allosaurus": "all of us",
    "sharjah": "sharia",
    "stegosaurus": "stick a source",
}


def sample(
    utterances: int = 240, speakers: int = 24, gain: float = 0.5, seed: int = 1, *, confidences: bool = True
) -> Comparison:
    """A comparison of models that mishear names; the candidate has learnt a share `gain` of them."""
    chance = random.Random(seed)
    said = {f"r{number:04}.wav": _sentence(chance) for number in range(utterances)}
    labels = {
        name: {"speaker": f"s{number % speakers:02}", "noise": ("clean", "cafe", "street")[number % 3], "topic": ("city", "history")[number % 2]}
        for number, name in enumerate(said)
    }  # fmt: skip
    sides = [_measured(name, said, rate, chance, confidences) for name, rate in _rates(gain)]
    leaks = LeakReport(
        leaks=(Leak(kind="balance", file="testing/utterances.tsv", reason="few recordings of noise street", blocks=False, suspicious=False),),
        checked=("text of 300 training lines against 240 recordings", "bytes and sound of 0 training recordings"),
    )  # fmt: skip
    seconds = dict.fromkeys(said, 4.5)
    return Comparison(
        sides[0], sides[1], base=sides[2], labels=labels, seconds=seconds, leaks=leaks, earlier_verdicts=2
    )


def _rates(gain: float) -> list[tuple[str, float]]:
    return [("sharjah-model-3f2a90bc11de", 0.6), ("sharjah-model-88d1e07ab4c2", 0.6 * (1 - gain)), ("20260512", 0.9)]


def _sentence(chance: random.Random) -> str:
    return " ".join(
        chance.choice(list(NAMES) if chance.random() < 0.15 else WORDS) for _ in range(chance.randint(4, 16))
    )


def _measured(model: str, said: dict[str, str], rate: float, chance: random.Random, confidences: bool) -> Measured:
    heard, sure = {}, {}
    for name, text in said.items():
        words = [_heard(word, rate, chance) for word in text.split()]
        heard[name] = " ".join(word for word, _ in words if word)
        sure[name] = tuple((one, certain) for word, certain in words for one in word.split())
    card = score_utterances(said, heard, normaliser_for("en-US"))
    total = card.total
    service = ServiceScore(
        "Succeeded", round(total.wer or 0, 4), total.reference_words, total.hits, total.substitutions, total.deletions, total.insertions
    )  # fmt: skip
    return Measured(model, card, service, sure if confidences else {})


def _heard(word: str, rate: float, chance: random.Random) -> tuple[str, float]:
    if word in NAMES and chance.random() < rate:
        return NAMES[word], round(chance.uniform(0.2, 0.8), 3)
    slip = chance.random()
    if slip < 0.02:
        return "", 0.0
    return f"{word} uh" if slip < 0.03 else word, round(chance.uniform(0.6, 1.0), 3)


def decision_of(comparison: Comparison, policy: GatePolicy | None = None, revision: str = "6c1f2ab9d0e4") -> Decision:
    """What the gate says of it."""
    track = Track(
        name="sharjah", locale="en-US", description="Guides for the city of Sharjah", gate=policy or GatePolicy()
    )
    verdict = decide(comparison, track.gate)
    refs = [
        ModelRef(path=f"models/{number}", name=name)
        for number, name in enumerate((verdict.benchmark, verdict.candidate))
    ]
    subject = Subject(
        track=track, revision=revision, base=ModelRef(path="models/base/9", name="20260512"), benchmark=refs[0], candidate=refs[1],
        recipe=fingerprint("recipe"), testing_hash=fingerprint("testing"), testing="k", sheet="s",
    )  # fmt: skip
    return Decision(
        digest=fingerprint("d"), ruling=Ruling(subject=subject, verdict=verdict, measurement=fingerprint("m"))
    )
