"""Transcripts, labels and the like in plain files, for people without any Speech service."""

from collections.abc import Collection, Mapping
from pathlib import Path

from domain.comparison import Phrase
from domain.corpus import Labels, canonical_name, parse_labels
from domain.leakage import TrainingText
from domain.mistakes import Mistake
from domain.phrases import parse_phrases
from domain.policy import GatePolicy
from domain.problems import MOST_PROBLEMS, Problem
from domain.text_lines import Line, read_lines
from domain.track import parse_policy

_MOST_BYTES = 2_000_000_000
_SHOWN = 20
_NAMED = 5


def read_transcripts(path: Path, ids: Collection[str] | None = None) -> dict[str, str]:
    """Read `<id><tab><text>` lines: id to text, in the file's order. An id with a tab and no text was silent.

    Args:
        path: the file.
        ids: the references' ids, each of which must be here once and no other; None for the references themselves.

    Raises:
        Mistake: every line that is wrong, and every id that is missing.
    """
    problems: list[Problem] = []
    file = str(path)
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line in read_lines(_read(path), file, problems):
        name, tab, text = line.text.partition("\t")
        name = canonical_name(name.strip())
        if problem := _wrong(line, name, tab, lines, ids, file):
            problems.append(problem)
        else:
            texts[name] = text.replace("\t", " ").strip()
        lines.setdefault(name, line.number)
        if len(problems) >= MOST_PROBLEMS:
            break
    _refuse(problems or _absent(lines, ids, file))
    return texts


def _wrong(
    line: Line, name: str, tab: str, lines: Mapping[str, int], ids: Collection[str] | None, file: str
) -> Problem | None:
    if not tab:
        return Problem(
            file, line.number, "the line has no tab", "Put one tab between the id and the text, also before no text."
        )
    if not name:
        return Problem(file, line.number, "the line has no id", "Write the recording's id before the tab.")
    if name in lines:
        return Problem(
            file, line.number, f"{_named(name)} stands here and in line {lines[name]}", "Keep one of the two."
        )
    if ids is not None and name not in ids:
        alike = next((other for other in (f"{name}.wav", name.removesuffix(".wav")) if other in ids), None)
        remedy = f"Write '{alike}', as the references do." if alike else "Correct the id, or remove the line."
        return Problem(file, line.number, f"the references have no {_named(name)}", remedy)
    return None


def _absent(lines: Mapping[str, int], ids: Collection[str] | None, file: str) -> list[Problem]:
    if not lines:
        return [Problem(file, None, "the file holds no transcripts", "Write one line per recording: id, tab, text.")]
    absent = [name for name in ids or () if name not in lines]
    if not absent:
        return []
    named = ", ".join(map(_named, absent[:_NAMED]))
    more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    remedy = "Add a line with the id and a tab for each; leave the text out when nothing was heard."
    return [Problem(file, None, f"no line for {named}{more} of the references", remedy)]


def _named(name: str) -> str:
    return f"'{name[:80]}'"


def read_labels(path: Path, ids: Collection[str]) -> Labels:
    """Read who speaks, and any slices: `<id><tab><speaker>` lines, or a table whose header begins with `file<tab>`.

    Raises:
        Mistake: every line that is wrong, and every recording without a speaker.
    """
    data = _read(path)
    if not data.removeprefix(b"\xef\xbb\xbf").startswith(b"file\t"):
        return {
            name: {"speaker": _speaker(speaker, name, path)} for name, speaker in read_transcripts(path, ids).items()
        }
    labels, problems = parse_labels(data, str(path), ids)
    _refuse(problems)
    return labels


def _speaker(speaker: str, name: str, path: Path) -> str:
    if not speaker:
        raise Mistake(f"{path}: {_named(name)} has no speaker. Write one after the tab, such as `unknown`.")
    return speaker


def read_phrases(path: Path) -> tuple[Phrase, ...]:
    """Read one phrase per line; `<phrase><tab>must` for one whose every occurrence must be heard.

    Raises:
        Mistake: every line that is wrong.
    """
    phrases, problems = parse_phrases(_read(path), str(path))
    _refuse(problems)
    return phrases


def read_policy(path: Path) -> tuple[GatePolicy, str | None]:
    """Read a gate policy: from a `track.toml`, which tells the locale too, or from the settings of `[gate]` alone.

    Raises:
        Mistake: what is wrong.
    """
    return parse_policy(_read(path), str(path))


def read_training_text(path: Path) -> TrainingText:
    """Read text that a model learns: one sentence per line, or a transcript file, when every line has a tab.

    Raises:
        Mistake: every line that is wrong, or there is none.
    """
    problems: list[Problem] = []
    lines = list(read_lines(_read(path), str(path), problems))
    if not lines and not problems:
        problems.append(Problem(str(path), None, "the file holds no text", "Write one sentence per line."))
    _refuse(problems)
    transcripts = all("\t" in line.text for line in lines)
    texts = (line.text.partition("\t")[2] if transcripts else line.text.replace("\t", " ") for line in lines)
    numbered = [(line.number, text.strip()) for line, text in zip(lines, texts, strict=True)]
    return TrainingText(str(path), numbered, written=not transcripts)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Mistake(f"{path}: the file is larger than {_MOST_BYTES:,} bytes. Split it.")
        return path.read_bytes()
    except FileNotFoundError:
        raise Mistake(f"{path}: there is no such file. Correct the path.") from None
    except OSError as error:
        raise Mistake(f"{path}: the file cannot be read ({error.strerror}). Correct the path or its rights.") from None


def _refuse(problems: Collection[Problem]) -> None:
    if not problems:
        return
    told = [str(problem) for problem in problems]
    more = [f"and {len(told) - _SHOWN} more: mend these first, then run again."] if len(told) > _SHOWN else []
    shown = "\n".join((*told[:_SHOWN], *more))
    raise Mistake(shown if len(told) == 1 else f"{len(told)} problems\n{shown}")
