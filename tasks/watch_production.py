"""Production, as the watch looks at it: transcripts that somebody puts into the store, compared with an earlier period."""

import asyncio
import zipfile
from functools import partial
from pathlib import Path

from prefect import task

from domain.normalise import Normaliser, normaliser_for
from domain.production import beside_base, find_drift, production_findings, without_names
from domain.report.drift_page import drift_page
from domain.ruling import Subject
from domain.watch.findings import Part
from tasks.acoustic import TRANSCRIPTS
from tasks.blocks import load_store
from tasks.production import read_prefix
from tasks.retrying import FRESH
from tasks.snapshots import read_sheet
from tasks.store import Store
from tasks.watch_records import Record


@task(name="look-at-production", description="Has production changed since the period before?", **FRESH)
async def look_at_production(store: str, record: Record, transcripts: str) -> Part:
    """Compare the folders `now` and `before` of a folder of the store; with `base`, also with the base model's transcripts.

    The page with what to label next is written to the store.

    Raises:
        Mistake: a folder is empty, or a file in it is no transcript.
    """
    keep, subject = await load_store(store), record.ruling.subject
    normaliser, place = normaliser_for(subject.track.locale), transcripts.strip("/")
    now, before = [await read_prefix(keep, f"{place}/{period}", normaliser) for period in ("now", "before")]
    if await keep.keys(f"{place}/base/"):
        base = {one.name: one for one in await read_prefix(keep, f"{place}/base", normaliser)}
        now, before = beside_base(now, base), beside_base(before, base)
    words = await known_words(keep, subject, normaliser)
    compare = partial(find_drift, vocabulary=words, unit=normaliser.unit, locale=subject.track.locale)
    found = await asyncio.to_thread(compare, now, before)
    page = f"pages/{subject.track.name}-production.html"
    shown = found if subject.track.report.transcripts else without_names(found)
    await keep.write(page, drift_page(shown, f"{place}/now against {place}/before").encode())
    told = (
        f"{found.outcome}: {len(now)} recordings against {len(before)} before; {page} in the store lists what to label"
    )
    return Part(name="production", told=told, findings=production_findings(found, subject.track.name, page))


async def known_words(store: Store, subject: Subject, normaliser: Normaliser) -> frozenset[str]:
    """The normalised words of a model's training texts and of the testing references that it was judged on."""
    sheet = await read_sheet(store, subject.sheet)
    words = {word for text in sheet.references.values() for word in normaliser(text).split()}
    for learnt in subject.training:
        if await store.exists(learnt.key):
            async with store.local_copy(learnt.key) as path:
                words |= await asyncio.to_thread(_words_of, path, normaliser)
    return frozenset(words)


def _words_of(path: Path, normaliser: Normaliser) -> set[str]:
    if not zipfile.is_zipfile(path):
        with path.open(encoding="utf-8-sig", newline="\n") as lines:
            return {word for line in lines for word in normaliser(line).split()}
    with zipfile.ZipFile(path) as archive:
        rows = archive.read(TRANSCRIPTS).decode("utf-8-sig").splitlines()
    return {word for row in rows for word in normaliser(row.partition("\t")[2]).split()}
