"""Small transcript files, and the command as a shell runs it, but in this process."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from deployments.cli import main

SPEAKERS = "abcdefgh"
SAID = {f"{speaker}-{number}.wav": "take me to the museum by the sea" for speaker in SPEAKERS for number in range(6)}


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `speechops` with these words, in 80 columns."""

    def run(*words: object) -> Answer:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(sys, "argv", ["speechops", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Answer(int(ended.value.code or 0), *capsys.readouterr())

    return run


def written(path: Path, texts: Mapping[str, str]) -> Path:
    """A transcript file."""
    path.write_text("".join(f"{name}\t{text}\n" for name, text in texts.items()), "utf-8")
    return path


def heard(missed: int, texts: Mapping[str, str] = SAID) -> dict[str, str]:
    """What a model heard that misses the last words of each recording; of speaker a one word more."""
    return {name: " ".join(text.split()[: 8 - missed - (name[0] == "a")]) for name, text in texts.items()}
