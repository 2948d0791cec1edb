"""The gate on plain files, and the reports for people."""

from pathlib import Path

from deployments.offline_inputs import Files, read_comparison, read_vocabulary
from deployments.offline_results import Judged
from deployments.plain_files import read_policy
from domain.comparison import Comparison
from domain.gate import decide
from domain.leakage import LeakReport
from domain.mistakes import Mistake
from domain.naming import fingerprint
from domain.policy import GatePolicy
from domain.report import html_report, leak_page
from domain.ruling import Decision, ModelRef, Ruling, Subject
from domain.track import Track
from domain.verdict import Verdict

_LOCALE = "en-US"
_TRACK = "plain-files"


def judge(
    files: Files, policy_file: Path | None, locale: str | None, report: Path | None, *, transcripts: bool = True
) -> Judged:
    """Judge the candidate's transcripts by a policy file, or by the defaults.

    Args:
        files: what to compare.
        policy_file: a `track.toml`, or the settings of its `[gate]` alone; None for the defaults.
        locale: language and region; None for those of the `track.toml`, or `en-US`.
        report: where to write the HTML report; None for nowhere.
        transcripts: whether the report may show what people said.

    Raises:
        Mistake: a file is not what it should be, or the report cannot be written.
    """
    policy, its_locale = read_policy(policy_file) if policy_file else (GatePolicy(), None)
    language = locale or its_locale or _LOCALE
    comparison = read_comparison(files, language)
    verdict = decide(comparison, policy)
    if report:
        decision = _decision(files, verdict, Track(name=_TRACK, locale=language, gate=policy), comparison)
        words = read_vocabulary(files.training, language) if files.training else None
        _write(report, html_report(decision, comparison, vocabulary=words, transcripts=transcripts))
    return Judged(
        outcome=verdict.outcome.value,
        reasons=verdict.reasons,
        benchmark_wer=verdict.benchmark_wer,
        candidate_wer=verdict.candidate_wer,
        words=verdict.words,
        leaks=comparison.leaks and comparison.leaks.outcome,
        locale=language,
        report=str(report) if report else None,
        verdict=verdict,
    )


def write_leaks(found: LeakReport, testing: Path, report: Path) -> None:
    """Write the page of what was found.

    Raises:
        Mistake: it cannot be written.
    """
    _write(report, leak_page(found, _TRACK, str(testing)))


def _decision(files: Files, verdict: Verdict, track: Track, comparison: Comparison) -> Decision:
    """The verdict as a flow would tell it, without anything that only a service or a store has."""
    references = (f"{one.id}\t{one.reference}" for one in comparison.candidate.scorecard.utterances)
    subject = Subject(
        track=track,
        revision=f"{files.reference}",
        base=_model(files.base or files.benchmark),
        benchmark=_model(files.benchmark),
        candidate=_model(files.candidate),
        testing_hash=fingerprint(*sorted(references)),
        testing="",
        sheet="",
        recipe="",
    )
    return Decision(digest="", ruling=Ruling(subject=subject, verdict=verdict, measurement=""))


def _model(file: Path) -> ModelRef:
    return ModelRef(path="plain file", name=str(file))


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise Mistake(f"{path}: the report cannot be written ({error.strerror}). Correct the path.") from None
