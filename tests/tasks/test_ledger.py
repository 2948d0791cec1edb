"""The ledger keeps every entry exactly once, whatever is lost on the way."""

import asyncio
from pathlib import Path

import pytest

from domain.ledger import News, State, broken_link
from domain.mistakes import Mistake
from tasks.ledger import Ledger
from tasks.store import Conflict, LocalFolder
from tasks.store_errors import StoreUnavailable, StoreUnusable

NEWS = News(kind="testing-update", flow_run="run", revision="abc", facts={"wer": 0.1})


class LosesAnswers(LocalFolder):
    """A store whose first conditional write takes effect, but its answer gets lost."""

    lost = False

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        etag = await super().write(key, data, if_match=if_match)
        if if_match is not None and not self.lost:
            self.lost = True
            raise StoreUnavailable("reset by peer")
        return etag


class Fails(LocalFolder):
    """A store whose conditional writes fail with an error."""

    tries = 0
    error: Exception = StoreUnavailable("no answer")

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        if if_match is None:
            return await super().write(key, data)
        self.tries += 1
        raise self.error


class Slept:
    """Notes how long somebody wanted to sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class DiesAfterTheHead(LocalFolder):
    """A store that loses its process after the head was written and before the history was."""

    async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
        if "/ledger/" in key:
            raise KeyboardInterrupt
        return await super().write(key, data, if_match=if_match)


async def test_a_new_track_has_an_empty_head(tmp_path: Path) -> None:
    """No special path for the first run."""
    assert await Ledger(LocalFolder(tmp_path), "a").state() == State(track="a")


async def test_history_and_head_change_together(tmp_path: Path) -> None:
    """An append adds one entry and makes its change."""
    ledger = Ledger(LocalFolder(tmp_path), "a")

    state = await ledger.append(NEWS, lambda _: {"endpoint": "endpoints/1"})

    assert (state.generation, state.endpoint) == (1, "endpoints/1")
    assert [entry.facts for entry in await ledger.history()] == [{"wer": 0.1}]


async def test_a_lost_answer_does_not_write_twice(tmp_path: Path) -> None:
    """The writer finds its own entry by its token. Without the token there are two."""
    ledger = Ledger(LosesAnswers(tmp_path), "a")

    await ledger.append(NEWS)

    assert [entry.number for entry in await ledger.history()] == [1]


async def test_a_lost_answer_is_found_although_others_wrote_meanwhile(tmp_path: Path) -> None:
    """The token is looked for in the history too, not only in the head."""

    class OvertakenThen(LosesAnswers):
        async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
            try:
                return await super().write(key, data, if_match=if_match)
            except StoreUnavailable:
                await Ledger(LocalFolder(tmp_path), "a").append(NEWS.model_copy(update={"flow_run": "other"}))
                raise

    await Ledger(OvertakenThen(tmp_path), "a").append(NEWS)

    runs = [entry.flow_run for entry in await Ledger(LocalFolder(tmp_path), "a").history()]
    assert runs == ["run", "other"]


async def test_concurrent_writers_lose_nothing(tmp_path: Path) -> None:
    """Twenty appends at once are twenty entries, and each builds on the one before."""
    ledgers = [Ledger(LocalFolder(tmp_path), "a") for _ in range(20)]

    await asyncio.gather(*(ledger.append(NEWS) for ledger in ledgers))

    history = await ledgers[0].history()
    assert len(history) == 20
    assert broken_link(history) is None
    assert (await ledgers[0].state()).generation == 20


async def test_the_next_writer_makes_good_what_a_crash_left_out(tmp_path: Path) -> None:
    """The head was written, the history was not: nothing is missing in the end."""
    with pytest.raises(KeyboardInterrupt):
        await Ledger(DiesAfterTheHead(tmp_path), "a").append(NEWS)
    ledger = Ledger(LocalFolder(tmp_path), "a")
    assert len(await ledger.history()) == 1

    await ledger.append(NEWS)

    assert broken_link(await ledger.history()) is None
    assert await LocalFolder(tmp_path).keys("tracks/a/ledger/") == [
        "tracks/a/ledger/000001.json",
        "tracks/a/ledger/000002.json",
    ]


async def test_a_forged_entry_breaks_the_chain(tmp_path: Path) -> None:
    """Changing history is seen."""
    store = LocalFolder(tmp_path)
    ledger = Ledger(store, "a")
    for _ in range(3):
        await ledger.append(NEWS)
    key = "tracks/a/ledger/000001.json"
    await store.write(key, (await store.read(key)).data.replace(b"0.1", b"0.0"))

    assert broken_link(await ledger.history()) == 2


async def test_a_store_that_stays_broken_is_told_soon(tmp_path: Path) -> None:
    """A network does not mend itself at once: a few tries, then the store's own words."""
    store, slept = Fails(tmp_path), Slept()

    with pytest.raises(StoreUnavailable, match="no answer"):
        await Ledger(store, "sharjah", sleep=slept).append(NEWS)

    assert store.tries == 5
    assert sum(slept.seconds) < 5


