"""From a recording, a commit or a model to everything that came of it, and back."""

import hashlib
from pathlib import Path

import pytest

from domain.lineage.uses import Uses
from domain.mistakes import Mistake
from tasks.uses import read_uses
from tests.tasks.lineage_kit import SAID, Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]


async def uses(lived: Lived, asked: object) -> Uses:
    """The answer."""
    return await read_uses(lived.store, str(asked))


async def test_a_recording_leads_to_datasets_verdicts_models_and_what_is_live(lived: Lived) -> None:
    """Whoever gave it can be told where it went."""
    found = await uses(lived, "a-1.wav")

    assert found.kind == "recording"
    assert [(one.role, one.recordings) for one in found.datasets] == [("testing", ("a-1.wav",))]
    assert [one.outcome for one in found.verdicts] == ["PASS", "PASS"]
    assert [one.version for one in found.releases] == ["1.0.0", "1.1.0"]
    assert found.live == ("places",)


async def test_a_training_recording_is_found_by_name_and_by_its_bytes(lived: Lived) -> None:
    """Whatever the file is called on the desk of whoever asks."""
    recording = lived.folder / "training" / "audio" / "a-9.wav"
    digest = hashlib.sha256(recording.read_bytes()).hexdigest()

    for asked in ("a-9.wav", digest, recording):
        (dataset,) = (await uses(lived, asked)).datasets
        assert (dataset.role, dataset.recordings) == ("training", ("a-9.wav",))


async def test_a_question_writes_nothing(lived: Lived) -> None:
    """Readers may have no right to write."""
    before = await lived.store.keys("")

    await uses(lived, "a-9.wav")

    assert await lived.store.keys("") == before


async def test_a_commit_leads_to_what_it_brought(lived: Lived) -> None:
    """Its first digits are enough, and all forty of them do as well."""
    for asked in ("bbbb", "bbbb11112222", "bbbb11112222" + "0" * 28):
        found = await uses(lived, asked)
        assert (found.kind, found.name) == ("commit", "bbbb11112222")
        assert [one.name for one in found.models] == ["places-model-two"]
        assert [one.version for one in found.releases] == ["1.1.0"]
        assert [one.flow_run for one in found.verdicts] == ["run-of-places-model-two"]


async def test_an_ambiguous_commit_is_told_with_those_that_fit(lived: Lived) -> None:
    """No guess."""
    await lived.releases("three", "bbbb99998888")

    with pytest.raises(Mistake, match="2 commits begin with bbbb: bbbb11112222, bbbb99998888"):
        await uses(lived, "bbbb")


@pytest.mark.parametrize("asked", ["places-model-one", "models/one", "one"])
async def test_a_model_leads_back_to_its_commit_and_data(lived: Lived, asked: str) -> None:
    """By name, path or id; it is live no more."""
    found = await uses(lived, asked)

    assert found.kind == "model"
    assert [(one.name, one.revision, one.live) for one in found.models] == [("places-model-one", "aaaa11112222", False)]
    assert {one.kind for one in found.datasets if one.role == "training"} == {"Language", "Acoustic"}
    assert [one.version for one in found.releases] == ["1.0.0"]
    assert found.live == ()


async def test_data_that_two_tracks_share_are_shown_with_both(lived: Lived, tmp_path: Path) -> None:
    """The same bytes are one dataset, whoever uses it."""
    other = Lived(tmp_path / "lived", "shops", lived.store)
    other.write(SAID, text="shop\n")
    await other.releases("shop")

    found = await uses(lived, "a-1.wav")

    assert [one.tracks for one in found.datasets] == [("places", "shops")]
    assert found.live == ("places", "shops")
    assert (await uses(lived, found.datasets[0].content_hash[:10])).datasets[0].tracks == ("places", "shops")


@pytest.mark.parametrize("asked", ["zzz.wav", "", "abc", "0" * 64, "../../etc/passwd"])
async def test_what_nobody_knows_is_told(lived: Lived, asked: str) -> None:
    """With what can be asked for."""
    with pytest.raises(Mistake, match="knows no recording, commit, dataset or model"):
        await uses(lived, asked)
