"""Rulings: from evidence to a verdict, kept as evidence itself and told to the ledger."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain.comparison import Comparison, Confidences, Measured, ServiceScore, TokenErrors
from domain.gate import check, decide
from domain.leakage import LeakReport
from domain.ledger import Benchmark, News, State
from domain.normalise import normaliser_for
from domain.ruling import Decision, ModelRef, Ruling, Subject, Work
from domain.verdict import Outcome
from domain.wer import Scorecard
from speech_client import Evaluation
from tasks import evidence, vault
from tasks.acting import ForeignTrack
from tasks.blocks import load_store
from tasks.leaks import check_leaks
from tasks.ledger import Ledger
from tasks.reached import LostHistory, accept_by
from tasks.retrying import FRESH
from tasks.snapshots import Sheet, read_sheet
from tasks.store import Store

_CONFIDENCES: TypeAdapter[tuple[Confidences, Confidences]] = TypeAdapter(tuple[Confidences, Confidences])


class Measurements(BaseModel):
    """Digests of what was measured: benchmark and candidate, and the base model beside the benchmark (empty: not)."""

    model_config = ConfigDict(frozen=True)

    pair: str
    base: str = ""


@task(name="read-state", description="The track's head in the ledger: benchmark, release, endpoint.", **FRESH)
async def read_state(store: str, track: str) -> State:
    """Where the track stands now."""
    return await Ledger(await load_store(store), track).state()


@task(name="find-ruling", description="Has this very candidate been judged already?", **FRESH)
async def find_ruling(store: str, subject: Subject, state: State) -> Decision | None:
    """An earlier ruling that still answers: the recipe is live, was taken back, or was judged under the same conditions."""
    keep = await load_store(store)
    live = state.release
    if live and live.recipe == subject.recipe and await evidence.is_kept(keep, live.evidence):
        digest: str | None = live.evidence
    elif (taken := state.withdrawal_of(subject.recipe)) and await evidence.is_kept(keep, taken.evidence):
        digest = taken.evidence
    else:
        digest = await evidence.find(keep, _identity(subject))
    found = await vault.read_ruling(keep, digest) if digest else None
    if digest is None or found is None:
        return None
    if found.subject.track.name != subject.track.name:
        raise ForeignTrack(
            f"the evidence {digest[:12]}…, under which the store {keep} keeps the verdict on '{subject.candidate.name}', is about "
            f"track '{found.subject.track.name}', not '{subject.track.name}': the store was changed. Run `speechops verify`."
        )
    if state.last is None:  # the ledger was told before the evidence was indexed
        raise LostHistory(
            f"the history of track '{state.track}' in the store {keep} is empty, but the ruling {digest[:12]}… in its evidence "
            f"was told to it: entries are lost. Bring tracks/{state.track}/ back from a backup. To go on without them on "
            f"purpose: {accept_by(state.track)}."
        )
    return Decision(digest=digest, ruling=found, settled=True)


@task(name="judge", description="Apply the gate's rules to the evidence.", **FRESH)
async def judge(store: str, subject: Subject, measured: Measurements, leaks: LeakReport | None, work: Work) -> Decision:
    """Decide about the candidate, and keep the ruling as evidence with all that it rests on."""
    keep = await load_store(store)
    found = await _comparison(keep, subject, measured)
    live = await leaks_of_live_model(keep, subject)
    leaks = leaks + live if leaks and live else leaks or live
    earlier = await _earlier_verdicts(keep, subject)
    return await _decision(keep, subject, replace(found, leaks=leaks, earlier_verdicts=earlier), measured, work)


@task(name="check-measurement", description="Is the evidence valid?", **FRESH)
async def check_measurement(store: str, subject: Subject, measurement: str, work: Work) -> Decision:
    """Ask whether a measurement that decides nothing can be trusted, and keep the answer as evidence."""
    keep, measured = await load_store(store), Measurements(pair=measurement)
    found = replace(await _comparison(keep, subject, measured), leaks=await leaks_of_live_model(keep, subject))
    return await _decision(keep, subject, found, measured, work, measures_only=True)


@task(name="record-ruling", description="Tell the ledger what was decided.", **FRESH)
async def record_ruling(
    store: str, decision: Decision, kind: str = "training-update", line: Mapping[str, str] | None = None
) -> None:
    """Append the ruling to the history; the benchmark's WER on these testing data becomes the benchmark WER.

    When another model went live meanwhile, the benchmark stays as it is. INVALID is not remembered as an answer.

    Args:
        store: name of the store's block.
        decision: what was decided.
        kind: of the entry.
        line: of a promotion: its `home`, its `target`, and the `speech` block on which the line lives.
    """
    keep = await load_store(store)
    ruling = decision.ruling
    verdict, subject = ruling.verdict, ruling.subject
    told = {"ruling": decision.digest, "outcome": verdict.outcome.value, "candidate": verdict.candidate,
            "benchmark_wer": verdict.benchmark_wer, "candidate_wer": verdict.candidate_wer,
            "recipe": subject.recipe, "testing": subject.testing_hash, "words": verdict.words}  # fmt: skip

    def change(state: State) -> dict[str, Any]:
        measured = _benchmark(subject.benchmark.path, subject.benchmark.name, verdict.benchmark_wer, ruling)
        lives = {"speech": line["speech"]} if line else {}
        if measured is None or state.benchmark_or(subject.base).path != subject.benchmark.path:
            return lives
        tried = verdict.releases or state.base_model is None  # else what the track has used so far stays pinned
        return lives | {"base_model": subject.base.path if tried else state.base_model, "benchmark": measured}

    await _append_once(keep, subject, News(kind=kind, facts={**told, **(line or {})}, **_told_by(subject)), change)
    if verdict.outcome is not Outcome.INVALID:
        await evidence.index(keep, _identity(subject), decision.digest)
    get_run_logger().info("%s: %s", verdict.outcome.value, verdict.summary)


@task(name="record-benchmark", description="The WER on the new testing data becomes the benchmark WER.", **FRESH)
async def record_benchmark(store: str, decision: Decision) -> bool:
    """Append the measurement to the history, unless the head says the same already. Returns whether it was appended.

    When another model went live meanwhile, the benchmark stays as it is.
    """
    keep = await load_store(store)
    ruling = decision.ruling
    verdict, subject = ruling.verdict, ruling.subject
    facts = {"ruling": decision.digest, "base_wer": verdict.benchmark_wer, "benchmark_wer": verdict.candidate_wer,
             "testing": subject.testing_hash, "words": verdict.words}  # fmt: skip
    measured = _benchmark(subject.candidate.path, subject.candidate.name, verdict.candidate_wer, ruling)
    if measured is None or measured == (await Ledger(keep, subject.track.name).state()).benchmark:
        return False
    news = News(kind="testing-update", facts=facts, **_told_by(subject))

    def change(state: State) -> dict[str, Any]:
        overtaken = state.benchmark_or(subject.base).path != subject.candidate.path
        return {} if overtaken else {"base_model": subject.base.path, "benchmark": measured}

    await _append_once(keep, subject, news, change)
    get_run_logger().info("The benchmark WER is now %.2f %%", 100 * measured.wer)
    return True


async def _comparison(store: Store, subject: Subject, measured: Measurements) -> Comparison:
    """Both models' results, and the base model's, as the gate wants them, from the evidence alone."""
    benchmark, candidate = await _sides(store, measured.pair, subject.benchmark, subject.candidate)
    base = benchmark if subject.base.path == subject.benchmark.path else None
    if measured.base:
        base, _ = await _sides(store, measured.base, subject.base, subject.benchmark)
    sheet = Sheet.model_validate_json(await evidence.recall(store, measured.pair, "sheet.json"))
    return Comparison(
        benchmark, candidate, base=base, labels=sheet.labels, seconds=sheet.seconds, phrases=sheet.phrases
    )


async def _sides(store: Store, measurement: str, first: ModelRef, second: ModelRef) -> tuple[Measured, Measured]:
    """What one evaluation found of its two models."""
    entity = Evaluation.model_validate_json(await evidence.recall(store, measurement, "evaluation.json"))
    sure = _CONFIDENCES.validate_json(await evidence.recall(store, measurement, "confidences.json"))

    async def side(number: int, file: str, model: ModelRef) -> Measured:
        card = Scorecard.from_json(await evidence.recall(store, measurement, f"{file}.json"))
        return Measured(model.name, card, _service_score(entity, number), confidences=sure[number - 1])

    return await side(1, "benchmark", first), await side(2, "candidate", second)


async def leaks_of_live_model(store: Store, subject: Subject) -> LeakReport | None:
    """What the live model, when it is one of the two, learnt of these testing data; None when none of them is live.

    A model that has read the answers looks better than it is. As the benchmark it is only harder to beat, so people are
    told, and nothing is in the way.
    """
    live = (await Ledger(store, subject.track.name).state()).release
    if live is None or live.model not in (subject.benchmark.path, subject.candidate.path):
        return None
    learnt = (await vault.read_ruling(store, live.evidence)).subject.training
    now = {one.key for one in subject.training}
    sheet = await read_sheet(store, subject.sheet)
    keys = [one.key for one in learnt if one.key not in now]
    found = await check_leaks(store, subject.testing, sheet.references, sheet.labels, keys, subject.track.locale)
    told = [
        leak.model_copy(update={"blocks": False, "reason": f"the live model: {leak.reason}"}) for leak in found.leaks
    ]
    return found.model_copy(update={"leaks": tuple(told)})


async def _earlier_verdicts(store: Store, subject: Subject) -> int:
    """How many other candidates were judged on these very testing data."""
    history = await Ledger(store, subject.track.name).history()
    judged = [entry.facts for entry in history if entry.kind == "training-update"]
    return len(
        {
            facts.get("recipe")
            for facts in judged
            if facts.get("testing") == subject.testing_hash and facts.get("outcome") != Outcome.INVALID.value
        }
        - {subject.recipe}
    )


def _service_score(evaluation: Evaluation, number: int) -> ServiceScore:
    sent = evaluation.properties.to_azure() if evaluation.properties else {}

    def figure(name: str) -> Any:
        value = sent.get(f"{name}{number}")
        return -1 if value is None else value

    return ServiceScore(
        status=str(evaluation.status),
        wer=float(figure("wordErrorRate")),
        words=int(figure("wordCount")),
        correct=int(figure("correctWordCount")),
        substitutions=int(figure("wordSubstitutionCount")),
        deletions=int(figure("wordDeletionCount")),
        insertions=int(figure("wordInsertionCount")),
        tokens=_token_errors(figure("tokenCount"), figure("tokenErrors")),
    )


def _token_errors(tokens: int, errors: Any) -> TokenErrors | None:
    if tokens < 0 or not isinstance(errors, Mapping):
        return None

    def edits(name: str) -> int:
        return int((errors.get(name) or {}).get("numberOfEdits") or 0)

    return TokenErrors(
        tokens=int(tokens),
        punctuation=edits("punctuation"),
        capitalization=edits("capitalization"),
        inverse_text_normalization=edits("inverseTextNormalization"),
        lexical=edits("lexical"),
        others=edits("others"),
    )


async def _decision(
    store: Store,
    subject: Subject,
    found: Comparison,
    measured: Measurements,
    work: Work,
    *,
    measures_only: bool = False,
) -> Decision:
    digest = await vault.keep_comparison(store, found, beside=[one for one in (measured.pair, measured.base) if one])
    comparison = await vault.read_comparison(store, digest)  # what a replay will see
    verdict = await asyncio.to_thread(check if measures_only else decide, comparison, subject.track.gate)
    ruling = Ruling(
        subject=subject, verdict=verdict, measurement=measured.pair, comparison=digest, measures_only=measures_only
    )
    return Decision(digest=await vault.keep_ruling(store, ruling), ruling=ruling, work=work)


async def _append_once(store: Store, subject: Subject, news: News, change: Any) -> None:
    ledger = Ledger(store, subject.track.name)
    last = (await ledger.state()).last
    if last is None or (last.kind, last.facts.get("ruling")) != (news.kind, news.facts["ruling"]):
        await ledger.append(news, change)


def _benchmark(model: str, name: str, wer: float | None, ruling: Ruling) -> Benchmark | None:
    if wer is None or ruling.verdict.outcome is Outcome.INVALID:
        return None
    return Benchmark(
        model=model,
        model_name=name,
        wer=wer,
        words=ruling.verdict.words,
        testing_hash=ruling.subject.testing_hash,
        evidence=ruling.measurement,
    )


def _told_by(subject: Subject) -> dict[str, str]:
    return {"flow_run": str(flow_run.id or ""), "revision": subject.revision}


def _identity(subject: Subject) -> str:
    return subject.ruling_identity(normaliser_for(subject.track.locale).fingerprint)