async def test_what_a_person_has_to_mend_is_told_at_once(tmp_path: Path) -> None:
    """A full disk does not mend itself."""
    store, slept = Fails(tmp_path), Slept()
    store.error = StoreUnusable("full")

    with pytest.raises(StoreUnusable):
        await Ledger(store, "sharjah", sleep=slept).append(NEWS)

    assert (store.tries, slept.seconds) == (1, [])


async def test_a_head_that_cannot_be_read_is_told_too(tmp_path: Path) -> None:
    """Something lies where the head should be."""
    (tmp_path / "tracks/sharjah/state.json").mkdir(parents=True)

    with pytest.raises(Mistake, match=r"tracks/sharjah/state.json.*Is a directory"):
        await Ledger(LocalFolder(tmp_path), "sharjah", sleep=Slept()).append(NEWS)


async def test_other_writers_get_more_patience_than_a_broken_store(tmp_path: Path) -> None:
    """Who comes too late has only to look again."""
    store = Fails(tmp_path)
    store.error = Conflict("state")

    with pytest.raises(Conflict):
        await Ledger(store, "a", sleep=Slept()).append(NEWS)

    assert store.tries == 30


@pytest.mark.parametrize("forged", [b'"wer": 0.0', b""], ids=["other facts", "no entry at all"])
async def test_nothing_is_appended_to_a_changed_history(tmp_path: Path, forged: bytes) -> None:
    """The head knows its last entry: what lies in the history must be the same."""
    store = LocalFolder(tmp_path)
    ledger = Ledger(store, "a")
    for _ in range(2):
        before = await ledger.append(NEWS)
    key = "tracks/a/ledger/000002.json"
    await store.write(key, (await store.read(key)).data.replace(b'"wer": 0.1', forged) if forged else b"{")

    with pytest.raises(Mistake, match=r"the history of track 'a' has been changed.*tracks/a/ledger/000002\.json"):
        await ledger.append(NEWS)

    assert await ledger.state() == before
    assert not await store.exists("tracks/a/ledger/000003.json")


async def test_an_entry_that_another_writer_wrote_down_is_no_changed_history(tmp_path: Path) -> None:
    """It was read back from the head before: a tuple has become a list, but it is the same entry."""

    class Overtaken(LocalFolder):
        async def write(self, key: str, data: bytes, *, if_match: str | None = None) -> str:
            etag = await super().write(key, data, if_match=if_match)
            if if_match is not None:
                await Ledger(LocalFolder(tmp_path), "a").append(NEWS)
            return etag

    facts = {"models": ("a", "b"), "gain": float("inf")}
    ledger = Ledger(Overtaken(tmp_path), "a")

    await ledger.append(NEWS.model_copy(update={"facts": facts}))

    assert broken_link(await ledger.history()) is None
    assert len(await ledger.history()) == 2


async def test_a_damaged_head_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    """With the file and the remedy, not a traceback."""
    store = LocalFolder(tmp_path)
    await store.write("tracks/t/state.json", b'{"generation": "many"}')

    with pytest.raises(Mistake, match=r"the head of track 't' .* cannot be read"):
        await Ledger(store, "t").append(NEWS)
    stored = await store.read("tracks/t/state.json")
    assert stored is not None
    assert stored.data == b'{"generation": "many"}'
