"""Approvals: who may answer, until when, for what, and that silence and slips let nothing go live."""

from datetime import timedelta

import pytest

from domain.approval import Answer, Request, binding, check_open, check_usable, refusal_of, request_id
from domain.mistakes import Mistake
from domain.release_policy import ApprovalSettings, ReleaseSettings
from domain.ruling import Ruling
from domain.window import WindowSettings
from tests.domain.approval_kit import HEAD, MODEL, NOW, request
from tests.domain.report_samples import decision_of, sample

YES = Answer.of(True, "Grace Hopper", "heard it")
APPROVED = request().answered(YES, NOW)


def settled(asked: Request, later: timedelta = timedelta(), **benchmark: object) -> str:
    """Its status, some time later, with another benchmark."""
    assert HEAD.benchmark
    head = HEAD.model_copy(update={"benchmark": HEAD.benchmark.model_copy(update=benchmark)})
    return asked.settled(head, NOW + later).status


def test_an_empty_answer_agrees_to_nothing() -> None:
    """Whoever resumes the run without filling in the form is asked again."""
    assert not Answer().approve
    assert "names nobody" in str(refusal_of(request(), Answer()))
    assert "names nobody" in str(refusal_of(request(), Answer.of(True, " \u200b\t", "")))


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "ADA  lovelace",
        "ada@example.org",
        "Countess <Ada@Example.org>",
        "Ada\u200b Lovelace",
        "Ａda Lovelace",
    ],
)
def test_the_author_cannot_approve_the_own_change(name: str) -> None:
    """By name or by address, however it is written."""
    assert "changed the data" in str(refusal_of(request(), Answer.of(True, name, "")))


def test_the_author_may_reject_and_may_approve_where_the_track_allows_it() -> None:
    """To reject is always safe; a team of one has to approve its own."""
    own = Answer.of(True, "ada@example.org", "")
    assert refusal_of(request(), own.model_copy(update={"approve": False})) is None
    assert refusal_of(request(settings=ApprovalSettings(required=True, allow_author=True)), own) is None


def test_without_a_known_author_anybody_may_approve() -> None:
    """Blobs and local folders tell no author; the question says so."""
    assert refusal_of(request(authors=()), Answer.of(True, "Ada Lovelace", "")) is None


def test_only_the_tracks_approvers_may_approve() -> None:
    """By any of their names."""
    asked = request(settings=ApprovalSettings(required=True, approvers=("Grace Hopper <grace@example.org>",)))

    assert refusal_of(asked, Answer.of(True, "GRACE@example.org", "")) is None
    assert "none of the track's approvers" in str(refusal_of(asked, Answer.of(True, "Alan Turing", "")))


def test_time_and_change_close_a_request() -> None:
    """To the second; what was decided stays decided."""
    assert settled(request(), timedelta(hours=72) - timedelta(seconds=1)) == "open"
    assert settled(request(), timedelta(hours=72)) == "expired"
    assert settled(request(), model="models/9") == "stale"
    assert settled(request(), testing_hash="t9") == "stale"
    assert settled(APPROVED, timedelta(days=99), model="models/9") == "approved"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (APPROVED, r"closed: approved by Grace Hopper at 2026-11-21 12:00 UTC \(heard it\)"),
        (request().answered(Answer.of(False, "Ada", ""), NOW), "closed: rejected by Ada"),
        (request(status="expired"), "could be answered until 2026-11-24 12:00 UTC"),
        (request(status="stale"), "another benchmark"),
    ],
)
def test_who_comes_late_is_told_what_was_decided(asked: Request, told: str) -> None:
    """By whom, when, and why."""
    with pytest.raises(Mistake, match=told):
        check_open(asked)


@pytest.mark.parametrize(
    ("approval", "model", "verdict", "told"),
    [
        (None, MODEL.path, "v1", "there is none for this model"),
        (APPROVED, "models/3", "v1", "there is none for this model"),
        (APPROVED, MODEL.path, "v2", "there is none for this model"),
        (request(), MODEL.path, "v1", "its approval is open"),
        (request().answered(Answer.of(False, "Ada", "no"), NOW), MODEL.path, "v1", "its approval is rejected by Ada"),
        (request(status="expired"), MODEL.path, "v1", "its approval is expired"),
        (APPROVED.model_copy(update={"status": "used"}), MODEL.path, "v1", "was used before"),
    ],
)
def test_nothing_goes_live_on_an_approval_that_does_not_fit(
    approval: Request | None, model: str, verdict: str, told: str
) -> None:
    """Of another model, another verdict, not given, or given for a release that has been."""
    with pytest.raises(Mistake, match=told):
        check_usable(approval, model, verdict)


def test_a_release_that_was_begun_goes_on_with_the_approval_that_it_used() -> None:
    """After a crash nobody is asked a second time."""
    check_usable(APPROVED, MODEL.path, "v1")
    check_usable(APPROVED.model_copy(update={"status": "used"}), MODEL.path, "v1", begun=True)


def test_an_id_names_one_run_model_and_verdict() -> None:
    """An answer to one question is none to another."""
    ids = {request_id(run, model, verdict) for run in "ab" for model in "cd" for verdict in "ef"}
    assert len(ids) == 8


def test_settings_that_came_later_can_only_be_stricter() -> None:
    """Nobody edits the policy away under a verdict; an approval that is new is asked for all the same."""
    strict = ReleaseSettings(approval=ApprovalSettings(required=True), window=WindowSettings(hours="09:00-16:00"))
    lax = ReleaseSettings()

    assert binding(ruled(strict), lax) == strict
    assert binding(ruled(lax), strict) == strict
    assert not binding(ruled(lax), lax).approval.required


def test_an_answer_is_one_line_of_decent_length() -> None:
    """It stands in tables, in the history and in the log."""
    answer = Answer.of(True, "a\nb\x1b[31m", "x" * 5000)

    assert answer.by == "a b[31m"
    assert len(answer.reason) == 1000


def ruled(release: ReleaseSettings) -> Ruling:
    """A ruling of a track with these settings."""
    ruling = decision_of(sample(utterances=12, speakers=6)).ruling
    track = ruling.subject.track.model_copy(update={"release": release})
    return ruling.model_copy(update={"subject": ruling.subject.model_copy(update={"track": track})})
