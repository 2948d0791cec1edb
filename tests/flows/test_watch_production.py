"""The watch looks at production transcripts that somebody puts into the store."""

import json
from pathlib import Path

import pytest

from domain.mistakes import Mistake
from domain.production import Heard
from tasks.watch_production import look_at_production
from tasks.watch_records import read_record
from tests.deployments.test_drifting import document
from tests.flows.release_kit import Templates, copied


def put(folder: Path, period: str, said: str, sure: float, count: int = 12) -> None:
    """Transcripts of one period, all alike but for their length."""
    for number in range(count):
        words = tuple(said.split() * (1 + number % 3))
        one = Heard(f"{period}-{number}", words, (sure,) * len(words), 2.0 * (1 + number % 3))
        path = folder / "calls" / period / f"{one.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document(one.words, one.confidences, one.seconds)))


async def test_new_names_in_production_are_a_finding_with_a_list_to_label(templates: Templates, tmp_path: Path) -> None:
    """Words of training and testing data are known; a name that is in neither is told by its number, never by itself."""
    async with copied(templates.live, tmp_path) as world:
        record = await read_record.fn("speechops", world.track)
        put(world.store.folder, "before", "take me to xanadu", 0.95)
        with pytest.raises(Mistake, match=r"calls/now/ .*there is no transcript"):
            await look_at_production.fn("speechops", record, "calls")
        put(world.store.folder, "now", "take me to yggdrasil", 0.95)
        part = await look_at_production.fn("speechops", record, "/calls/")
        page = (world.store.folder / "pages/places-production.html").read_text("utf-8")

    assert [finding.key for finding in part.findings] == ["production-drift:unknown words"]
    assert "pages/places-production.html" in part.findings[0].what_to_do
    assert ">now-" in page
    assert "yggdrasil" not in page + part.model_dump_json()
