"""A speaker wants their recordings removed: all of them, nothing else, and the history tells it without the content."""

import json
from pathlib import Path

import pytest

from deployments.forgetting import Wish, forget
from domain.ledger import broken_link
from domain.lineage.forgetting import Forgotten, is_print_of
from domain.mistakes import Mistake
from domain.ruling import TrainedOn
from tasks import evidence
from tasks.forgetting import Search, note_forgotten, remove_held
from tasks.ledger import Ledger
from tasks.replays import Forgotten as ForgottenEvidence
from tasks.replays import past_verdicts, replay
from tasks.store import LocalFolder
from tasks.vault import read_ruling
from tasks.verifying import verify_store
from tests.tasks.lineage_kit import SAID, Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]

ADA = "speaker-a"


async def asked(lived: Lived, speaker: str = ADA, **changes: object) -> Forgotten:
    """Ask for a speaker, on the store alone."""
    wish = {"track": "", "remove": False, "in_use": False, "by": "", "speech": "", "data": Path("nowhere")}
    return await forget(str(lived.store.folder), Wish(speaker=speaker, **(wish | changes)))


async def replaced(lived: Lived) -> None:
    """Data without the speaker have gone live, twice: nothing that is in use has them any more."""
    lived.write({name: text for name, text in SAID.items() if name[0] != "a"})
    await lived.releases("three", "cccc11112222", wrong=2)
    await lived.releases("four", "dddd11112222")


async def learnt(lived: Lived) -> TrainedOn:
    """The training recordings."""
    release = (await lived.ledger.state()).release
    assert release is not None
    (audio,) = [
        one for one in (await read_ruling(lived.store, release.evidence)).subject.training if one.kind == "Acoustic"
    ]
    return audio


async def files(lived: Lived) -> dict[str, bytes]:
    """The whole store, but for pages, which are made anew."""
    keys = [key for key in await lived.store.keys("") if not key.startswith("pages/")]
    return {key: (await lived.store.read(key)).data for key in keys}


async def test_without_yes_nothing_changes_and_everything_is_listed(lived: Lived) -> None:
    """Recordings, what was said, results and pages; also recordings that a model has learnt, called otherwise."""
    await replaced(lived)
    before = await files(lived)

    result = await asked(lived)

    assert await files(lived) == before
    assert {one.what for one in result.holdings} >= {
        "what was said, and labels", "testing recordings", "results per recording", "report page",
    }  # fmt: skip
    assert all(one.fate == "to remove" for one in result.holdings)
    assert result.recordings == 2
    assert any(one.others == 10 for one in result.holdings)


async def test_what_is_live_keeps_what_it_rests_on_until_it_is_replaced(lived: Lived) -> None:
    """A rollback at three in the morning needs its golden utterances; the list says which release keeps what."""
    before = await files(lived)

    result = await asked(lived, remove=True)

    kept = [one for one in result.holdings if one.fate == "kept"]
    assert {one.why for one in kept} >= {"release 1.1.0 of 'places' is live on it"}
    assert {key: data for key, data in before.items() if key in await files(lived)}.keys() >= {
        key for key in before if key.startswith("snapshots/")
    }


async def test_what_nobody_needs_goes_and_nothing_else(lived: Lived) -> None:
    """What is left has no recording, no reference and no result of the speaker; other people's later data stay."""
    await replaced(lived)
    before = await files(lived)

    result = await asked(lived, remove=True, by="Data protection")

    assert result.is_done
    assert result.noted_in == ("places",)
    after = await files(lived)
    left = {
        key: data for key, data in after.items() if not key.endswith((".json", ".txt", ".html")) or b"a-1.wav" in data
    }
    assert [key for key, data in left.items() if b"a-1.wav" in data] == []
    assert all(one.fate == "removed" for one in result.holdings)
    assert {key for key in before if key not in after} >= {
        one.key for one in result.holdings if not one.key.startswith("evidence/")
    }
    live = (await lived.ledger.state()).release
    assert live is not None
    assert (await lived.store.read(f"evidence/{live.evidence}/report.html")) is not None


async def test_the_history_tells_it_without_the_content(lived: Lived) -> None:
    """Counts and hashes; who knows the label can show that it was this one, and nobody can read it."""
    await replaced(lived)
    await asked(lived, remove=True, by="Data protection")

    entry = (await lived.ledger.history())[-1]

    assert entry.kind == "forget"
    text = json.dumps(entry.facts)
    assert ADA not in text
    assert "a-1.wav" not in text
    assert is_print_of(ADA, entry.facts)
    assert entry.facts["recordings"] == 2
    assert entry.facts["by"] == "Data protection"
    assert broken_link(await lived.ledger.history()) is None


async def test_what_was_forgotten_is_no_damage(lived: Lived) -> None:
    """`verify` and `replay` say since when, instead of crying wolf; other verdicts are as they were."""
    await replaced(lived)
    await asked(lived, remove=True)

    result = await verify_store(lived.store)
    assert not result.is_broken
    assert {one.detail.partition(" on ")[0] for one in result.checks if one.state == "forgotten"} == {"forgotten"}
    first, _, _, last = await past_verdicts(lived.store)
    with pytest.raises(ForgottenEvidence, match="its evidence was forgotten on"):
        await replay(lived.store, first)
    assert (await replay(lived.store, last)).identical


async def test_forgotten_evidence_answers_nothing_any_more(lived: Lived) -> None:
    """The same data pushed again are measured and judged anew; nobody runs into what is gone."""
    await replaced(lived)
    held = {key: (await lived.store.read(key)).data.decode() for key in await lived.store.keys("evidence/index/")}
    await asked(lived, remove=True)

    left = await lived.store.keys("evidence/index/")
    assert len(left) == 4
    for key in held:
        digest = await evidence.find(lived.store, key.rpartition("/")[2])
        assert digest is None or await lived.store.exists(f"evidence/{digest}/manifest.json")


