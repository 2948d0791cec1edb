"""Make the recordings of a sample track from its corpus.

    python data/synthesise.py              write every recording, trans.txt and utterances.tsv
    python data/synthesise.py --check      compare what is there with what would be written

`corpus.tsv` of a track lists every recording: set, file, speaker, topic, noise, reference. `corpus.toml` says what a
speaker and a noise are, and how a name is spelled for the synthesiser. The texts under `training/` are written by hand.

Needs flite, festival and festival's voices (the script names the missing Debian packages), and numpy, soundfile and
soxr (`pip install 'speechops[emulator]'`). Nothing is left to chance: noise is seeded by the recording's path.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import typer

Samples = npt.NDArray[np.float64]

TRACK = Path(__file__).parent / "sharjah"

SAMPLE_RATE = 16_000
SPEECH_DBFS = -24
MARGIN = SAMPLE_RATE // 20
BABBLE_VOICES = 6

FOLDERS = {
    "testing": Path("testing"),
    "training": Path("training/audio"),
    "more-recordings": Path("updates/more-recordings/testing"),
}
"""Where the recordings of a set lie within the track."""

EXTENDS = {"more-recordings": "testing"}
"""An update's trans.txt and utterances.tsv hold the rows of the set that it extends, too."""

LIST_VOICES = {"flite": ["flite", "-lv"], "festival": ["festival", "-b", "(print (voice.list))"]}
"""How an engine tells its voices: asked first, for flite speaks with another voice when it lacks the one asked for."""


class SynthesisError(Exception):
    """The recordings cannot be made; the message says what is missing or wrong, and where."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A synthetic voice, and the Debian package that brings it.

    `scale` multiplies pitch and formants and leaves the tempo: 1.15 is a vocal tract that is 15 % shorter.
    """

    engine: Literal["flite", "festival"]
    voice: str
    package: str
    scale: float = 1.0

    def say(self, text: str) -> Samples:
        """Speak `text`: mono samples in [-1, 1] at 16 kHz, without the silence around them, at -24 dBFS RMS."""
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "speech.wav"
            command = self._flite(wav, text) if self.engine == "flite" else self._festival(wav)
            subprocess.run(command, input=text, text=True, check=True, capture_output=True)
            samples, rate = soundfile.read(wav)
        return levelled(trimmed(soxr.resample(samples, rate * self.scale, SAMPLE_RATE, "VHQ")), SPEECH_DBFS)

    def _flite(self, wav: Path, text: str) -> list[str]:
        return ["flite", "-voice", self.voice, "--setf", f"duration_stretch={self.scale}", "-t", text, "-o", str(wav)]

    def _festival(self, wav: Path) -> list[str]:
        hts_tempo = f'(set! hts_engine_params (append hts_engine_params \'(("-r" {1 / self.scale}))))'
        tempo = f"(Parameter.set 'Duration_Stretch {self.scale}) (if (symbol-bound? 'hts_engine_params) {hts_tempo})"
        return ["text2wave", "-eval", f"(begin (voice_{self.voice}) {tempo})", "-o", str(wav)]


