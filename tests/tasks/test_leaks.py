"""Leaks as people meet them: in a track's folder, with lines that they can open, and in what earlier models learnt."""

import shutil
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from domain.leakage import LeakReport
from domain.problems import DataRejected
from tasks import prints
from tasks.leaks import check_leaks, leaks_in_folder
from tasks.packing import pack_testing, pack_training
from tasks.store import LocalFolder

DATA = Path(__file__).parents[2] / "data/sharjah"
SAID = "the old road to kalba crosses the desert"


def sound(seed: int, samples: int = 800) -> bytes:
    """Noise, always the same for a seed; it neither begins nor ends with a zero byte."""
    return bytes(Random(seed).choices(range(1, 256), k=samples * 2))


def wav(samples: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A WAV file with chunks before and after its sound."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    body = b"WAVE" + form + before + struct.pack("<4sI", b"data", len(samples)) + samples + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.fixture
def track(tmp_path: Path) -> Path:
    """A track whose training and testing data share nothing."""
    folder = tmp_path / "city"
    write(
        folder / "testing",
        {"a.wav": wav(sound(1)), "b.wav": wav(sound(2)), "trans.txt": f"a.wav\t{SAID}\nb.wav\tturn right\n".encode()},
    )
    write(folder / "training", {"plain_text.txt": b"something else\n"})
    write(folder / "training/audio", {"x.wav": wav(sound(9)), "trans.txt": b"x.wav\tquite another thing\n"})
    return folder


def kinds(report: LeakReport) -> list[str]:
    """What was found, but for notes that do not matter here."""
    return [leak.kind for leak in report.leaks if leak.suspicious]


@pytest.mark.parametrize(
    "update",
    [[], ["dinosaurs"], ["more-recordings"], ["dinosaurs", "more-recordings"]],
    ids=lambda names: "+".join(names) or "as it is",
)
def test_the_sample_track_is_clean(tmp_path: Path, update: list[str]) -> None:
    """What newcomers see first must not be an alarm."""
    track = tmp_path / "sharjah"
    for source in (DATA, *(DATA / "updates" / name for name in update)):
        shutil.copytree(source, track, dirs_exist_ok=True, ignore=shutil.ignore_patterns("updates", "corpus*"))

    report = leaks_in_folder(track, "en-US")

    assert report.outcome == "clean", report.leaks
    assert "the bytes and the sound of 4 training recordings" in report.checked


def test_an_update_of_the_sample_track_that_holds_testing_sentences_leaks(tmp_path: Path) -> None:
    """Whole, changed by a word, and inside a longer line."""
    track = tmp_path / "sharjah"
    shutil.copytree(DATA, track, ignore=shutil.ignore_patterns("updates", "corpus*"))
    with (track / "training/plain_text.txt").open("a", encoding="utf-8") as text:
        text.write("the souq had a roof of palm leaves\n")
        text.write("The road through the desert is closed because of the storm.\n")
        text.write("They say that stone tools show that people lived here long before that time came.\n")

    report = leaks_in_folder(track, "en-US")

    assert [(leak.kind, leak.line, leak.utterance) for leak in report.leaks] == [
        ("same text", 285, "slt-02.wav"),
        ("copied passages", 287, "slt-04.wav"),
        ("near text", 286, "slt-05.wav"),
    ]


def test_testing_sentences_in_an_update_are_told_with_the_line_in_the_users_file(track: Path) -> None:
    """Blank lines and a byte-order mark are dropped when data are packed; the line that people open is another."""
    text = f"\ufeff\r\n\r\nsomething else\r\n\r\n{SAID.title()}.\r\n"
    write(track / "training", {"plain_text.txt": text.encode()})

    report = leaks_in_folder(track, "en-US")

    (leak,) = report.leaks
    assert (leak.file, leak.line, leak.utterance) == ("city/training/plain_text.txt", 5, "a.wav")
    assert report.outcome == "leaked"


def test_transcripts_of_training_recordings_are_searched_by_their_lines(track: Path) -> None:
    """A model learns them as it learns any other text; what is odd in them was said."""
    write(track / "training/audio", {"x.wav": wav(sound(9)), "trans.txt": f"\n\nx.wav\t{SAID} ```\n".encode()})

    (leak,) = leaks_in_folder(track, "en-US").leaks

    assert (leak.kind, leak.file, leak.line) == ("same text", "city/training/audio/trans.txt", 3)


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        (wav(sound(1)), "same bytes"),
        (wav(sound(1), before=b"LIST\x04\0\0\0note"), "same audio"),
        (wav(sound(1), after=b"LIST\x04\0\0\0note"), "same audio"),
        (wav(bytes(64) + sound(1) + bytes(32)), "same audio"),
        (wav(sound(3)), None),
        (wav(sound(1)[:-2]), None),
        (wav(sound(1)[:800] + bytes(2) + sound(1)[800:]), None),
    ],
    ids=["copy", "notes before", "notes after", "digital silence around", "other", "cut", "silence within"],
)
def test_a_testing_recording_is_known_again_however_it_is_wrapped(track: Path, copy: bytes, kind: str | None) -> None:
    """Only other samples are another recording."""
    write(track / "training/audio", {"x.wav": copy})

    report = leaks_in_folder(track, "en-US")

    assert kinds(report) == ([kind] if kind else [])
    assert report.utterances == ({"a.wav"} if kind else set())


