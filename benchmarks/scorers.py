"""One scorer on one test set, in a process of its own: `scorers.py NAME FOLDER` prints its figures as JSON.

Seconds are the processor's, for others use the machine as well; imports and reading are not in them. Memory is the whole
process at its peak, with the texts.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Texts = tuple[list[str], list[str]]
Scorer = Callable[[Texts], int]

SCLITE = "/usr/lib/sctk/bin/sclite"


def ours() -> Scorer:
    """What an evaluation stores: pairing by id, texts, alignments and counts per utterance."""
    from domain.normalise import Normaliser
    from domain.wer import score_utterances

    plain = Normaliser("plain", 1, ())

    def score(texts: Texts) -> int:
        said, heard = ({str(place): text for place, text in enumerate(side)} for side in texts)
        return score_utterances(said, heard, plain).total.errors

    return score


def jiwer_default() -> Scorer:
    """Its documented call: one batch."""
    import jiwer

    def score(texts: Texts) -> int:
        output = jiwer.process_words(*texts)
        return output.substitutions + output.deletions + output.insertions

    return score


def kaldialign_batch() -> Scorer:
    """Counts over all utterances, none of each."""
    import kaldialign

    def score(texts: Texts) -> int:
        return int(kaldialign.batch_error_rate(*([text.split() for text in side] for side in texts))["total"])

    return score


def meeteval_siso() -> Scorer:
    """One call per utterance, as it offers no other for plain texts."""
    from meeteval.wer.wer.siso import siso_word_error_rate

    def score(texts: Texts) -> int:
        return sum(
            siso_word_error_rate(said, heard).errors for said, heard in zip(*texts, strict=True) if said or heard
        )

    return score


def sclite(folder: Path) -> tuple[int, float, float]:
    """A program of its own: errors, seconds and MB."""
    for side in ("said", "heard"):
        lines = (folder / side).read_text().split("\n")
        (folder / f"{side}.trn").write_text("".join(f"{line} (s-{place})\n" for place, line in enumerate(lines)))
    command = [SCLITE, "-r", "said.trn", "trn", "-h", "heard.trn", "trn", "-i", "rm", "-o", "rsum", "stdout"]
    told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    errors = int(told.split("| Sum")[1].splitlines()[0].split("|")[2].split()[4])
    return errors, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


SCORERS: dict[str, Callable[[], Scorer]] = {
    "ours": ours,
    "jiwer, default call": jiwer_default,
    "kaldialign": kaldialign_batch,
    "meeteval": meeteval_siso,
}


def measured(name: str, folder: Path) -> tuple[int, float, float]:
    """Errors, seconds of the processor, and MB at the peak."""
    if name == "sclite":
        return sclite(folder)
    score = SCORERS[name]()
    texts = (folder / "said").read_text().split("\n"), (folder / "heard").read_text().split("\n")
    began = time.process_time()
    errors = score(texts)
    return errors, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
