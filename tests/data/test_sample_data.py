"""The sample track is complete, fair, small, and says where it comes from."""

import csv
import re
import shutil
import subprocess
import sys
import tomllib
import wave
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
TRACK = DATA / "sharjah"
TESTING = TRACK / "testing"
UPDATE = TRACK / "updates" / "more-recordings" / "testing"
TRAINING_TEXTS = (
    TRACK / "training" / "plain_text.txt",
    TRACK / "updates" / "dinosaurs" / "training" / "plain_text.txt",
)
RECORDINGS = sorted(TRACK.rglob("*.wav"))


def lines(path: Path) -> list[str]:
    """The lines of a text file, as they are."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def transcript(folder: Path) -> dict[str, str]:
    """File name and reference of every row of a folder's trans.txt."""
    return dict(line.split("\t") for line in lines(folder / "trans.txt"))


def labels(folder: Path) -> list[dict[str, str]]:
    """The rows of a folder's utterances.tsv."""
    return list(csv.DictReader(lines(folder / "utterances.tsv"), delimiter="\t"))


def words(sentence: str) -> tuple[str, ...]:
    """Lower-case words without punctuation."""
    return tuple(re.findall(r"[a-z']+", sentence.lower()))


def runs(sentence: tuple[str, ...], length: int) -> set[tuple[str, ...]]:
    """Every run of so many words."""
    return {sentence[start : start + length] for start in range(len(sentence) - length + 1)}


def training_sentences() -> list[tuple[str, ...]]:
    """What any model of the sample learns from, update included."""
    text = [line for path in TRAINING_TEXTS for line in lines(path)]
    return [words(line) for line in (*text, *transcript(TRACK / "training" / "audio").values())]


def sentences_of_the_test() -> list[tuple[str, ...]]:
    """What any model of the sample is tested with, update included."""
    return [words(reference) for reference in transcript(UPDATE).values()]


