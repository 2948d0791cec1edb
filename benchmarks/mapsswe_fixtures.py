"""Make `tests/data/mapsswe` again: made-up corpora, aligned by NIST's `sclite` and compared by its `sc_stats`.

Needs Debian's package `sctk` (here 2.4.10). Each corpus becomes two files: `<name>.tsv` with reference, benchmark's and
candidate's text, and both alignments of sclite (H, S, D, I) per line; `<name>.sc_stats` with the line of sc_stats that
has the test's figures. sclite writes SGML files, for `sclite -p | sc_stats -p` fails, and sc_stats does one test per
process, for several at once crash it.
"""

import random
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

FIXTURES = Path(__file__).parent.parent / "tests" / "data" / "mapsswe"
WORDS = [first + second for first in "bdfgklmn" for second in ("a", "e", "i", "o", "ul", "an", "est")]
CORPORA = {
    # Utterances, longest one, how often a word is missed by benchmark and candidate, share of missed words in common.
    "alike": (150, 24, 0.10, 0.10, 0.6),
    "better": (150, 24, 0.14, 0.08, 0.5),
    "noisy": (100, 20, 0.50, 0.45, 0.3),
    "short": (200, 4, 0.25, 0.30, 0.4),
}
Texts = list[str]


def main() -> None:
    """Write all corpora."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for number, (name, how) in enumerate(CORPORA.items()):
        random.seed(number)
        _write(name, *_made_up(*how))


def _made_up(utterances: int, longest: int, benchmark: float, candidate: float, shared: float) -> tuple[Texts, ...]:
    said = [[random.choice(WORDS) for _ in range(random.randint(1, longest))] for _ in range(utterances)]
    heard: tuple[Texts, Texts] = ([], [])
    for words in said:
        first = [random.random() for _ in words]
        second = [one if random.random() < shared else random.random() for one in first]
        for texts, chances, often in zip(heard, (first, second), (benchmark, candidate), strict=True):
            misheard = (_misheard(word, chance / often) for word, chance in zip(words, chances, strict=True))
            texts.append(" ".join(word for some in misheard for word in some))
    return [" ".join(words) for words in said], *heard


def _misheard(word: str, chance: float) -> list[str]:
    if chance >= 1:
        return [word]
    other = WORDS[int(chance * 1000) % len(WORDS)]
    return [other] if chance < 0.55 else [] if chance < 0.75 else [word, other] if chance < 0.9 else [other, word]


def _write(name: str, said: Texts, benchmark: Texts, candidate: Texts) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths, documents = zip(
            *(_sclite(Path(folder), side, said, heard) for side, heard in (("old", benchmark), ("new", candidate))),
            strict=True,
        )
        figures = _sc_stats(Path(folder), "".join(documents))
    rows = zip(said, benchmark, candidate, *paths, strict=True)
    (FIXTURES / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    (FIXTURES / f"{name}.sc_stats").write_text(figures + "\n")
    print(name, figures)


def _sclite(folder: Path, name: str, said: Texts, heard: Texts) -> tuple[Texts, str]:
    for file, texts in (("said.trn", said), (f"{name}.trn", heard)):
        lines = (f"{text} (s-{number:04})\n" for number, text in enumerate(texts))
        (folder / file).write_text("".join(lines))
    options = ["-r", "said.trn", "trn", "-h", f"{name}.trn", "trn", "-i", "spu_id", "-o", "sgml", "-O", ".", "-n", name]
    _run(folder, "sclite", *options)
    document = (folder / f"{name}.sgml").read_text()
    return list(_paths(document)), document


def _paths(document: str) -> Iterator[str]:
    for path in re.findall(r"<PATH[^>]*>\n(.*?)\n?</PATH>", document, re.DOTALL):
        yield "".join(re.findall(r"(?:^|:)([CSDI]),", path)).replace("C", "H")


def _sc_stats(folder: Path, document: str) -> str:
    _run(folder, "sc_stats", "-p", "-t", "mapsswe", "-v", "-n", "both", given=document)
    found = re.search(r"MTCH_PR_RESULTS.*$", (folder / "both.stats.mapsswe").read_text(), re.MULTILINE)
    if not found:
        raise SystemExit("sc_stats wrote no result")
    return found[0].strip()


def _run(folder: Path, *command: str, given: str | None = None) -> None:
    subprocess.run(["sctk", *command], cwd=folder, input=given, text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
