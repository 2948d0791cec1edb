"""What a verdict rests on, kept for good: bundles of files, named by the hash of their content."""

import hashlib
import json
from collections.abc import Mapping

from domain.mistakes import Mistake
from tasks.store import Store

_MANIFEST = "manifest.json"


async def keep(store: Store, files: Mapping[str, bytes]) -> str:
    """Store a bundle and return its SHA-256, which is taken over the names and hashes of its files.

    The manifest is written last: a bundle that has one is complete.
    """
    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    document = json.dumps(manifest, indent=2).encode()
    digest = hashlib.sha256(document).hexdigest()
    for name, data in files.items():
        await store.write(f"evidence/{digest}/{name}", data)
    await store.write(f"evidence/{digest}/{_MANIFEST}", document)
    return digest


async def recall(store: Store, digest: str, name: str) -> bytes:
    """Read one file of a bundle back and check that it still is what was stored.

    Raises:
        Mistake: the bundle is not there, or the file has been changed.
    """
    stored = await store.read(f"evidence/{digest}/{name}")
    known = await files(store, digest)
    if stored is None:
        raise _lost(digest, name)
    if known.get(name) != hashlib.sha256(stored.data).hexdigest():
        raise _changed(digest, name)
    return stored.data


async def files(store: Store, digest: str) -> dict[str, str]:
    """The files of a bundle: name to SHA-256 of the content.

    Raises:
        Mistake: the bundle is not there, or its list of files has been changed.
    """
    manifest = await store.read(f"evidence/{digest}/{_MANIFEST}")
    if manifest is None:
        raise _lost(digest, _MANIFEST)
    if hashlib.sha256(manifest.data).hexdigest() != digest:
        raise _changed(digest, _MANIFEST)
    return dict(json.loads(manifest.data))


def _lost(digest: str, name: str) -> Mistake:
    return Mistake(f"there is no evidence {digest[:12]}… ({name}) in the store. Run the flow again to make it anew.")


def _changed(digest: str, name: str) -> Mistake:
    return Mistake(
        f"the evidence {digest[:12]}… ({name}) is not what was stored. Restore it from a backup; do not trust it."
    )


async def find(store: Store, identity: str) -> str | None:
    """The digest of the bundle that was indexed under `identity`, the hash of what it answers; None when it is lost."""
    stored = await store.read(_index_key(identity))
    digest = stored.data.decode() if stored else None
    return digest if digest and await is_kept(store, digest) else None


async def is_kept(store: Store, digest: str) -> bool:
    """Whether the bundle is there."""
    return await store.read(f"evidence/{digest}/{_MANIFEST}") is not None


async def index(store: Store, identity: str, digest: str) -> None:
    """Remember which bundle answers `identity`."""
    await store.write(_index_key(identity), digest.encode())


def _index_key(identity: str) -> str:
    return f"evidence/index/{identity}"
