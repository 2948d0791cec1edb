"""From a track's folder to the files that Azure gets."""

import hashlib
import io
import os
import random
import shutil
import stat
import struct
import wave
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.problems import DataRejected
from tasks import acoustic, zip_safety
from tasks.packing import PackedTesting, pack_testing, pack_training

TRANSCRIPTS = b"a.wav\tturn left\nb.wav\tturn right\n"


def wav(seed: int = 0, seconds: float = 0.1, channels: int = 1) -> bytes:
    """A WAV file of noise, always the same for a seed."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as recording:
        recording.setnchannels(channels)
        recording.setsampwidth(2)
        recording.setframerate(16_000)
        recording.writeframes(random.Random(seed).randbytes(int(seconds * 16_000) * 2 * channels))
    return buffer.getvalue()


FILES = {"a.wav": wav(1), "b.wav": wav(2), "trans.txt": TRANSCRIPTS}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files in a folder, made in the given order."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_zip(
    path: Path, files: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    """A zip as people make it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, data)
    return path


@pytest.fixture
def track(tmp_path: Path) -> Path:
    """A track with testing data only."""
    write(tmp_path / "sharjah/testing", FILES)
    return tmp_path / "sharjah"


def problems_of(pack: Callable[[Path, Path], object], track: Path) -> list[str]:
    """Everything that packing says is wrong, after making sure that it wrote nothing."""
    out = track.parent / "out"
    with pytest.raises(DataRejected) as rejected:
        pack(track, out)
    assert not out.exists() or not list(out.iterdir())
    return [str(problem) for problem in rejected.value.problems]


def packed_bytes(packed: PackedTesting) -> bytes:
    """What would be uploaded."""
    return packed.dataset.path.read_bytes()


def test_a_folder_becomes_a_zip_in_microsofts_format(track: Path, tmp_path: Path) -> None:
    """Flat, with `trans.txt` in UTF-8 with a byte-order mark: what Azure's own samples are."""
    packed = pack_testing(track, tmp_path / "out").dataset

    with zipfile.ZipFile(packed.path) as archive:
        assert archive.namelist() == ["a.wav", "b.wav", "trans.txt"]
        assert archive.read("trans.txt") == b"\xef\xbb\xbf" + TRANSCRIPTS
        assert archive.read("a.wav") == FILES["a.wav"]
    assert (packed.kind, packed.items, packed.seconds) == ("Acoustic", 2, pytest.approx(0.2))
    assert packed.size == packed.path.stat().st_size


def test_scoring_gets_references_and_labels(track: Path, tmp_path: Path) -> None:
    """By the recording's file name, which is how the service names transcripts."""
    write(track / "testing", {"utterances.tsv": b"file\tspeaker\tnoise\na.wav\tslt\tpink\nb.wav\trms\tclean\n"})

    packed = pack_testing(track, tmp_path / "out")

    assert packed.references == {"a.wav": "turn left", "b.wav": "turn right"}
    assert packed.labels["a.wav"] == {"speaker": "slt", "noise": "pink"}


def test_labels_are_optional_and_no_part_of_the_dataset(track: Path, tmp_path: Path) -> None:
    """Whoever corrects a label uploads nothing again."""
    bare = pack_testing(track, tmp_path / "bare")
    write(track / "testing", {"utterances.tsv": b"file\tspeaker\na.wav\tslt\nb.wav\trms\n"})
    labelled = pack_testing(track, tmp_path / "labelled")

    assert bare.labels == {}
    assert bare.dataset.content_hash == labelled.dataset.content_hash