@dataclass(frozen=True, slots=True)
class Noise:
    """What lies under the speech, `snr_db` below it; nothing at all when `kind` is "none"."""

    kind: Literal["none", "pink", "babble"] = "none"
    snr_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of corpus.tsv."""

    set: str
    file: str
    speaker: str
    topic: str
    noise: str
    reference: str

    @property
    def path(self) -> Path:
        """Where the recording lies within the track."""
        return FOLDERS[self.set] / self.file


@dataclass(frozen=True)
class Corpus:
    """Everything that is to be spoken, by whom, over what."""

    recordings: tuple[Recording, ...]
    speakers: Mapping[str, Speaker]
    noises: Mapping[str, Noise]
    respellings: Mapping[str, str]

    @classmethod
    def read(cls, track: Path) -> "Corpus":
        """Read both files of a track; raises SynthesisError with file and line of the first bad row."""
        try:
            settings = tomllib.loads((track / "corpus.toml").read_text(encoding="utf-8"))
            speakers = {name: Speaker(**values) for name, values in settings["speakers"].items()}
            noises = {name: Noise(**values) for name, values in settings["noises"].items()}
            respellings = settings["respellings"]
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise SynthesisError(f"corpus.toml: {error}") from error
        return cls(tuple(read_recordings(track / "corpus.tsv", speakers, noises)), speakers, noises, respellings)

    def of(self, name: str) -> list[Recording]:
        """The recordings whose rows belong into the trans.txt of a set, in the order of corpus.tsv."""
        return [recording for recording in self.recordings if recording.set in (name, EXTENDS.get(name))]

    @cached_property
    def speech(self) -> dict[Path, Samples]:
        """Every recording without its noise, by its path within the track."""
        return {each.path: self.speakers[each.speaker].say(self.spelled(each.reference)) for each in self.recordings}

    def spelled(self, reference: str) -> str:
        """The reference as the synthesiser has to read it."""
        for name, spelling in self.respellings.items():
            reference = reference.replace(name, spelling)
        return reference

    def recorded(self, recording: Recording) -> Samples:
        """The recording as it is written: speech over its noise."""
        speech = np.pad(self.speech[recording.path], MARGIN)
        noise = self.noises[recording.noise]
        if noise.kind == "none":
            return speech
        random = np.random.default_rng(zlib.crc32(recording.path.as_posix().encode()))
        bed = pink(len(speech), random) if noise.kind == "pink" else self._babble(recording, len(speech), random)
        return speech + levelled(bed, SPEECH_DBFS - noise.snr_db)

    def _babble(self, recording: Recording, length: int, random: np.random.Generator) -> Samples:
        others = [each.path for each in self.of("testing") if each.speaker != recording.speaker]
        chosen = random.choice(len(others), BABBLE_VOICES, replace=False)
        starts = random.integers(0, SAMPLE_RATE, BABBLE_VOICES)
        voices = [np.roll(self.speech[others[other]], start) for other, start in zip(chosen, starts, strict=True)]
        mixed: Samples = np.sum([np.resize(voice, length) for voice in voices], axis=0)
        return mixed


def read_recordings(path: Path, speakers: Collection[str], noises: Collection[str]) -> Iterator[Recording]:
    """The rows of corpus.tsv; raises SynthesisError when one is malformed or names an unknown set, speaker or noise."""
    columns = [field.name for field in fields(Recording)]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        row = dict(zip(columns, line.split("\t"), strict=False))
        if line.count("\t") != len(columns) - 1 or (number == 1 and list(row.values()) != columns):
            raise SynthesisError(f"{path.name}, line {number}: expected, separated by tabs: {', '.join(columns)}")
        if number > 1:
            for column, known in (("set", FOLDERS), ("speaker", speakers), ("noise", noises)):
                require_known(row[column], known, f"{path.name}, line {number}, {column}")
            yield Recording(**row)


def require_known(value: str, known: Collection[str], place: str) -> None:
    """Raise SynthesisError when corpus.toml does not define this value."""
    if value not in known:
        raise SynthesisError(f"{place}: {value!r} is none of {', '.join(known)}")


def amplitude(db: float) -> float:
    """Decibels as a factor."""
    return float(10 ** (db / 20))


def trimmed(samples: Samples) -> Samples:
    """Without the quiet ends: what lies outside the first and last sample above -40 dB of the peak."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 100)
    return samples[loud[0] : loud[-1] + 1]


def levelled(samples: Samples, dbfs: float) -> Samples:
    """With this root mean square, in dB below full scale."""
    return samples * (amplitude(dbfs) / float(np.sqrt(np.mean(samples**2))))


