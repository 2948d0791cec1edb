"""Evidence is kept by content, and what was changed is not believed."""

from pathlib import Path

import pytest

from domain.mistakes import Mistake
from tasks import evidence
from tasks.store import LocalFolder


async def test_equal_evidence_has_one_name(tmp_path: Path) -> None:
    """The name is the hash of the content, in whatever order it is given."""
    store = LocalFolder(tmp_path)

    one = await evidence.keep(store, {"a.json": b"1", "b.json": b"2"})
    other = await evidence.keep(store, {"b.json": b"2", "a.json": b"1"})

    assert one == other
    assert await evidence.recall(store, one, "a.json") == b"1"


@pytest.mark.parametrize("name", ["a.json", "manifest.json"])
async def test_changed_evidence_is_refused(tmp_path: Path, name: str) -> None:
    """Neither the file nor its hash can be changed unnoticed."""
    store = LocalFolder(tmp_path)
    digest = await evidence.keep(store, {"a.json": b"1"})
    await store.write(f"evidence/{digest}/{name}", b'{"a.json": "0"}')

    with pytest.raises(Mistake, match="not what was stored"):
        await evidence.recall(store, digest, "a.json")


async def test_evidence_forged_together_with_its_manifest_is_refused(tmp_path: Path) -> None:
    """The bundle's own name is the hash of its manifest."""
    store = LocalFolder(tmp_path)
    digest = await evidence.keep(store, {"a.json": b"1"})
    forged = await evidence.keep(store, {"a.json": b"2"})
    for name in ("a.json", "manifest.json"):
        await store.write(f"evidence/{digest}/{name}", (await store.read(f"evidence/{forged}/{name}")).data)

    with pytest.raises(Mistake, match="not what was stored"):
        await evidence.recall(store, digest, "a.json")


async def test_missing_evidence_is_told(tmp_path: Path) -> None:
    """The message says how to get it."""
    with pytest.raises(Mistake, match="Run the flow again"):
        await evidence.recall(LocalFolder(tmp_path), "0" * 64, "a.json")