@given(order=st.permutations(sorted(FILES)), ages=st.lists(st.integers(0, 2**31), min_size=3, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_equal_content_gives_equal_bytes(
    order: list[str], ages: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever packs it, whenever, in whatever order the files came to be: it is one dataset, uploaded once."""
    tmp_path = tmp_path_factory.mktemp("equal")
    first = pack_testing(write(tmp_path / "one/testing", FILES).parent, tmp_path / "first")
    folder = write(tmp_path / "two/testing", {name: FILES[name] for name in order})
    for name, age in zip(order, ages, strict=True):
        os.utime(folder / name, (age, age))
        (folder / name).chmod(0o600)

    second = pack_testing(folder.parent, tmp_path / "second")

    assert packed_bytes(first) == packed_bytes(second)
    assert first.dataset.content_hash == second.dataset.content_hash


@pytest.mark.parametrize(
    "transcripts",
    [
        b"\xef\xbb\xbfb.wav\tturn right\r\na.wav\tturn left",
        b"\n\nb.wav\tturn right \na.wav\t turn left\n\n",
    ],
)
def test_how_transcripts_are_written_down_does_not_make_another_dataset(
    track: Path, tmp_path: Path, transcripts: bytes
) -> None:
    """Line ends, order and a byte-order mark are not content."""
    before = packed_bytes(pack_testing(track, tmp_path / "before"))
    write(track / "testing", {"trans.txt": transcripts})

    assert packed_bytes(pack_testing(track, tmp_path / "after")) == before


@pytest.mark.parametrize(
    "change", [{"trans.txt": b"a.wav\tturn left\nb.wav\tturn back\n"}, {"a.wav": wav(3)}], ids=["text", "audio"]
)
def test_other_content_is_another_dataset(track: Path, tmp_path: Path, change: dict[str, bytes]) -> None:
    """Else the old one would be tested again."""
    before = pack_testing(track, tmp_path / "before").dataset.content_hash
    write(track / "testing", change)

    assert pack_testing(track, tmp_path / "after").dataset.content_hash != before


def test_the_hash_of_a_dataset_never_changes(track: Path, tmp_path: Path) -> None:
    """Datasets on the service carry it in their names: another Python or another release must find them again."""
    packed = pack_testing(track, tmp_path / "out")

    assert packed.dataset.content_hash == "8809966a83ea92a0387d24669043ff2e87344ddafe8a41cb8e79444df9c89381"
    assert (
        hashlib.sha256(packed_bytes(packed)).hexdigest()
        == "78414fad14a3230080ed81c9c4876a4df560015747c4592f6194c8220f0da456"
    )


def test_a_folder_that_is_a_link_tells_nothing_of_what_is_in_it(track: Path) -> None:
    """Its names would stand in a public comment."""
    (track.parent / "secret").mkdir()
    (track.parent / "secret/canary.wav").write_bytes(b"x")
    (track / "training").mkdir(exist_ok=True)
    shutil.rmtree(track / "training/audio", ignore_errors=True)
    (track / "training/audio").symlink_to(track.parent / "secret")

    told = problems_of(pack_training, track)

    assert [one for one in told if "training/audio: it is a link that leads out" in one]
    assert "canary" not in str(told)


@pytest.mark.parametrize("target", ["/etc/passwd", "/nowhere", "c.wav", "../.."])
def test_all_links_out_of_the_track_are_told_alike(track: Path, target: str) -> None:
    """Else they would tell which files this machine has; links to themselves lead nowhere."""
    (track / "testing/c.wav").symlink_to(target)

    assert [
        one for one in problems_of(pack_testing, track) if one.startswith("sharjah/testing/c.wav: it is a link that")
    ]


@pytest.mark.parametrize("place", ["testing.zip", "testing/samples.zip"])
@pytest.mark.parametrize("text_name", ["trans.txt", "transcripts.tsv"])
def test_a_ready_zip_is_the_same_dataset_as_its_folder(track: Path, tmp_path: Path, place: str, text_name: str) -> None:
    """Microsoft's samples, with byte-order mark and CRLF, are taken as they are."""
    transcripts = b"\xef\xbb\xbf" + TRANSCRIPTS.replace(b"\n", b"\r\n").rstrip()
    files = {"b.wav": FILES["b.wav"], text_name: transcripts, "a.wav": FILES["a.wav"], "__MACOSX/._a.wav": b"x"}
    write_zip(tmp_path / "ready" / place, files)

    ready, raw = pack_testing(tmp_path / "ready", tmp_path / "1"), pack_testing(track, tmp_path / "2")

    assert packed_bytes(ready) == packed_bytes(raw)
    assert (ready.dataset.content_hash, ready.references) == (raw.dataset.content_hash, raw.references)


@pytest.mark.parametrize("inside", [True, False], ids=["inside the zip", "beside the zip"])
def test_a_ready_zip_may_have_labels(tmp_path: Path, inside: bool) -> None:
    """Whoever zips the whole folder takes them along."""
    labels = {"utterances.tsv": b"file\tspeaker\na.wav\tslt\nb.wav\trms\n"}
    write_zip(tmp_path / "sharjah/testing.zip", FILES | labels if inside else FILES)
    write(tmp_path / "sharjah/testing", {} if inside else labels)

    assert pack_testing(tmp_path / "sharjah", tmp_path / "out").labels["b.wav"] == {"speaker": "rms"}


def test_training_data_become_one_file_per_dataset(track: Path, tmp_path: Path) -> None:
    """Text in UTF-8 with a byte-order mark and plain line ends; recordings as a zip; every zip a dataset of its own."""
    training = write(
        track / "training", {"plain_text.txt": b"one\r\n\r\ntwo", "pronunciation.txt": b"IEEE\ti triple e"}
    )
    write(training / "audio", {"a.wav": wav(5), "trans.txt": b"a.wav\tthree\n"})
    write_zip(training / "more.zip", FILES)

    packed = pack_training(track, tmp_path / "out")

    assert [one.kind for one in packed] == ["Language", "Pronunciation", "Acoustic", "Acoustic"]
    assert [one.items for one in packed] == [2, 1, 1, 2]
    assert packed[0].path.read_bytes() == b"\xef\xbb\xbfone\ntwo\n"
    assert packed[1].path.read_bytes() == b"\xef\xbb\xbfIEEE\ti triple e\n"
    assert len({one.path for one in packed}) == len({one.content_hash for one in packed}) == 4


def test_pronunciations_from_notepad_are_the_same_dataset(track: Path, tmp_path: Path) -> None:
    """ "ANSI" or UTF-8, Azure gets the same bytes; so nothing is uploaded or trained again when somebody converts them."""
    hashes = set()
    for encoding in ("cp1252", "utf-8", "utf-8-sig"):
        write(track / "training", {"pronunciation.txt": "O’Neill\to neill\r\nCafé\tca fay\r\n".encode(encoding)})
        (packed,) = pack_training(track, tmp_path / encoding, "en-US")
        hashes.add(packed.content_hash)
        assert packed.path.read_bytes() == b"\xef\xbb\xbf" + "O’Neill\to neill\nCafé\tca fay\n".encode()

    assert len(hashes) == 1


def test_every_problem_of_a_track_is_told_at_once(track: Path) -> None:
    """One run, one list: nobody wants to mend a file and learn of the next one."""
    training = write(track / "training", {"plain_text.txt": b"caf\xe9\n", "pronunciation.txt": b"IEEE\n"})
    write(training / "audio", {"a.wav": wav(channels=2), "b.mp3": b"ID3", "trans.txt": b"c.wav\tthree\n"})

    problems = problems_of(pack_training, track)

    assert [problem.split(":")[0] for problem in problems] == [
        "sharjah/training/plain_text.txt",
        "sharjah/training/pronunciation.txt",
        "sharjah/training/audio/b.mp3",
        "sharjah/training/audio/a.wav",
        "sharjah/training/audio/trans.txt",
        "sharjah/training/audio/trans.txt",
    ]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "sharjah/testing: there are no testing data"),
        ({"a.wav": wav()}, "sharjah/testing: there is no transcript file, or more than one"),
        ({"trans.txt": b""}, "sharjah/testing: there are no recordings"),
        ({"a.wav": wav()[:1_000], "trans.txt": b"a.wav\tone\n"}, "sharjah/testing/a.wav: it is cut off"),
        ({**FILES, "A.wav": wav(3)}, "sharjah/testing: 2 files are named 'a.wav'"),
        ({**FILES, "utterances.tsv": b"a.wav\tslt\n"}, "sharjah/testing/utterances.tsv:1: the first line is not a header"),
        ({"ready.zip": b"PK\x03\x04 cut off"}, "sharjah/testing/ready.zip: this is not a zip, or it is cut off"),
        ({"ready.zip": b"version https://git-lfs.github.com/spec/v1"}, "sharjah/testing/ready.zip: this is a Git LFS"),
    ],
)  # fmt: skip
def test_testing_data_that_cannot_be_used_are_told(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    """With the place, the reason and a remedy, and never a traceback."""
    track = write(tmp_path / "sharjah/testing", files).parent

    assert any(problem.startswith(told) for problem in problems_of(pack_testing, track))


def test_two_testing_datasets_are_refused(track: Path) -> None:
    """Azure tests from a single dataset, and we would have to guess which."""
    write_zip(track / "testing.zip", FILES)

    (problem,) = problems_of(pack_testing, track)

    assert "sharjah/testing, sharjah/testing.zip. Keep one of them." in problem


def test_a_track_without_training_data_is_told(track: Path) -> None:
    """An empty training would cost money and give the base model back."""
    (problem,) = problems_of(pack_training, track)

    assert problem.startswith("sharjah/training: there are no training data. Put plain_text.txt there")


def test_training_recordings_that_are_all_too_long_are_told(track: Path) -> None:
    """Azure's training would fail after hours; some long ones are no problem."""
    audio = write(track / "training/audio", {"a.wav": wav(seconds=41), "trans.txt": b"a.wav\tone\n"})

    (problem,) = problems_of(pack_training, track)
    write(audio, {"b.wav": wav(), "trans.txt": TRANSCRIPTS})

    assert "every recording is longer than 40 seconds" in problem
    assert pack_training(track, track / "out")[0].items == 2


def test_the_same_recordings_twice_are_refused(track: Path) -> None:
    """Two datasets of one name would be created side by side."""
    write(track / "training/audio", FILES)
    write_zip(track / "training/audio.zip", FILES)

    with pytest.raises(DataRejected, match="the very same recordings"):
        pack_training(track, track.parent / "out")


def test_a_link_out_of_the_track_is_refused(track: Path) -> None:
    """A pull request must not be able to upload someone else's recordings."""
    secret = track.parent / "other-customer.wav"
    secret.write_bytes(wav(9))
    (track / "testing/c.wav").symlink_to(secret)

    assert any("it is a link that leads out of the track's folder" in one for one in problems_of(pack_testing, track))


@pytest.mark.parametrize("place", ["testing.zip", "testing/ready.zip"])
def test_a_ready_zip_that_is_a_link_out_of_the_track_is_refused(tmp_path: Path, place: str) -> None:
    """Nor someone else's zip; its recordings and texts are not even read."""
    secret = write_zip(tmp_path / "other-customer.zip", FILES)
    link = tmp_path / "sharjah" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)

    (problem,) = problems_of(pack_testing, tmp_path / "sharjah")

    assert problem.startswith(f"sharjah/{place}: it is a link that leads out of the track's folder")


