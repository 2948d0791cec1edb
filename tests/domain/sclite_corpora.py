"""Three made-up corpora, and what NIST's sclite makes of them: the figures are stored, so no test needs sclite.

Make the figures again (Debian: `apt-get install sctk`):

    python tests/domain/sclite_corpora.py > tests/data/sclite.json
"""

import hashlib
import json
import random
import re
import subprocess
import tempfile
from bisect import bisect
from itertools import accumulate
from pathlib import Path

Texts = tuple[list[str], list[str]]

RATES = {"clear speech": 0.04, "ordinary speech": 0.1, "hard speech": 0.5}
UTTERANCES = 2_000
_VOCABULARY = 5_000
_SCLITE = "/usr/lib/sctk/bin/sclite"


def corpus(name: str) -> Texts:
    """References and hypotheses: words by Zipf's law, so many of them wrong, of those half substituted.

    Only `random()` is drawn from, which is the same in every release of Python.
    """
    draw = random.Random(name).random
    cumulative = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))

    def word() -> str:
        return f"w{bisect(cumulative, draw() * cumulative[-1])}"

    def heard_as(said: str) -> list[str]:
        chance = draw() / RATES[name]
        if chance > 1:
            return [said]
        return [word()] if chance > 0.5 else [] if chance > 0.25 else [said, word()]

    references = [[word() for _ in range(int(draw() * 20))] for _ in range(UTTERANCES)]
    hypotheses = [[heard for said in reference for heard in heard_as(said)] for reference in references]
    return [" ".join(words) for words in references], [" ".join(words) for words in hypotheses]


def digest(texts: Texts) -> str:
    """SHA-256 of both sides, so that stored figures never speak of another corpus."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def sclites(texts: Texts) -> dict[str, int]:
    """Words and errors as sclite counts them, from its summary of raw counts."""
    with tempfile.TemporaryDirectory() as folder:
        for side, lines in zip(("ref", "hyp"), texts, strict=True):
            numbered = (f"{line} (s-{place})\n" for place, line in enumerate(lines))
            (Path(folder) / side).write_text("".join(numbered))
        command = [_SCLITE, "-r", "ref", "trn", "-h", "hyp", "trn", "-i", "rm", "-o", "rsum", "stdout"]
        told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    _, words, _, substitutions, deletions, insertions, errors, _ = map(
        int, re.findall(r"\d+", told.split("| Sum")[1].splitlines()[0])
    )
    return {
        "words": words,
        "substitutions": substitutions,
        "deletions": deletions,
        "insertions": insertions,
        "errors": errors,
    }


if __name__ == "__main__":
    made = {name: corpus(name) for name in RATES}
    print(json.dumps({name: {"digest": digest(one), **sclites(one)} for name, one in made.items()}, indent=1))