def pink(length: int, random: np.random.Generator) -> Samples:
    """Noise whose power falls by 3 dB per octave, like that of a car or an air conditioner."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)


def transcripts(recordings: Iterable[Recording]) -> str:
    """The text of trans.txt: `<file><TAB><reference>` rows, as Azure reads them."""
    return "".join(f"{each.file}\t{each.reference}\n" for each in recordings)


def labels(recordings: Iterable[Recording]) -> str:
    """The text of utterances.tsv: whom and what every recording stands for."""
    rows = (f"{each.file}\t{each.speaker}\t{each.topic}\t{each.noise}\n" for each in recordings)
    return "file\tspeaker\ttopic\tnoise\n" + "".join(rows)


def texts(corpus: Corpus) -> dict[Path, str]:
    """Every text file that the corpus decides, by its path within the track."""
    written = {folder / "trans.txt": transcripts(corpus.of(name)) for name, folder in FOLDERS.items()}
    labelled = (name for name in FOLDERS if name != "training")
    return written | {FOLDERS[name] / "utterances.tsv": labels(corpus.of(name)) for name in labelled}


def pcm(samples: Samples) -> npt.NDArray[np.int16]:
    """Samples in [-1, 1] as 16-bit ones."""
    return np.round(np.clip(samples, -1, 1) * 32_767).astype(np.int16)


def write(track: Path, corpus: Corpus) -> None:
    """Write recordings and texts, and remove recordings that the corpus no longer has."""
    for folder in FOLDERS.values():
        (track / folder).mkdir(parents=True, exist_ok=True)
        for stale in (track / folder).glob("*.wav"):
            stale.unlink()
    for recording in corpus.recordings:
        soundfile.write(track / recording.path, pcm(corpus.recorded(recording)), SAMPLE_RATE, "PCM_16")
    for path, text in texts(corpus).items():
        (track / path).write_text(text, encoding="utf-8", newline="\n")


def differences(track: Path, corpus: Corpus) -> list[str]:
    """The files that are not what the corpus makes; a recording may differ by one step of 65,536 (another CPU)."""
    made = {each.path: corpus.recorded(each) for each in corpus.recordings}
    changed = [path for path, text in texts(corpus).items() if not same_text(track / path, text)]
    changed += [path for path, samples in made.items() if not same_audio(track / path, samples)]
    changed += sorted({path.relative_to(track) for path in track.rglob("*.wav")} - made.keys())
    return [path.as_posix() for path in changed]


def same_text(path: Path, text: str) -> bool:
    """Whether the file holds exactly this text."""
    return path.is_file() and path.read_bytes() == text.encode()


def same_audio(path: Path, samples: Samples) -> bool:
    """Whether the file holds these samples, but for rounding."""
    if not path.is_file():
        return False
    there, _ = soundfile.read(path, dtype="int16")
    made = pcm(samples)
    return there.shape == made.shape and int(np.abs(there.astype(int) - made).max()) <= 1


def require_voices(speakers: Iterable[Speaker]) -> None:
    """Raise SynthesisError when a voice is not installed here, with the packages that bring what is missing."""
    there = {engine: installed_voices(engine) for engine in LIST_VOICES}
    missing = [speaker for speaker in speakers if speaker.voice not in there[speaker.engine]]
    if missing:
        voices = ", ".join(f"{speaker.engine} {speaker.voice}" for speaker in missing)
        packages = " ".join(sorted({name for speaker in missing for name in (speaker.engine, speaker.package)}))
        raise SynthesisError(f"these voices are not installed: {voices}. On Debian: apt-get install {packages}")


def installed_voices(engine: str) -> frozenset[str]:
    """The voices that an engine knows: none when the engine itself is missing."""
    if shutil.which(engine) is None:
        return frozenset()
    told = subprocess.run(LIST_VOICES[engine], capture_output=True, text=True, check=True).stdout
    return frozenset(re.findall(r"[\w-]+", told))


def main(
    track: Annotated[Path, typer.Argument(help="Folder with corpus.tsv and corpus.toml.")] = TRACK,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a file differs.")] = False,
) -> None:
    """Make the recordings of a sample track from its corpus, or check them."""
    try:
        corpus = Corpus.read(track)
        require_voices(corpus.speakers.values())
        if not check:
            write(track, corpus)
        changed = differences(track, corpus) if check else []
    except (SynthesisError, subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"Cannot synthesise: {error}")
    for path in changed:
        print(f"differs: {path}")
    print(f"{len(corpus.recordings)} recordings, {len(changed)} differences")
    sys.exit(1 if changed else 0)


if __name__ == "__main__":
    typer.run(main)
