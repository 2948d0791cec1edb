"""Promoted tracks live on a Speech resource of their own: whoever works on one is led there."""

from domain.ruling import Subject
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.snapshots import Packed, Snapshot


async def speech_of(store: str, track: str, speech: str) -> str:
    """Name of the Speech Resource block on which a track lives: `speech`, unless it was promoted to another one.

    At three in the morning nobody remembers which block a promoted track has.
    """
    return (await Ledger(await load_store(store), track).state()).speech or speech


def snapshot_of_line(subject: Subject) -> Snapshot:
    """What a promoted track is tested on: it has no data of its own, so what it was promoted with."""
    testing = Packed(kind="Acoustic", content_hash=subject.testing_hash, key=subject.testing, items=0, seconds=0.0)
    return Snapshot(track=subject.track, revision=subject.revision, testing=testing, sheet=subject.sheet)