def test_a_ready_zip_that_is_a_link_within_the_track_is_taken(tmp_path: Path) -> None:
    """Nothing comes in that was not there."""
    write_zip(tmp_path / "sharjah/samples/one.zip", FILES)
    (tmp_path / "sharjah/testing.zip").symlink_to("samples/one.zip")

    assert pack_testing(tmp_path / "sharjah", tmp_path / "out").dataset.items == 2


@pytest.mark.parametrize("name", [b"\xff.wav", b"a:b.wav", b"a\\b.wav", b"a\x1b[2J.wav", b"\xff.zip"], ids=ascii)
def test_a_file_name_that_no_zip_could_carry_is_refused(track: Path, name: bytes) -> None:
    """Readers of zips disagree about such names; the message can be printed anywhere."""
    Path(os.fsdecode(os.fsencode(track / "testing") + b"/" + name)).write_bytes(wav(9))

    (problem,) = problems_of(pack_testing, track)

    assert "it has a name with ':', a backslash or a character that cannot be shown. Rename it" in problem
    assert problem.isascii()
    assert problem.isprintable()


def test_marks_that_windows_leaves_beside_downloads_do_not_count(track: Path, tmp_path: Path) -> None:
    """WSL shows them as files of their own."""
    write(track / "testing", {"a.wav:Zone.Identifier": b"[ZoneTransfer]"})

    assert pack_testing(track, tmp_path / "out").dataset.items == 2