@pytest.mark.parametrize("chunk", [1, 7, 1_000])
def test_recordings_are_read_in_pieces(track: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """However the bytes fall into pieces, the print is the same."""
    whole = wav(bytes(50) + sound(1, 40) + bytes(90) + sound(2, 40) + bytes(70), before=b"LIST\x04\0\0\0note")
    other = wav(sound(1, 40) + bytes(90) + sound(2, 40), after=b"LIST\x02\0\0\0xx")
    write(track / "testing", {"a.wav": whole})
    write(track / "training/audio", {"x.wav": other})
    monkeypatch.setattr(prints, "_CHUNK", chunk)

    assert kinds(leaks_in_folder(track, "en-US")) == ["same audio"]


def test_silent_recordings_are_not_the_same_one(track: Path) -> None:
    """There is nothing in them that could leak."""
    write(track / "testing", {"a.wav": wav(bytes(1_600))})
    write(track / "training/audio", {"x.wav": wav(bytes(800))})

    assert leaks_in_folder(track, "en-US").leaks == ()


def test_speakers_are_compared_when_training_recordings_have_labels(track: Path) -> None:
    """By the same table that testing recordings have."""
    write(track / "training/audio", {"utterances.tsv": b"file\tspeaker\nx.wav\tslt\n"})
    write(track / "testing", {"utterances.tsv": b"file\tspeaker\na.wav\tslt\nb.wav\trms\n"})

    report = leaks_in_folder(track, "en-US")

    assert kinds(report) == ["speaker"]
    assert report.outcome == "suspicious"


def test_faulty_labels_of_training_recordings_are_told(track: Path) -> None:
    """Who labels speakers wants them compared."""
    write(track / "training/audio", {"utterances.tsv": b"file\tspeaker\ny.wav\tslt\n"})

    with pytest.raises(DataRejected) as rejected:
        leaks_in_folder(track, "en-US")

    assert [problem.file for problem in rejected.value.problems] == ["city/training/audio/utterances.tsv"] * 2


def test_a_line_that_cannot_be_read_is_told_and_not_passed_over(track: Path) -> None:
    """Nobody may call a file clean that nobody could read."""
    write(track / "training", {"plain_text.txt": b"fine\ncaf\xe9\n"})

    with pytest.raises(DataRejected, match=r"plain_text\.txt:2: byte 0xe9"):
        leaks_in_folder(track, "en-US")


def test_ready_zips_are_searched_like_folders(track: Path) -> None:
    """On both sides."""
    for place in ("testing", "training/audio"):
        with zipfile.ZipFile(track / f"{place.split('/')[0]}/ready.zip", "w") as archive:
            for path in sorted((track / place).iterdir()):
                if path.suffix != ".zip":
                    archive.write(path, path.name)
                    path.unlink()
    (track / "training/ready.zip").rename(track / "training/copy.zip")
    shutil.copy(track / "testing/ready.zip", track / "training/leak.zip")

    report = leaks_in_folder(track, "en-US")

    assert set(kinds(report)) == {"same text", "short text", "same bytes"}
    assert {leak.file for leak in report.leaks if leak.kind == "same text"} == {"city/training/leak.zip/trans.txt"}
    assert report.utterances == {"a.wav", "b.wav"}


async def kept(track: Path, store: LocalFolder) -> tuple[str, list[str]]:
    """The packed data of a track in a store: the key of the testing data, and those of the training data."""
    testing = pack_testing(track, track.parent / "out/testing").dataset
    packed = [testing, *pack_training(track, track.parent / "out/training")]
    keys = [f"snapshots/{dataset.content_hash}{dataset.path.suffix}" for dataset in packed]
    for key, dataset in zip(keys, packed, strict=True):
        await store.upload(key, dataset.path)
    return keys[0], keys[1:]


REFERENCES = {"a.wav": SAID, "b.wav": "turn right"}


async def test_what_an_earlier_model_learnt_is_searched_in_the_store(track: Path, tmp_path: Path) -> None:
    """Testing data of today may be training data of last year."""
    write(track / "training", {"plain_text.txt": f"one\n{SAID}\n".encode(), "pronunciation.txt": b"Kalba\tkal ba\n"})
    write(track / "training/audio", {"x.wav": wav(sound(2), after=b"LIST\x02\0\0\0xx")})
    store = LocalFolder(tmp_path / "store")
    testing, training = await kept(track, store)

    report = await check_leaks(store, testing, REFERENCES, {}, training, "en-US")

    assert [(leak.kind, leak.line, leak.utterance) for leak in report.leaks] == [
        ("same text", 2, "a.wav"),
        ("same audio", None, "b.wav"),
    ]
    assert report.leaks[0].file in training


async def test_clean_training_data_in_the_store_are_clean(track: Path, tmp_path: Path) -> None:
    """However often they are named."""
    store = LocalFolder(tmp_path / "store")
    testing, training = await kept(track, store)

    first = await check_leaks(store, testing, REFERENCES, {}, training, "en-US")
    second = await check_leaks(store, testing, REFERENCES, {}, [*training, *training], "en-US")

    assert first == second
    assert first.outcome == "clean"


async def test_prints_are_taken_once_and_kept_beside_the_data(track: Path, tmp_path: Path) -> None:
    """Nobody fetches gigabytes of recordings a second time."""
    store = LocalFolder(tmp_path / "store")
    testing, training = await kept(track, store)
    await check_leaks(store, testing, REFERENCES, {}, training, "en-US")
    of_testing, *of_training = await prints_kept(store, [testing, *training])

    await store.write(f"{training[-1]}.prints-1.json", of_testing)

    assert len(of_training) == 1
    report = await check_leaks(store, testing, REFERENCES, {}, training, "en-US")
    assert kinds(report) == ["same text", "short text", "same bytes", "same bytes"]


async def prints_kept(store: LocalFolder, keys: list[str]) -> list[bytes]:
    """The prints that are kept of packed data."""
    kept = [await store.read(f"{key}.prints-1.json") for key in keys]
    return [one.data for one in kept if one]


async def test_training_data_that_the_store_has_lost_are_not_taken_for_clean(track: Path, tmp_path: Path) -> None:
    """Nobody looked, so nobody can say."""
    store = LocalFolder(tmp_path / "store")
    testing, _ = await kept(track, store)

    report = await check_leaks(store, testing, REFERENCES, {}, ["snapshots/gone.txt"], "en-US")

    assert [(leak.kind, leak.file) for leak in report.leaks] == [("not searched", "snapshots/gone.txt")]
    assert report.outcome == "suspicious"
