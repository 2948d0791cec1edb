"""A history that has lost its end, or all of it, is refused, and never begun again at 1 by itself."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli import app
from domain.ledger import News, broken_link
from domain.mistakes import Mistake
from tasks.ledger import Ledger
from tasks.lost_history import begin_anew
from tasks.reached import LostHistory, Reached, raise_reached, read_reached
from tasks.store import LocalFolder, Stored
from tasks.verifying import verify_store

NEWS = News(kind="testing-update", flow_run="run", revision="abc")


async def lived(store: LocalFolder, entries: int = 3) -> Ledger:
    """A ledger with some entries."""
    ledger = Ledger(store, "places")
    for _ in range(entries):
        await ledger.append(NEWS)
    return ledger


def folder_gone(store: Path) -> None:
    """All of the track is deleted."""
    shutil.rmtree(store / "tracks/places")


def head_gone(store: Path) -> None:
    """Only the head is deleted; the entries are there."""
    (store / "tracks/places/state.json").unlink()


def head_gone_and_no_note(store: Path) -> None:
    """The same in a store that knows no notes yet."""
    head_gone(store)
    shutil.rmtree(store / "reached")


def old_backup(store: Path) -> None:
    """The head and the entries are those of yesterday."""
    for number in (2, 3):
        (store / f"tracks/places/ledger/{number:06}.json").unlink()
    shutil.copy(store.parent / "yesterday.json", store / "tracks/places/state.json")


def old_head(store: Path) -> None:
    """The head is that of yesterday, the entries are of today."""
    shutil.copy(store.parent / "yesterday.json", store / "tracks/places/state.json")


LOSSES = [folder_gone, head_gone, head_gone_and_no_note, old_backup, old_head]


@pytest.mark.parametrize("lose", LOSSES)
async def test_what_is_lost_is_told_and_gone_on_without_only_on_purpose(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    """Nobody reads or writes it; the command in the message works when typed, and the history tells that it was given."""
    store = LocalFolder(tmp_path / "store")
    ledger = await lived(store, 1)
    shutil.copy(store.folder / "tracks/places/state.json", tmp_path / "yesterday.json")
    await lived(store, 2)
    lose(store.folder)

    for call in (ledger.state, ledger.history, lambda: ledger.append(NEWS)):
        with pytest.raises(
            LostHistory, match=r"'places'.*entries are lost.*backup.*`speechops begin-anew places --reason"
        ):
            await call()
    assert (await verify_store(store)).is_broken

    left = 1 if lose in (old_backup, old_head) else 0
    begun = await begin_anew(store, "places", by="Grace Hopper", reason="no backup")
    await ledger.append(NEWS)

    history = await ledger.history()
    assert broken_link(history) is None
    assert [entry.number for entry in history] == list(range(1, left + 3))
    assert begun.last
    assert begun.last.facts == {"by": "Grace Hopper", "why": "no backup", "ended_with": left, "had_reached": 3}
    assert not (await verify_store(store)).is_broken


async def test_an_entry_in_the_middle_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A history with a hole is none."""
    ledger = await lived(LocalFolder(tmp_path))
    (tmp_path / "tracks/places/ledger/000002.json").unlink()

    with pytest.raises(Mistake, match=r"has been changed.*000002.json"):
        await ledger.history()


async def test_a_store_of_an_earlier_version_is_taken_as_it_is(tmp_path: Path) -> None:
    """Nobody noted anything; from the next entry on somebody does."""
    store = LocalFolder(tmp_path)
    ledger = await lived(store)
    shutil.rmtree(tmp_path / "reached")

    assert len(await ledger.history()) == 3
    state = await ledger.append(NEWS)

    assert await read_reached(store, "places") == Reached.by(state)


async def test_a_crash_between_head_and_note_is_no_loss(tmp_path: Path) -> None:
    """At every write of an append in turn: whoever comes next goes on, and the note catches up."""

    class Dies(LocalFolder):
        writes = 0

        async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
            self.writes -= 1
            if not self.writes:
                raise KeyboardInterrupt
            return await super().write(key, data, if_match=if_match)

    for dies_at in (1, 2, 3):
        store, dying = LocalFolder(tmp_path / str(dies_at)), Dies(tmp_path / str(dies_at))
        await lived(store, 2)
        dying.writes = dies_at
        with pytest.raises(KeyboardInterrupt):
            await Ledger(dying, "places").append(NEWS)

        before = await Ledger(store, "places").state()
        state = await Ledger(store, "places").append(NEWS)

        assert before.generation == (2 if dies_at == 1 else 3)
        assert broken_link(await Ledger(store, "places").history()) is None
        assert await read_reached(store, "places") == Reached.by(state)


async def test_a_reader_that_is_overtaken_does_not_cry_wolf(tmp_path: Path) -> None:
    """It has the head of a moment ago, and others note what came since."""

    class Overtaken(LocalFolder):
        async def read(self, key: str) -> Stored | None:
            stored = await super().read(key)
            if key.endswith("state.json"):
                await lived(LocalFolder(tmp_path), 1)
            return stored

    await lived(LocalFolder(tmp_path), 2)
    overtaken = Ledger(Overtaken(tmp_path), "places")

    assert [(await overtaken.state()).generation for _ in range(3)] == [2, 3, 4]


async def test_writers_and_readers_at_once_are_no_loss(tmp_path: Path) -> None:
    """A reader that meets the head of a moment ago, and the note of now, would cry wolf; and a late writer lowers nothing."""
    ledgers = [Ledger(LocalFolder(tmp_path), "places") for _ in range(10)]

    await asyncio.gather(*(one.append(NEWS) for one in ledgers), *(one.state() for one in ledgers * 10))

    state = await ledgers[0].state()
    assert await read_reached(LocalFolder(tmp_path), "places") == Reached.by(state)
    assert state.last
    earlier = state.model_copy(update={"last": state.last.model_copy(update={"number": 1})})
    await raise_reached(LocalFolder(tmp_path), earlier)
    assert (await read_reached(LocalFolder(tmp_path), "places")).number == 10


def test_the_command_line_tells_and_mends_it(tmp_path: Path) -> None:
    """`verify` ends with 1 and names the command, which asks for a reason; then all is well."""
    store, run = tmp_path / "store", CliRunner().invoke
    asyncio.run(lived(LocalFolder(store)))
    folder_gone(store)

    broken = run(app, ["verify", "--store", str(store), "--json"])
    assert broken.exit_code == 1
    assert "begin-anew places" in broken.output
    assert run(app, ["begin-anew", "places", "--store", str(store)]).exit_code == 2

    mended = run(app, ["begin-anew", "places", "--reason", "no backup", "--store", str(store)])
    assert (mended.exit_code, "entry 1" in mended.output) == (0, True)
    assert run(app, ["verify", "--store", str(store)]).exit_code == 0
    assert "had reached 3" in run(app, ["history", "places", "--store", str(store), "--json"]).output
