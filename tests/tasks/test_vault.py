"""The vault: what a verdict rests on comes back as it was, or not at all."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.comparison import Comparison, Measured, Phrase, ServiceScore, TokenErrors
from domain.gate import check, decide
from domain.leakage import Leak, LeakReport
from domain.mistakes import Mistake
from domain.normalise import normaliser_for
from domain.policy import GatePolicy
from domain.verdict import Override, overridden
from domain.wer import score_utterances
from tasks import evidence, vault
from tasks.replays import Past, find_verdict, replay
from tasks.store import LocalFolder, Store
from tests.tasks.vault_kit import COMPARISON, heard, ruled

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
figures = st.floats(allow_nan=False)
labels = st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=3)
scores = st.builds(
    ServiceScore,
    texts,
    st.floats(),
    *[st.integers(-1, 9)] * 5,
    st.none() | st.builds(TokenErrors, *[st.integers(-1, 9)] * 6),
)
leaks = st.builds(
    LeakReport, leaks=st.lists(st.builds(Leak, kind=texts, file=texts, reason=texts), max_size=2).map(tuple)
)


@st.composite
def measured(draw: st.DrawFn) -> Measured:
    """One model, with whatever a service and a recogniser may say."""
    said = draw(st.dictionaries(texts, texts, max_size=3))
    heard = draw(st.lists(st.tuples(st.sampled_from([*said, "other"]), texts), max_size=4))
    confidences = draw(st.dictionaries(texts, st.lists(st.tuples(texts, figures), max_size=2).map(tuple), max_size=2))
    card = score_utterances(said, heard, normaliser_for("en-US"))
    return Measured(draw(texts), card, draw(st.none() | scores), confidences)


ODD = Measured("", heard("", 0).scorecard, ServiceScore("", math.nan, -1, -1, -1, -1, -1))

comparisons = st.builds(
    Comparison,
    measured(),
    measured(),
    st.none() | measured(),
    labels,
    st.dictionaries(texts, figures, max_size=2),
    st.lists(st.builds(Phrase, texts, st.booleans()), max_size=2).map(tuple),
    st.none() | leaks,
    st.integers(0, 99),
)


@example(Comparison(replace(ODD, confidences={"a": (("b", math.inf),)}), ODD, seconds={"a": math.inf}))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(comparisons)
async def test_every_field_of_a_comparison_comes_back(tmp_path: Path, comparison: Comparison) -> None:
    """A replay in ten years sees what the gate saw, to the last byte and in the same order."""
    store = LocalFolder(tmp_path)

    kept = await vault.keep_comparison(store, comparison)
    back = await vault.read_comparison(store, kept)

    assert repr(back) == repr(comparison)
    assert await vault.keep_comparison(store, back) == kept


def test_the_property_covers_every_field() -> None:
    """Who adds a field to what is compared adds it to the test above; the vault itself keeps it without a change."""
    assert set(Comparison.__slots__) == {
        "base", "benchmark", "candidate", "earlier_verdicts", "labels", "leaks", "phrases", "seconds",
    }  # fmt: skip
    assert set(Measured.__slots__) == {"model", "scorecard", "service", "confidences"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return LocalFolder(tmp_path / "store")


async def test_what_another_bundle_holds_is_not_stored_twice(store: Store) -> None:
    """A hundred thousand transcripts lie in the store once."""
    card = COMPARISON.benchmark.scorecard
    measurement = await evidence.keep(store, {"benchmark.json": card.to_json(), "sheet.json": b"{}"})
    same = replace(COMPARISON, base=COMPARISON.candidate)

    kept = await vault.keep_comparison(store, same, beside=[measurement])

    assert set(await evidence.files(store, kept)) == {"candidate.json", "inputs.json", "parts.json"}
    assert await vault.read_comparison(store, kept) == same


async def test_a_verdict_comes_out_identical(store: Store) -> None:
    """The proof that a verdict was not made up."""
    done = await replay(store, Past(await ruled(store)))

    assert done.identical
    assert (done.differences, done.causes) == ((), ())


async def test_another_policy_shows_what_would_have_been_decided(store: Store) -> None:
    """Before a team changes its policy it sees what that would have meant."""
    done = await replay(store, Past(await ruled(store)), GatePolicy(target_wer_percent=1))

    assert done.now.outcome == "FAIL"
    assert not done.identical
    assert any(line.startswith("rule 'target WER' only now: FAIL: WER 14.3%") for line in done.differences)


async def test_a_verdict_that_was_made_up_differs(store: Store) -> None:
    """The evidence is sound, but it does not lead to what is claimed."""
    verdict = decide(replace(COMPARISON, candidate=heard("new", 4)), GatePolicy())

    done = await replay(store, Past(await ruled(store, verdict=verdict)))

    assert not done.identical
    assert any("candidate_counts was" in line for line in done.differences)


async def test_a_change_of_one_figure_is_seen(store: Store) -> None:
    """Byte by byte means that the last digit counts."""
    verdict = decide(COMPARISON, GatePolicy())
    first, *others = verdict.findings
    forged = verdict.model_copy(update={"findings": (first.model_copy(update={"words": 85}), *others)})

    done = await replay(store, Past(await ruled(store, verdict=forged)))

    assert not done.identical
    assert done.differences == (f"rule '{first.rule}': words was 85, now 84",)


async def test_what_another_version_changed_is_named(store: Store) -> None:
    """A replay that differs can say why."""
    digest = await ruled(store)
    versions = json.loads(await evidence.recall(store, digest, "versions.json"))
    versions["libraries"]["jiwer"] = "3.0.0"
    ruling = await evidence.recall(store, digest, "ruling.json")
    older = await evidence.keep(store, {"ruling.json": ruling, "versions.json": json.dumps(versions).encode()})

    done = await replay(store, Past(older))

    assert done.identical
    assert [cause.split(",")[0] for cause in done.causes] == ["jiwer was 3.0.0"]


async def test_a_measurement_is_only_checked_again(store: Store) -> None:
    """A testing update never asked whether anything is better."""
    digest = await ruled(store, verdict=check(COMPARISON, GatePolicy()), measures_only=True)

    assert (await replay(store, Past(digest))).identical


async def test_the_word_of_a_person_is_part_of_the_verdict(store: Store) -> None:
    """What somebody took the responsibility for comes out identical too."""
    word = Override(by="ann", reason="a new microphone")
    digest = await ruled(store, verdict=overridden(decide(COMPARISON, GatePolicy()), word))

    assert (await replay(store, Past(digest))).identical


@pytest.mark.parametrize("name", ["inputs.json", "parts.json", "benchmark.json", "candidate.json", "manifest.json"])
async def test_changed_input_is_refused(store: Store, name: str) -> None:
    """No byte of what a verdict rests on can be changed unnoticed."""
    digest = await ruled(store)
    kept = (await vault.read_ruling(store, digest)).comparison
    key = f"evidence/{kept}/{name}"
    await store.write(key, (await store.read(key)).data.replace(b"a", b"b", 1))

    with pytest.raises(Mistake, match="not what was stored"):
        await replay(store, Past(digest))


async def test_lost_input_is_told(store: Store, tmp_path: Path) -> None:
    """The message says what is missing."""
    digest = await ruled(store)
    kept = (await vault.read_ruling(store, digest)).comparison
    (tmp_path / "store" / "evidence" / kept / "candidate.json").unlink()

    with pytest.raises(Mistake, match=f"there is no evidence {kept[:12]}"):
        await replay(store, Past(digest))


async def test_a_verdict_from_before_the_vault_is_told(store: Store) -> None:
    """It cannot be replayed, and nothing is made up instead."""
    digest = await ruled(store, comparison="")

    with pytest.raises(Mistake, match="before speechops kept"):
        await replay(store, Past(digest))


async def test_sound_evidence_of_another_version_is_told(store: Store) -> None:
    """An unknown field is no damage: the message says which version to use."""
    other = await evidence.keep(store, {"ruling.json": b'{"subject": {}}'})

    with pytest.raises(Mistake, match="cannot read it"):
        await vault.read_ruling(store, other)


async def test_a_verdict_is_found_by_its_first_digits(store: Store) -> None:
    """Nobody types 64 digits."""
    digest = await ruled(store)

    assert (await find_verdict(store, digest[:8])).digest == digest


@pytest.mark.parametrize(
    ("digest", "message"),
    [("abc", "four at least"), ("../../etc", "is not the digest"), ("0000", "has no verdict 0000"), ("ABCG", "is not")],
)
async def test_an_unknown_digest_is_a_clear_mistake(store: Store, digest: str, message: str) -> None:
    """What is typed is never taken for a path."""
    await ruled(store)

    with pytest.raises(Mistake, match=message):
        await find_verdict(store, digest)


def test_nan_is_kept_as_json_that_every_program_reads() -> None:
    """Azure may send what is no number; the evidence must stay readable."""
    score = ServiceScore("Running", math.nan, -1, -1, -1, -1, -1)
    document = vault._document(
        vault._Inputs(replace(COMPARISON, candidate=replace(COMPARISON.candidate, service=score)))
    )

    assert json.loads(document, parse_constant=pytest.fail)["candidate"]["service"]["wer"] == "NaN"