async def test_in_use_data_go_when_that_is_asked_for_and_the_price_is_told(lived: Lived) -> None:
    """The law may not wait for a better model."""
    result = await asked(lived, remove=True, in_use=True)

    assert all(one.fate == "removed" for one in result.holdings)
    assert any("neither replayed nor gone back to" in note for note in result.notes)
    left = await lived.store.keys("snapshots/")
    assert not any(key.endswith(".sheet.json") for key in left)
    assert [key for key in left if key.endswith(".zip")] == [(await learnt(lived)).key]
    assert not (await verify_store(lived.store)).is_broken


class Dies(LocalFolder):
    """A store that loses its process after so many deletes."""

    left = 0

    async def delete(self, key: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        await super().delete(key)


@pytest.mark.parametrize("deletes", [2, 5, 9, 14])
async def test_an_interrupted_removal_is_finished_by_the_next(lived: Lived, deletes: int) -> None:
    """Killed after the history was written and some files were gone: nothing counts as broken; run again, and all is gone."""
    await replaced(lived)
    wanted = [one.key for one in (await asked(lived)).holdings]
    store = Dies(lived.store.folder)
    store.left = deletes
    search = await Search.begun(store, ADA)
    for find in (search.sheets, search.training, search.evidence):
        await find()
    search.spared(in_use=False)
    await note_forgotten(store, search, "")
    with pytest.raises(KeyboardInterrupt):
        await remove_held(store, search.holdings)
    assert not (await verify_store(lived.store)).is_broken

    assert (await asked(lived, remove=True)).is_done

    left = await lived.store.keys("")
    assert [key for key in wanted if key in left or any(one.startswith(f"{key}/") for one in left)] == []


async def test_the_same_label_in_two_tracks_may_be_two_people(lived: Lived, tmp_path: Path) -> None:
    """`s01` here is not `s01` there: nothing goes before somebody says which is meant, and the other stays."""
    other = Lived(tmp_path / "lived", "shops", lived.store)
    other.write({name: f"where is the shop {name[0]}" for name in SAID}, text="shop\n")
    await other.releases("shop")
    before = await files(lived)

    with pytest.raises(Mistake, match=r"several tracks \(places, shops\).*--track"):
        await asked(lived, remove=True, in_use=True)
    assert await files(lived) == before

    result = await asked(lived, remove=True, in_use=True, track="places")
    assert {track for one in result.holdings for track in one.tracks} == {"places"}
    assert any("has the same label, but belongs to shops" in note for note in result.notes)
    assert [entry.kind for entry in await Ledger(lived.store, "shops").history()] == ["training-update", "release"]
    assert not (await verify_store(lived.store, "shops")).is_broken


async def test_recordings_that_a_model_has_learnt_are_found_by_their_sound(lived: Lived, tmp_path: Path) -> None:
    """Whatever they are called there."""
    heard = (lived.folder / "testing" / "b-1.wav").read_bytes()
    lived.write(learnt={"x-1.wav": "the old museum", "other.wav": "we"})
    (lived.folder / "training" / "audio" / "other.wav").write_bytes(heard)
    await lived.releases("three", "cccc11112222")

    found = [one for one in (await asked(lived, "speaker-b")).holdings if one.what == "training recordings"]

    assert [(one.recordings, one.others) for one in found] == [(1, 1)]


async def test_who_speaks_in_training_recordings_is_read_from_the_data_folder(lived: Lived) -> None:
    """The store has no labels for them."""
    (lived.folder / "training" / "audio" / "utterances.tsv").write_text("file\tspeaker\nx-1.wav\tbob\na-9.wav\tada\n")

    result = await asked(lived, "ada", data=lived.folder.parent)

    (held,) = [one for one in result.holdings if one.what == "training recordings"]
    assert (held.key, held.recordings, held.others) == ((await learnt(lived)).key, 1, 1)


@pytest.mark.parametrize("typed", ["Zoë", "Zoe\u0308"])
async def test_a_label_is_found_however_the_keyboard_writes_it(lived: Lived, typed: str) -> None:
    """And a list of leaks that names the speaker's recordings, with letters that stand for themselves, goes too."""
    lived.write({**SAID, "ë.wav": "we are at the museum"})
    labels = lived.folder / "testing" / "utterances.tsv"
    labels.write_text(labels.read_text().replace("speaker-ë", "Zoë"))
    await lived.releases("three", "cccc11112222")
    leaks = await evidence.keep(lived.store, {"leaks.json": '{"leaks": [{"utterance": "ë.wav"}]}'.encode()})

    result = await asked(lived, typed, remove=True, in_use=True)

    assert result.recordings == 1
    assert f"evidence/{leaks}" in [one.key for one in result.holdings if one.fate == "removed"]


async def test_the_data_folder_is_listed_and_left_alone(lived: Lived) -> None:
    """Git's files are people's to change."""
    result = await asked(lived, data=lived.folder.parent, remove=True)

    (held,) = [one for one in result.holdings if one.place == "data folder"]
    assert (held.recordings, held.others, held.fate) == (2, 10, "by hand")
    assert (lived.folder / "testing" / "a-1.wav").exists()


@pytest.mark.parametrize("speaker", ["nobody", " ", "speaker"])
async def test_an_unknown_label_is_told(lived: Lived, speaker: str) -> None:
    """Nothing found must not look like everything removed."""
    with pytest.raises(Mistake, match=r"label|name the speaker"):
        await asked(lived, speaker, remove=True)