def synthesise(track: Path, *options: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the generator as a user does."""
    environment = None if path is None else {"PATH": path}
    command = [sys.executable, str(DATA / "synthesise.py"), str(track), *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_sample_fits_into_six_megabytes() -> None:
    """A clone stays small."""
    assert (
        sum(path.stat().st_size for path in DATA.rglob("*") if "__pycache__" not in path.parts and path.is_file())
        <= 6_000_000
    )


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.relative_to(TRACK).as_posix())
def test_a_recording_has_the_format_that_azure_takes(recording: Path) -> None:
    """16 kHz, mono, 16-bit PCM, a few seconds, neither silent nor clipped."""
    with wave.open(str(recording)) as sound:
        samples = memoryview(sound.readframes(sound.getnframes())).cast("h")

        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
    assert 1.5 <= len(samples) / 16_000 <= 4.5
    assert 2_000 < max(abs(sample) for sample in samples) < 32_767


@pytest.mark.parametrize("folder", [TESTING, TRACK / "training" / "audio"], ids=["testing", "training"])
def test_every_recording_has_one_reference(folder: Path) -> None:
    """trans.txt names every recording of its folder once, and nothing else, in ASCII."""
    named = [line.split("\t")[0] for line in lines(folder / "trans.txt")]

    assert sorted(named) == sorted(path.name for path in folder.glob("*.wav"))
    assert (folder / "trans.txt").read_bytes().isascii()


@pytest.mark.parametrize("folder", [TESTING, UPDATE], ids=["testing", "more-recordings"])
def test_every_testing_recording_has_all_its_labels(folder: Path) -> None:
    """Whoever looks at a slice sees every recording in it."""
    rows = labels(folder)

    assert [row["file"] for row in rows] == list(transcript(folder))
    assert all(row["speaker"] and row["noise"] and row["topic"] in {"driving", "history"} for row in rows)


def test_six_speakers_or_more_have_enough_recordings_to_be_compared() -> None:
    """Verdicts are judged by speaker, and every speaker is heard on both topics, clean and noisy."""
    speakers = Counter(row["speaker"] for row in labels(TESTING))
    heard = {(row["speaker"], row["topic"], row["noise"] == "clean") for row in labels(TESTING)}

    assert len(speakers) >= 6
    assert min(speakers.values()) >= 5
    assert all((speaker, topic, True) in heard for speaker in speakers for topic in ("driving", "history"))
    assert all(any((speaker, topic, False) in heard for topic in ("driving", "history")) for speaker in speakers)


def test_the_testing_set_has_clean_and_noisy_recordings() -> None:
    """Each kind of noise is heard often enough to be a slice."""
    noises = Counter(row["noise"] for row in labels(TESTING))

    assert set(noises) == {"clean", "pink30", "babble25"}
    assert min(noises.values()) >= 10


def test_no_testing_sentence_is_learned_from() -> None:
    """A model that has read the answers is not tested."""
    assert not set(sentences_of_the_test()) & set(training_sentences())


def test_no_testing_sentence_is_half_learned_from() -> None:
    """No five words in a row, and no sentence that differs by a word or two."""
    learned = training_sentences()
    known = set().union(*(runs(sentence, 5) for sentence in learned))

    assert not [sentence for sentence in sentences_of_the_test() if runs(sentence, 5) & known]
    assert (
        max(SequenceMatcher(None, test, train).ratio() for test in sentences_of_the_test() for train in learned) < 0.75
    )


def test_no_testing_sentence_comes_twice() -> None:
    """Every recording is evidence of its own."""
    assert len(set(sentences_of_the_test())) == len(sentences_of_the_test())


def test_every_pronunciation_belongs_to_a_name_of_the_training_text() -> None:
    """Rows are display form, tab, spoken form, and the text uses each display form."""
    rows = [line.split("\t") for line in lines(TRACK / "training" / "pronunciation.txt")]
    text = set(re.findall(r"\w+", TRAINING_TEXTS[0].read_text(encoding="utf-8")))

    assert all(len(row) == 2 and row[0] in text and row[1].islower() for row in rows)
    assert {row[0] for row in rows} >= {"Qasba", "Majaz", "Mleiha", "GoDrive", "Sharjah", "Souq", "Kalba"}


def test_the_training_update_adds_dinosaurs_and_takes_nothing_away() -> None:
    """Copying the update over the track is the update: what the gate refuses is the addition alone."""
    good, update = (lines(path) for path in TRAINING_TEXTS)

    assert update[: len(good)] == good
    assert len(update) > len(good) + 50


def test_the_testing_update_adds_recordings_and_takes_nothing_away() -> None:
    """Copying the update over the track is the update: old rows stay, new rows have their recordings."""
    old, new = transcript(TESTING), transcript(UPDATE)
    added = {name for name in new if name not in old}

    assert old.items() <= new.items()
    assert added == {path.name for path in UPDATE.glob("*.wav")}
    assert labels(UPDATE)[: len(old)] == labels(TESTING)


def test_the_showcase_is_a_clean_testing_recording() -> None:
    """The demo lets the live endpoint transcribe something pleasant to hear."""
    showcase = TRACK / tomllib.loads((TRACK / "corpus.toml").read_text(encoding="utf-8"))["showcase"]
    noises = {row["file"]: row["noise"] for row in labels(showcase.parent)}

    assert showcase.is_file()
    assert noises[showcase.name] == "clean"


def test_the_readme_names_every_voice_with_its_package() -> None:
    """Who hears a recording can find out whose voice it is and why it may be passed on."""
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    speakers = tomllib.loads((TRACK / "corpus.toml").read_text(encoding="utf-8"))["speakers"]

    assert {row["speaker"] for row in labels(UPDATE)} <= set(speakers)
    for name, speaker in speakers.items():
        assert f"| `{name}` |" in readme
        assert speaker["voice"] in readme
        assert speaker["package"] in readme


def test_texts_and_recordings_are_those_of_the_corpus() -> None:
    """corpus.tsv is the one place where a recording is described."""
    rows = [line.split("\t") for line in lines(TRACK / "corpus.tsv")][1:]
    folders = {"testing": TESTING, "training": TRACK / "training" / "audio", "more-recordings": UPDATE}

    assert sorted(folders[row[0]] / row[1] for row in rows) == RECORDINGS
    assert all(transcript(folders[row[0]])[row[1]] == row[5] for row in rows)
    assert {(row[1], *row[2:5]) for row in rows if row[0] != "training"} == {
        tuple(row.values()) for row in labels(UPDATE)
    }


def test_a_bad_row_of_the_corpus_is_named_with_its_line(tmp_path: Path) -> None:
    """Who misspells a noise learns where, and what there is."""
    shutil.copy(TRACK / "corpus.toml", tmp_path)
    rows = (TRACK / "corpus.tsv").read_text(encoding="utf-8").replace("\tclean\t", "\tclaen\t", 1)
    (tmp_path / "corpus.tsv").write_text(rows, encoding="utf-8")

    outcome = synthesise(tmp_path)

    assert outcome.returncode == 1
    assert "corpus.tsv, line 2, noise: 'claen' is none of clean, pink30" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_missing_voices_are_named_with_their_packages(tmp_path: Path) -> None:
    """Who lacks a synthesiser is told what to install, and no recording is touched."""
    outcome = synthesise(TRACK, "--check", path=str(tmp_path))

    assert outcome.returncode == 1
    assert "apt-get install festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts flite" in outcome.stderr
    assert "Traceback" not in outcome.stderr