def test_names_that_look_the_same_are_two_files(track: Path) -> None:
    """On Linux two spellings of "é" may lie side by side; one of the recordings would be lost."""
    write(track / "testing", {"\u00e9.wav": wav(5), "e\u0301.wav": wav(6)})

    assert any("2 files are named '\u00e9.wav'" in problem for problem in problems_of(pack_testing, track))


def member(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    """A zip entry with any name and mode."""
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (member("../evil.wav"), "'../evil.wav' would be written outside its folder"),
        (member("/etc/evil.wav"), "would be written outside its folder"),
        (member("..\\evil.wav"), "would be written outside its folder"),
        (member("C:evil.wav"), "would be written outside its folder"),
        (member("evil\x1b[2J.wav"), "has a name with ':', a backslash or a character that cannot be shown"),
        (member("a.wav:hidden"), "has a name with ':', a backslash or a character that cannot be shown"),
        (member("link.wav", stat.S_IFLNK | 0o777), "is a symbolic link"),
        (member("A.WAV"), "2 files are named 'a.wav'"),
        (member("folder/c.wav"), "its files lie in a folder inside the zip"),
    ],
    ids=lambda value: ascii(value) if isinstance(value, str) else "",
)
def test_a_hostile_entry_is_refused(tmp_path: Path, entry: zipfile.ZipInfo, told: str) -> None:
    """Whatever else the zip holds."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, wav(7))

    assert any(told in problem for problem in problems_of(pack_testing, path.parent))


def test_a_zip_bomb_is_refused_unread(tmp_path: Path) -> None:
    """A hundredth of its size is all that it may grow by a hundred times."""
    path = write_zip(tmp_path / "sharjah/testing.zip", {**FILES, "c.wav": bytes(5_000_000)})

    assert any(
        "unpacks to more than 100 times its size" in problem for problem in problems_of(pack_testing, path.parent)
    )


@pytest.mark.parametrize(
    ("limit", "value", "told"),
    [
        ("MOST_ENTRIES", 2, "the zip has 3 entries, more than 2"),
        ("MOST_BYTES", 1_000, "bytes, more than 1,000"),
        ("MOST_BYTES_EACH", 1_000, "'a.wav' unpacks to 3,244 bytes, more than 1,000"),
    ],
)
def test_a_zip_over_a_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, told: str
) -> None:
    """The limits are lowered here: a real one would need gigabytes."""
    monkeypatch.setattr(zip_safety, limit, value)
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES)

    assert any(told in problem for problem in problems_of(pack_testing, path.parent))


@pytest.mark.parametrize(
    ("limit", "told"),
    [("MOST_RECORDINGS", "there are 2 recordings, but Azure takes at most 1"), ("MOST_BYTES", "Azure takes at most 1")],
)
def test_a_folder_over_azures_limits_is_refused(
    track: Path, monkeypatch: pytest.MonkeyPatch, limit: str, told: str
) -> None:
    """Azure would refuse it after the upload."""
    monkeypatch.setattr(acoustic, limit, 1)

    assert any(told in problem for problem in problems_of(pack_testing, track))


def test_a_zip_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    """Python cannot open it at all, and says so in its own way."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(data)

    (problem,) = problems_of(pack_testing, path.parent)

    assert "this is not a zip, or it is cut off" in problem


