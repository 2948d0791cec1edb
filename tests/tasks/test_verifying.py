"""Whoever changes the past is noticed."""

import pytest

from domain.lineage.verified import Check
from domain.mistakes import Mistake
from tasks.verifying import verify_store
from tests.tasks.lineage_kit import Lived, _two_releases, lived

__all__ = ["_two_releases", "lived"]


async def broken(lived: Lived) -> list[Check]:
    """What is not as it was."""
    return [one for one in (await verify_store(lived.store)).checks if one.state == "broken"]


async def test_what_nobody_touched_is_sound(lived: Lived) -> None:
    """History, head, evidence and data, each counted."""
    result = await verify_store(lived.store, "places")

    assert not result.is_broken
    assert [(one.what, one.detail) for one in result.checks] == [
        ("history", "4 entries, each follows from the one before"),
        ("head", "generation 4 agrees with the history"),
        ("evidence", "6 of 6 are what was stored"),
        ("data", "4 of 4 are what was stored"),
    ]


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("tracks/places/ledger/000001.json", b"aaaa1111", b"ffff1111"),
        ("tracks/places/ledger/000004.json", b"bbbb1111", b"ffff1111"),
        ("tracks/places/state.json", b'"number": 2', b'"number": 3'),
        (
            "tracks/places/state.json",
            b'"number": 2,\n    "model": "models/two"',
            b'"number": 2,\n    "model": "models/evil"',
        ),
        ("tracks/places/state.json", b'"wer": 0.1', b'"wer": 0.0'),
    ],
)
async def test_a_changed_history_or_head_is_found(lived: Lived, key: str, old: bytes, new: bytes) -> None:
    """Also in the head, which no hash covers: it is worked out anew from what it rests on."""
    data = (await lived.store.read(key)).data
    assert old in data
    await lived.store.write(key, data.replace(old, new))

    (check, *_) = await broken(lived)

    assert check.what in ("history", "head", "head and history")
    assert check.what_to_do


async def test_a_missing_entry_and_an_old_head_are_found(lived: Lived) -> None:
    """A head from an older backup does not fit its own history."""
    head = await lived.store.read("tracks/places/state.json")
    await lived.releases("three")
    await lived.store.write("tracks/places/state.json", head.data)
    (found,) = await broken(lived)
    assert "ends with entry 4, but reached/places.json says that it had reached entry 6" in found.detail

    await lived.store.delete("tracks/places/ledger/000002.json")
    assert "entry 3 does not follow" in (await broken(lived))[0].detail


@pytest.mark.parametrize("suffix", ["inputs.json", "candidate.json", "ruling.json", "manifest.json"])
@pytest.mark.parametrize("how", ["changed", "removed"])
async def test_changed_or_missing_evidence_is_found(lived: Lived, suffix: str, how: str) -> None:
    """With the bundle, and that nobody may trust it."""
    key = next(key for key in await lived.store.keys("evidence/") if key.endswith(suffix))
    await (lived.store.delete(key) if how == "removed" else lived.store.write(key, b"{}"))

    assert key.rpartition("/")[0] in [one.what for one in await broken(lived)]


@pytest.mark.parametrize("suffix", [".zip", ".sheet.json", ".txt"])
async def test_changed_or_missing_data_are_found(lived: Lived, suffix: str) -> None:
    """A snapshot is called by the hash of its content."""
    key = next(key for key in await lived.store.keys("snapshots/") if key.endswith(suffix))
    await lived.store.write(key, b"something else")
    assert [one.what for one in await broken(lived)] == [key]

    await lived.store.delete(key)
    assert [one.detail for one in await broken(lived)] == ["it is not there"]


async def test_an_entry_that_a_crash_left_out_is_no_damage(lived: Lived) -> None:
    """The head has it, and the next run writes it down."""
    await lived.store.delete("tracks/places/ledger/000004.json")

    assert await broken(lived) == []


async def test_a_track_that_is_not_there_is_told_with_those_that_are(lived: Lived) -> None:
    """A typing error is no sound track."""
    with pytest.raises(Mistake, match=r"no track 'plaecs' \(known: places\)"):
        await verify_store(lived.store, "plaecs")
