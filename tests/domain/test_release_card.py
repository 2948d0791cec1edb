"""The card of a release: all that people must know, in figures, and nothing in it becomes markup."""

from datetime import UTC, datetime

from domain.golden import Hearing
from domain.latency import Latency
from domain.ledger import Release
from domain.policy import GatePolicy
from domain.report import ModelCard, TrainingData
from domain.report.release_card import ReleaseCard, release_card, release_page
from domain.ruling import Decision
from domain.track import ReportSettings
from tests.domain.report_samples import decision_of, sample

LIVE = Hearing(
    recordings=3, text_difference=0.0, wer=0.05, evaluated_wer=0.05, latency=Latency.of([0.25, 0.5, 1.0], "taxi-live")
)
EVIL = "<img src=x onerror=alert(1)> [a](http://evil)"


def card_of(decision: Decision | None = None, **release: object) -> ReleaseCard:
    """The card of a sample release."""
    comparison = sample(60, 12)
    decision = decision or decision_of(comparison)
    candidate = decision.ruling.subject.candidate
    live = Release(
        number=4, model=candidate.path, model_name=candidate.name, recipe="r", endpoint="endpoints/1", evidence=decision.digest,
        revision="6c1f2ab9d0e4", released_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC), version="1.3.0",
    ).model_copy(update=release)  # fmt: skip
    told = ModelCard(
        purpose=EVIL,
        training=(TrainingData(kind="Language", amount="312 lines", digest="ab" * 32),),
        versions=(("speechops", "0.6.0"),),
    )
    return release_card(live, decision, comparison, told, "taxi-live", (None, LIVE))


def test_a_card_tells_what_is_live_and_why() -> None:
    """Version, WER before and after with the gain's interval, data, verdict, approval, endpoint, latency, limits."""
    card = card_of(approval="a-1")

    page = release_page(card)

    for told in (
        "# sharjah 1.3.0", "2026-11-20 09:30 UTC, release 4", "312 lines (abababababab)", "a-1", "taxi-live (endpoints/1)",
        "median 0.500 s, 95 of 100 within 1.000 s", "60 recordings", "→", "points (", "speechops 0.6.0", "## Limits",
    ):  # fmt: skip
        assert told in page
    assert card.limits
    assert ReleaseCard.model_validate_json(card.model_dump_json()) == card


def test_nothing_in_a_card_becomes_markup() -> None:
    """The purpose stands in track.toml, which whoever sends a pull request writes."""
    page = release_page(card_of())

    assert "<img" not in page.replace("\\<img", "")
    assert "[a](" not in page


def test_a_card_keeps_names_of_recordings_to_itself_where_the_track_wants_that() -> None:
    """What leaks into reasons is hidden as in every other report."""
    comparison = sample(60, 12)
    decision = decision_of(comparison, GatePolicy())
    name = comparison.candidate.scorecard.utterances[0].id
    finding = decision.ruling.verdict.findings[0].model_copy(
        update={"rule": "leaks", "reason": f"{name} stands in the training data", "outcome": decision.ruling.verdict.outcome}
    )  # fmt: skip
    verdict = decision.ruling.verdict.model_copy(update={"findings": (finding,)})
    track = decision.ruling.subject.track.model_copy(update={"report": ReportSettings(transcripts=False)})
    subject = decision.ruling.subject.model_copy(update={"track": track})
    ruling = decision.ruling.model_copy(update={"verdict": verdict, "subject": subject})

    card = card_of(decision.model_copy(update={"ruling": ruling}))

    assert card.reasons == ("[…] stands in the training data",)
