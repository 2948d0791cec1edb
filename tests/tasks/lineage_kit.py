"""A store as the flows leave it: packed data, evaluations, verdicts and releases of a track, made without a server."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.comparison import Comparison, Measured
from domain.gate import decide
from domain.ledger import Benchmark, News, Release
from domain.normalise import normaliser_for
from domain.policy import GatePolicy
from domain.ruling import ModelRef, Ruling, Subject, TrainedOn
from domain.track import Track
from domain.wer import score_utterances
from tasks import evidence, vault
from tasks.ledger import Ledger
from tasks.packing import PackedDataset, pack_testing, pack_training
from tasks.snapshots import Sheet
from tasks.store import LocalFolder
from tests.emulator.fake_engine import wav

SAID = {f"{speaker}-{number}.wav": "take me to the museum now please" for speaker in "abcdef" for number in (1, 2)}
"""Six speakers, `speaker-a` to `speaker-f`, with two recordings each."""


class Lived:
    """A track with a past."""

    def __init__(self, folder: Path, track: str = "places", store: LocalFolder | None = None) -> None:
        self.track = track
        self.store = store or LocalFolder(folder / "store")
        self.ledger = Ledger(self.store, track)
        self.folder = folder / "data" / track

    def write(
        self, said: Mapping[str, str] = SAID, text: str = "museum\n", learnt: Mapping[str, str] | None = None
    ) -> None:
        """The track's files; `learnt` are training recordings."""
        rows = "".join(f"{name}\tspeaker-{name[0]}\n" for name in said)
        _recordings(self.folder / "testing", said)
        (self.folder / "testing" / "utterances.tsv").write_text(f"file\tspeaker\n{rows}")
        (self.folder / "training").mkdir(exist_ok=True)
        (self.folder / "training" / "plain_text.txt").write_text(text)
        if learnt:
            _recordings(self.folder / "training" / "audio", learnt)

    async def releases(self, model: str, revision: str = "1a2b3c4d5e6f", wrong: int = 1) -> str:
        """Judge a model, let it go live, and tell the history; the digest of the verdict."""
        subject, sheet = await self._packed(model, revision)
        measurement, compared = await self._measured(subject, sheet, wrong)
        ruling = Ruling(
            subject=subject, verdict=decide(compared, subject.track.gate), measurement=measurement,
            comparison=await vault.keep_comparison(self.store, compared, beside=[measurement]),
        )  # fmt: skip
        digest = await vault.keep_ruling(self.store, ruling)
        await self.store.write(f"evidence/{digest}/report.html", b"<p>take me to the museum</p>")
        await evidence.index(self.store, hashlib.sha256(f"m{model}".encode()).hexdigest(), measurement)
        await evidence.index(self.store, hashlib.sha256(f"r{model}".encode()).hexdigest(), digest)
        await self._tell(digest, ruling)
        return digest

    async def _packed(self, model: str, revision: str) -> tuple[Subject, Sheet]:
        out = self.folder.parent.parent / "packed" / model
        testing, training = pack_testing(self.folder, out / "testing"), pack_training(self.folder, out / "training")
        sheet = Sheet(references=testing.references, labels=testing.labels, seconds=testing.seconds)
        document = json.dumps(sheet.model_dump(mode="json"), ensure_ascii=False, sort_keys=True).encode()
        key = f"snapshots/{testing.dataset.content_hash}.{hashlib.sha256(document).hexdigest()[:12]}.sheet.json"
        await self.store.write(key, document)
        learnt = [
            TrainedOn(kind=one.kind, content_hash=one.content_hash, key=await self._kept(one), items=one.items, seconds=one.seconds)
            for one in training
        ]  # fmt: skip
        base, candidate = (
            ModelRef(path="models/base/0", name="20250612"),
            ModelRef(path=f"models/{model}", name=f"{self.track}-model-{model}"),
        )
        subject = Subject(
            track=Track(name=self.track, locale="en-US", gate=GatePolicy(suspicious_relative_gain_percent=100)), revision=revision, base=base, benchmark=base, candidate=candidate,
            testing_hash=testing.dataset.content_hash, testing=await self._kept(testing.dataset), sheet=key,
            recipe=f"recipe-{model}", training=tuple(learnt),
        )  # fmt: skip
        return subject, sheet

    async def _kept(self, dataset: PackedDataset) -> str:
        key = f"snapshots/{dataset.content_hash}{dataset.path.suffix}"
        await self.store.upload(key, dataset.path)
        return key

    async def _measured(self, subject: Subject, sheet: Sheet, wrong: int) -> tuple[str, Comparison]:
        sides = [
            _heard(ref.name, sheet.references, missed)
            for ref, missed in ((subject.benchmark, 3), (subject.candidate, wrong))
        ]
        files = {
            "benchmark.json": sides[0].scorecard.to_json(),
            "candidate.json": sides[1].scorecard.to_json(),
            "sheet.json": sheet.model_dump_json().encode(),
        }
        return await evidence.keep(self.store, files), Comparison(sides[0], sides[1], labels=sheet.labels)

    async def _tell(self, digest: str, ruling: Ruling) -> None:
        subject, verdict = ruling.subject, ruling.verdict
        facts = {"ruling": digest, "outcome": verdict.outcome.value, "candidate": verdict.candidate, "words": verdict.words,
                 "candidate_wer": verdict.candidate_wer, "testing": subject.testing_hash}  # fmt: skip
        run = f"run-of-{subject.candidate.name}"
        await self.ledger.append(News(kind="training-update", flow_run=run, revision=subject.revision, facts=facts))
        state = await self.ledger.state()
        number = state.release.number + 1 if state.release else 1
        release = Release(
            number=number, version=f"1.{number - 1}.0", model=subject.candidate.path, model_name=subject.candidate.name,
            recipe=subject.recipe, endpoint="endpoints/live", evidence=digest, revision=subject.revision,
            released_at=datetime(2026, 11, number, tzinfo=UTC), wer=verdict.candidate_wer,
        )  # fmt: skip
        benchmark = Benchmark(
            model=release.model, model_name=release.model_name, wer=verdict.candidate_wer or 0.0, words=verdict.words,
            testing_hash=subject.testing_hash, evidence=ruling.measurement,
        )  # fmt: skip
        news = News(
            kind="release",
            flow_run=run,
            revision=subject.revision,
            facts={"ruling": digest, "model": release.model_name},
        )
        await self.ledger.append(news, lambda head: head.released(release, benchmark))


def _recordings(folder: Path, said: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.wav"):
        old.unlink()
    for name, text in said.items():
        (folder / name).write_bytes(wav(f"{text} {name!a}"))
    (folder / "trans.txt").write_text("".join(f"{name}\t{text}\n" for name, text in said.items()))


def _heard(model: str, said: Mapping[str, str], wrong: int) -> Measured:
    texts = {name: " ".join(text.split()[: 7 - wrong]) for name, text in said.items()}
    return Measured(model, score_utterances(said, texts, normaliser_for("en-US")), None)


@pytest.fixture(scope="session")
def _two_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def made(lived: Lived) -> None:
        lived.write(learnt={"x-1.wav": "the old museum", "a-9.wav": "take me to the museum now please"})
        await lived.releases("one", "aaaa11112222", wrong=2)
        await lived.releases("two", "bbbb11112222")

    folder = tmp_path_factory.mktemp("lived")
    asyncio.run(made(Lived(folder)))
    return folder


@pytest.fixture
def lived(tmp_path: Path, _two_releases: Path) -> Lived:
    """A track with two releases, of models that have learnt from recordings too; a copy for each test."""
    shutil.copytree(_two_releases, tmp_path / "lived")
    return Lived(tmp_path / "lived")
