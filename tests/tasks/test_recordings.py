"""Whatever the check takes can be uploaded, imported, and sent through an endpoint: one table of files for all of them."""

import io
import itertools
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
import numpy as np
import pytest
import soundfile

from domain.golden import LONGEST_SECONDS
from domain.mistakes import Mistake
from domain.problems import DataRejected
from emulator.app import create_app
from emulator.audio import read_wav
from speech_client import KeyCredential, SpeechClient
from tasks.filesets import FileSet
from tasks.packing import PackedTesting, pack_testing
from tasks.prints import prints_of
from tasks.snapshots import read_recordings, short_recordings
from tasks.store import LocalFolder
from tests.emulator.fake_engine import wav as spoken
from tests.emulator.service_kit import KEY, Caller, settings_for

SAID = spoken("turn left", seconds=0.1)[44:]
SOUNDS = {
    "speech": SAID,
    "one sample": b"\x34\x12",
    "silence": bytes(400),
    "readable": b"  " * 60,  # as the name of a chunk is
}
RATES = (8_000, 16_000)


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A chunk, padded to an even length; `size` is what its header says."""
    return struct.pack("<4sI", name, len(content) if size is None else size) + content + bytes(len(content) % 2)


def form(rate: int, *, tag: int = 1, channels: int = 1, bits: int = 16, more: bytes = b"") -> bytes:
    """A chunk that tells the format."""
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits) + more)


def riff(*chunks: bytes, size: int | None = None, slip: int = 0, name: bytes = b"RIFF") -> bytes:
    """A file; `size` is what its header says instead, `slip` by how much it is wrong."""
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) + slip if size is None else size) + body


Header = Callable[[int, bytes], bytes]
"""From a rate and samples to a file."""

LIST = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0")  # of odd length
BEXT = chunk(b"bext", b"A field recorder's notes".ljust(602, b"\0"))
EXTENSIBLE = struct.pack("<HHIH14s", 22, 16, 4, 1, b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71")
TAG = b"TAG" + bytes(125)

GOOD: Mapping[str, Header] = {
    "plain": lambda rate, sound: riff(form(rate), chunk(b"data", sound)),
    "format with a size of its extension": lambda rate, sound: riff(form(rate, more=b"\0\0"), chunk(b"data", sound)),
    "notes before the sound": lambda rate, sound: riff(form(rate), LIST, chunk(b"data", sound)),
    "notes before the format": lambda rate, sound: riff(BEXT, form(rate), chunk(b"data", sound)),
    "64 kB before the format": lambda rate, sound: riff(
        chunk(b"JUNK", bytes(65_536)), form(rate), chunk(b"data", sound)
    ),
    "64 kB before the sound": lambda rate, sound: riff(
        form(rate), chunk(b"FLLR", bytes(70_001)), chunk(b"data", sound)
    ),
    "many chunks": lambda rate, sound: riff(*[LIST] * 300, form(rate), *[LIST] * 300, chunk(b"data", sound)),
    "notes after the sound": lambda rate, sound: riff(
        form(rate), chunk(b"data", sound), LIST, chunk(b"cue ", bytes(4))
    ),
    "ID3 in a chunk": lambda rate, sound: riff(
        form(rate), chunk(b"data", sound), chunk(b"id3 ", b"ID3\x03" + bytes(96))
    ),
    "odd notes at the end, not padded": lambda rate, sound: riff(form(rate), chunk(b"data", sound), LIST)[:-1],
    "a size that forgets 4 bytes": lambda rate, sound: riff(form(rate), chunk(b"data", sound), slip=-4),
    "a size that counts itself": lambda rate, sound: riff(form(rate), chunk(b"data", sound), slip=8),
    "notes that the size forgets": lambda rate, sound: riff(form(rate), chunk(b"data", sound)) + LIST,
    "a stray byte at the end": lambda rate, sound: riff(form(rate), chunk(b"data", sound)) + b"\n",
}

BAD: Mapping[str, Header] = {
    "size 0": lambda rate, sound: riff(form(rate), chunk(b"data", sound), size=0),
    "size 10": lambda rate, sound: riff(form(rate), chunk(b"data", sound), size=10),
    "size of the header": lambda rate, sound: riff(form(rate), chunk(b"data", sound), size=36 - 12),
    "size unknown": lambda rate, sound: riff(form(rate), chunk(b"data", sound), size=0xFFFF_FFFF),
    "size of half": lambda rate, sound: riff(form(rate), chunk(b"data", sound), size=36 + len(sound) // 2),
    "streamed by ffmpeg": lambda rate, sound: riff(form(rate), LIST, chunk(b"data", sound, 0xFFFF_FFFF), size=0xFFFF_FFFF),
    "streamed by sox": lambda rate, sound: riff(form(rate), chunk(b"data", sound, 0x7FFF_F000), size=0x7FFF_F024),
    "streamed with 0": lambda rate, sound: riff(form(rate), chunk(b"data", sound, 0), size=0),
    "sound of size 0": lambda rate, sound: riff(form(rate), chunk(b"data", sound, 0)),
    "sound lies small": lambda rate, sound: riff(form(rate), chunk(b"data", sound, len(sound) // 4 * 2)),
    "sound lies 8 bytes small": lambda rate, sound: riff(form(rate), chunk(b"data", sound, len(sound) - 8)),
    "sound lies large": lambda rate, sound: riff(form(rate), chunk(b"data", sound, len(sound) * 2)),
    "half a sample too much": lambda rate, sound: riff(form(rate), chunk(b"data", sound + b"x")),
    "cut in a sample": lambda rate, sound: riff(form(rate), chunk(b"data", sound))[:-1],
    "cut in half": lambda rate, sound: riff(form(rate), chunk(b"data", sound))[: 44 + len(sound) // 2],
    "cut in the header": lambda rate, sound: riff(form(rate), chunk(b"data", sound))[:40],
    "no sound": lambda rate, _: riff(form(rate), chunk(b"data", b"")),
    "no sound, but notes": lambda rate, _: riff(form(rate), chunk(b"data", b""), LIST),
    "two pieces of sound": lambda rate, sound: riff(form(rate), chunk(b"data", sound), chunk(b"data", sound)),
    "sound before the format": lambda rate, sound: riff(chunk(b"data", sound), form(rate)),
    "no format": lambda _, sound: riff(chunk(b"data", sound)),
    "two formats": lambda rate, sound: riff(form(rate), form(24_000 - rate), chunk(b"data", sound)),
    "short format": lambda rate, sound: riff(chunk(b"fmt ", form(rate)[8:22]), chunk(b"data", sound)),
    "ID3 after the file": lambda rate, sound: riff(form(rate), chunk(b"data", sound)) + TAG,
    "zeros after the file": lambda rate, sound: riff(form(rate), chunk(b"data", sound)) + bytes(512),
    "notes cut off": lambda rate, sound: riff(form(rate), chunk(b"data", sound), LIST)[:-9],
    "odd notes not padded": lambda rate, sound: riff(form(rate), LIST[:-1], chunk(b"data", sound)),
    "ten thousand chunks": lambda rate, sound: riff(form(rate), *[chunk(b"JUNK", b"")] * 10_000, chunk(b"data", sound)),
    "frames of 4 bytes": lambda rate, sound: riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 4, 16)), chunk(b"data", sound)
    ),
    "bytes of another rate": lambda rate, sound: riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate, 2, 16)), chunk(b"data", sound)
    ),
    "extensible": lambda rate, sound: riff(form(rate, tag=0xFFFE, more=EXTENSIBLE), chunk(b"data", sound)),
    "64 bits": lambda rate, sound: riff(form(rate), chunk(b"data", sound), name=b"RF64"),
    "big-endian": lambda rate, sound: riff(form(rate), chunk(b"data", sound), name=b"RIFX"),
}  # fmt: skip

FORMATS: Mapping[str, bytes] = {
    "8 bit": form(16_000, bits=8),
    "24 bit": form(16_000, bits=24),
    "32 bit": form(16_000, bits=32),
    "float": form(16_000, tag=3, bits=32),
    "double": form(16_000, tag=3, bits=64),
    "A-law": form(8_000, tag=6, bits=8),
    "µ-law": form(8_000, tag=7, bits=8),
    "ADPCM": form(8_000, tag=0x11, bits=4),
    "MP3 inside": form(16_000, tag=0x55, bits=0),
    "stereo": form(16_000, channels=2),
    "no channel": form(16_000, channels=0),
    "no rate": form(0),
    "11 kHz": form(11_025),
    "44 kHz": form(44_100),
    "48 kHz": form(48_000),
}


def encoded(format_: str) -> bytes:
    """Sound in another format, under a name that promises WAV."""
    target = io.BytesIO()
    soundfile.write(target, np.zeros(16_000, np.int16), 16_000, format=format_)
    return target.getvalue()


def accepted() -> Iterator[tuple[str, int, bytes, bytes]]:
    """What it is, its rate, its samples, the file."""
    for (what, header), rate, (sound, samples) in itertools.product(GOOD.items(), RATES, SOUNDS.items()):
        yield f"{what}, {sound}, {rate}", rate, samples, header(rate, samples)


def refused() -> Iterator[tuple[str, bytes]]:
    """What it is, and the file."""
    for (what, header), rate, sound in itertools.product(BAD.items(), RATES, ("speech", "silence", "readable")):
        yield f"{what}, {sound}, {rate}", header(rate, SOUNDS[sound])
    for (what, told), before in itertools.product(FORMATS.items(), (b"", LIST, BEXT)):
        yield f"{what}, {len(before)} before", riff(before, told, chunk(b"data", struct.pack("<f", float("nan")) * 600))
    yield from (("empty", b""), ("text", b"turn left\n"), ("a name", b"RIFF"), ("half a name", b"RIFF\0\0\0\0WA"))
    yield from ((format_, encoded(format_)) for format_ in ("MP3", "FLAC", "OGG", "AIFF"))
    yield "Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


ACCEPTED, REFUSED = list(accepted()), list(refused())
RECORDINGS = {f"{number}.wav": data for number, (_, _, _, data) in enumerate(ACCEPTED)}
WHAT = {f"{number}.wav": what for number, (what, *_) in enumerate(ACCEPTED)}
HEARD = [name for name, what in WHAT.items() if what.endswith(("speech, 16000", "silence, 8000", "silence, 16000"))]
"""What the quick engine can make something of: others have samples that are no letters."""


def track(folder: Path, recordings: Mapping[str, bytes], zipped: int | None = None) -> Path:
    """A track that tests with these recordings; `zipped` is how they are compressed."""
    files = {**recordings, "trans.txt": "".join(f"{name}\tturn left\n" for name in recordings).encode()}
    (folder / "testing").mkdir(parents=True)
    if zipped is None:
        for name, data in files.items():
            (folder / "testing" / name).write_bytes(data)
        return folder
    with zipfile.ZipFile(folder / "testing/ready.zip", "w", zipped) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> PackedTesting:
    """All accepted files as one dataset."""
    folder = tmp_path_factory.mktemp("recordings")
    return pack_testing(track(folder / "city", RECORDINGS), folder / "out")


@pytest.fixture
async def kept(packed: PackedTesting, tmp_path: Path) -> LocalFolder:
    """A store that holds the dataset."""
    store = LocalFolder(tmp_path / "store")
    await store.upload("snapshots/x.zip", packed.dataset.path)
    return store


def test_the_table_is_large() -> None:
    """Over two hundred files, and both verdicts."""
    assert (len(ACCEPTED), len(REFUSED)) == (112, 252)


@pytest.mark.parametrize(("what", "data"), REFUSED, ids=[what for what, _ in REFUSED])
def test_what_cannot_be_released_is_refused_before_anything_is_uploaded(what: str, data: bytes, tmp_path: Path) -> None:
    """With the file, the cause and what to do; in a zip as in a folder."""
    told = []
    for number, zipped in enumerate((None, zipfile.ZIP_DEFLATED)):
        with pytest.raises(DataRejected) as rejected:
            pack_testing(track(tmp_path / f"{number}/city", {"a.wav": data}, zipped), tmp_path / "out")
        told += rejected.value.problems

    (in_folder, in_zip) = told
    assert (in_folder.file, in_zip.file) == ("city/testing/a.wav", "city/testing/ready.zip/a.wav")
    assert (in_folder.reason, in_folder.remedy) == (in_zip.reason, in_zip.remedy)
    assert in_folder.reason
    assert in_folder.remedy
    assert not (tmp_path / "out").exists()


def test_what_is_accepted_has_the_length_of_its_sound(packed: PackedTesting) -> None:
    """For costs, for the sheet, and for what is short enough to be sent."""
    assert packed.seconds == {
        f"{number}.wav": len(samples) / 2 / rate for number, (_, rate, samples, _) in enumerate(ACCEPTED)
    }


def test_a_ready_zip_is_the_same_dataset(packed: PackedTesting, tmp_path: Path) -> None:
    """Compressed members are walked as files are."""
    ready = pack_testing(track(tmp_path / "city", RECORDINGS, zipfile.ZIP_DEFLATED), tmp_path / "out")

    assert ready.dataset.content_hash == packed.dataset.content_hash


async def test_what_is_accepted_is_imported_and_can_be_sent(
    packed: PackedTesting, kept: LocalFolder, tmp_path: Path
) -> None:
    """The emulator has a reader of its own: it finds the same recordings, and in what listening sends the same words."""
    short = await short_recordings(kept, "snapshots/x.zip", LONGEST_SECONDS)
    sent = await read_recordings(kept, "snapshots/x.zip", short)
    app = create_app(settings_for(tmp_path / "emulator"))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers={"Ocp-Apim-Subscription-Key": KEY}
        ) as http,
        SpeechClient("http://127.0.0.1", KeyCredential(KEY), transport=transport) as speech,
    ):
        dataset = await Caller(http).dataset("Acoustic", packed.dataset.path.read_bytes())
        answers = {name: await speech.recognise(None, sent[name], locale="en-US") for name in HEARD}

    assert dataset["properties"]["acceptedLineCount"] == len(ACCEPTED)
    assert dataset["properties"]["rejectedLineCount"] == 0
    assert sent.keys() == short == RECORDINGS.keys()
    assert {name for name, answer in answers.items() if answer.lexical == "turn left"} == {
        name for name in HEARD if "speech" in WHAT[name]
    }


async def test_what_is_sent_holds_the_very_samples_behind_a_plain_header(kept: LocalFolder) -> None:
    """However long the notes in the file are: short audio is limited by its bytes, too."""
    sent = await read_recordings(kept, "snapshots/x.zip", RECORDINGS)

    for number, (_, rate, samples, _) in enumerate(ACCEPTED):
        wav = sent[f"{number}.wav"]
        assert wav == riff(form(rate), chunk(b"data", samples))
        if rate == 16_000:
            assert read_wav(wav).pcm.tobytes() == samples


def test_the_same_sound_has_the_same_print_behind_every_header() -> None:
    """A training recording in another wrapping is still the testing recording."""
    files = FileSet(
        "x", {name: len(data) for name, data in RECORDINGS.items()}, lambda name: io.BytesIO(RECORDINGS[name])
    )
    prints = {(WHAT[one.name].split(", ")[-2], one.sound) for one in prints_of(files, sorted(RECORDINGS))}

    assert sorted(sound for sound, _ in prints) == sorted(SOUNDS)


@pytest.mark.parametrize("seed", range(40))
def test_no_header_of_a_stranger_leads_to_a_traceback(seed: int, tmp_path: Path) -> None:
    """Bytes of good headers, changed at random: of what is accepted the emulator finds every sample.

    Notes of editors are left out: what is inside a chunk with a name of its own is not ours to judge, and libsndfile does.
    """
    random = Random(seed)
    for what, header in GOOD.items():
        if "notes" in what or "many" in what:
            continue
        data = bytearray(header(16_000, SAID))
        for _ in range(random.randint(1, 4)):
            data[random.randrange(min(len(data), 80))] = random.choice(
                (0, 1, 2, 0x10, 0x7F, 0xFF, random.randrange(256))
            )
        folder = tmp_path / what.replace(" ", "-")
        with suppress(DataRejected):
            seconds = pack_testing(track(folder / "city", {"a.wav": bytes(data)}), folder / "out").seconds
            assert read_wav(bytes(data)).seconds == seconds["a.wav"]


async def test_a_dataset_from_before_the_check_was_strict_does_not_break_a_release(tmp_path: Path) -> None:
    """The recordings whose length nobody can tell are not chosen; what was chosen already goes as it is."""
    odd = {"0.wav": BAD["size 0"](16_000, SAID), "10.wav": BAD["size 10"](16_000, SAID), "text.wav": b"turn left"}
    store, good = LocalFolder(tmp_path / "store"), GOOD["plain"](16_000, SAID)
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        for name, data in {**odd, "good.wav": good}.items():
            archive.writestr(name, data)
    await store.upload("snapshots/old.zip", tmp_path / "old.zip")

    assert await short_recordings(store, "snapshots/old.zip", LONGEST_SECONDS) == {"good.wav"}
    assert await read_recordings(store, "snapshots/old.zip", ["good.wav", *odd]) == {**odd, "good.wav": good}


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
async def test_a_dataset_that_the_store_lost_or_damaged_is_told(content: bytes | None, tmp_path: Path) -> None:
    """With its key, for that is what somebody has to bring back."""
    store = LocalFolder(tmp_path)
    if content is not None:
        await store.write("snapshots/x.zip", content)

    for reading in (
        short_recordings(store, "snapshots/x.zip", 60),
        read_recordings(store, "snapshots/x.zip", ["a.wav"]),
    ):
        with pytest.raises(Mistake, match=r"snapshots/x\.zip"):
            await reading
