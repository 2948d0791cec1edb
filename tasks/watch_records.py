"""What is on record about the live model, and what is measured now, as the watch compares them."""

from prefect import task
from pydantic import BaseModel, ConfigDict

from domain.comparison import Comparison, Measured
from domain.ledger import Benchmark, Release, State
from domain.mistakes import Mistake
from domain.ruling import ModelRef, Ruling, Subject
from domain.wer import Scorecard
from speech_client import Evaluation
from tasks import evidence
from tasks.blocks import load_store
from tasks.ledger import Ledger
from tasks.retrying import FRESH
from tasks.snapshots import Sheet
from tasks.store import Store
from tasks.vault import read_comparison, read_ruling


class Record(BaseModel):
    """The live release, the head that names it, and the ruling that let it go live."""

    model_config = ConfigDict(frozen=True)

    state: State
    release: Release
    ruling: Ruling

    @property
    def base(self) -> ModelRef:
        """The base model that the live model was trained from."""
        return self.ruling.subject.base


@task(name="read-record", description="What is live, and on what evidence.", **FRESH)
async def read_record(store: str, track: str) -> Record | None:
    """What the ledger and the evidence say of the live model; None while nothing is live."""
    keep = await load_store(store)
    state = await Ledger(keep, track).state()
    if state.release is None:
        return None
    return Record(state=state, release=state.release, ruling=await read_ruling(keep, state.release.evidence))


async def has_moved_on(store: Store, record: Record) -> bool:
    """Whether a release or rollback came meanwhile, or is under way: what was seen of the endpoint then means nothing."""
    head = await Ledger(store, record.state.track).state()
    return head.pending is not None or head.release != record.release


async def measured_then(store: Store, record: Record) -> tuple[Comparison, Measured]:
    """The live model as the candidate of its own ruling, and the base model on the same recordings."""
    comparison = await read_comparison(store, record.ruling.comparison)
    base = comparison.base
    if base is None and record.base.path == record.ruling.subject.benchmark.path:
        base = comparison.benchmark
    return comparison, base or comparison.benchmark


async def measured_now(store: Store, subject: Subject, digest: str) -> Comparison:
    """What an evaluation found of its two models.

    Raises:
        Mistake: transcripts are missing, so that it shows nothing.
    """
    cards = [
        Scorecard.from_json(await evidence.recall(store, digest, f"{side}.json")) for side in ("benchmark", "candidate")
    ]
    sheet = Sheet.model_validate_json(await evidence.recall(store, digest, "sheet.json"))
    for card in cards:
        if not card.is_complete or card.wer is None:
            raise Mistake(
                f"the evaluation has transcripts of {len(card.utterances)} of {len(sheet.references)} recordings, or nothing "
                "was said in them. Watch again; if it stays so, look at the evaluation in Speech Studio."
            )
    models = subject.benchmark.name, subject.candidate.name
    first, second = (Measured(model, card, None) for model, card in zip(models, cards, strict=True))
    return Comparison(first, second, labels=sheet.labels)


async def tested_last(store: Store, benchmark: Benchmark, model: str) -> Measured | None:
    """The newest measurement that the ledger has of a model (its path), from whichever side of the evaluation it was."""
    entity = Evaluation.model_validate_json(await evidence.recall(store, benchmark.evidence, "evaluation.json"))
    for reference, side in ((entity.model2, "candidate"), (entity.model1, "benchmark")):
        if reference.id == model.rpartition("/")[2]:
            card = Scorecard.from_json(await evidence.recall(store, benchmark.evidence, f"{side}.json"))
            return Measured(benchmark.model_name, card, None)
    return None