def test_an_exotic_compression_is_refused(tmp_path: Path) -> None:
    """Azure documents none but the usual one."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES, zipfile.ZIP_LZMA)

    assert any("in another way than `deflate`" in problem for problem in problems_of(pack_testing, path.parent))


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    """The bomb that no ratio gives away: many names for the same bytes."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    struct.pack_into("<I", data, directory + 42, 10)
    path.write_bytes(data)

    assert any("entries of the zip overlap" in problem for problem in problems_of(pack_testing, path.parent))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    """Nobody here knows the password, and Azure does not either."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    assert any("is encrypted" in problem for problem in problems_of(pack_testing, path.parent))


def test_a_damaged_recording_in_a_zip_is_found_before_anything_is_uploaded(tmp_path: Path) -> None:
    """One flipped bit: the checksum tells, although the header looks right."""
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[500] ^= 1
    path.write_bytes(data)

    with pytest.raises(DataRejected, match=r"a\.wav: it cannot be read \(BadZipFile\)"):
        pack_testing(path.parent, tmp_path / "out")


@given(place=st.integers(0, 7_500), noise=st.binary(min_size=1, max_size=8), cut=st.none() | st.integers(0, 7_500))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_no_damaged_zip_makes_packing_fail(
    tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes, cut: int | None
) -> None:
    """Fuzzed archives are packed or refused with a reason; there is no third way."""
    tmp_path = tmp_path_factory.mktemp("fuzz")
    path = write_zip(tmp_path / "sharjah/testing.zip", FILES)
    data = bytearray(path.read_bytes())
    data[place : place + len(noise)] = noise
    path.write_bytes(data[:cut])

    with suppress(DataRejected):
        assert pack_testing(path.parent, tmp_path / "out").dataset.items == 2
