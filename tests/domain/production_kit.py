"""Simulated production: calls of people who differ, heard by a model that is unsure of what it does not know."""

import random
from collections.abc import Sequence

from domain.production import Heard

COMMON = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]
NAMES = [f"xan{chr(97 + n)}du" for n in range(20)]
VOCABULARY = frozenset(COMMON)


def period(
    seed: int,
    recordings: int = 120,
    *,
    callers: int = 0,
    noise: float = 0.0,
    names: float = 0.02,
    empty: float = 0.02,
    slower: float = 1.0,
    prefix: str = "",
) -> tuple[Heard, ...]:
    """So many recordings, of so many callers with a folder each (0: no folders).

    Args:
        seed: equal seeds, equal recordings.
        recordings: how many.
        callers: how many folders.
        noise: how much less sure the model is of every word.
        names: share of words that nobody has taught.
        empty: share of recordings in which nothing is heard.
        slower: by how much longer a word takes.
        prefix: of the names.
    """
    chance = random.Random(seed)
    temper = [chance.gauss(0, 0.03) if callers else 0.0 for _ in range(max(callers, 1))]
    return tuple(
        _recording(chance, number, callers, temper, noise, names, empty, slower, prefix) for number in range(recordings)
    )


def _recording(
    chance: random.Random, number: int, callers: int, temper: Sequence[float],
    noise: float, names: float, empty: float, slower: float, prefix: str,
) -> Heard:  # fmt: skip
    caller = number % callers if callers else 0
    folder = f"caller-{caller}/" if callers else ""
    count = 0 if chance.random() < empty else chance.randint(4, 24)
    words = tuple(chance.choice(NAMES) if chance.random() < names else chance.choice(COMMON) for _ in range(count))
    shift = temper[caller] + chance.gauss(0, 0.03) - noise
    sure = tuple(min(1.0, max(0.0, chance.gauss(0.9 + shift, 0.08))) for _ in words)
    base = tuple(chance.choice(COMMON) if word in NAMES or chance.random() < 0.05 + noise else word for word in words)
    seconds = (1.0 + sum(chance.uniform(0.25, 0.6) for _ in range(count or 5))) * slower
    return Heard(f"{prefix}{folder}{number:04}", words, sure, seconds, base)
