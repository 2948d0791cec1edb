"""The form in which a person approves a release, in the Prefect UI or by its API, and the question above it."""

from collections.abc import Iterator

from prefect.input import RunInput
from pydantic import Field

from domain.approval import Answer, Request
from domain.report import escaped, percent
from domain.ruling import Ruling
from tasks.blocks import reports_url
from tasks.pages import PAGE


class ApprovalForm(RunInput):
    """What Prefect asks for when somebody resumes the run. As it comes, it agrees to nothing."""

    approve: bool = Field(default=False, title="The model may go live")
    approver: str = Field(default="", max_length=200, title="Your name or mail address")
    reason: str = Field(default="", max_length=1000, title="Why")

    @property
    def answer(self) -> Answer:
        """What the person says."""
        return Answer.of(self.approve, self.approver, self.reason)


async def form_for(store: str, request: Request, ruling: Ruling) -> type[ApprovalForm]:
    """The form with its question."""
    served = await reports_url(store)
    page = f"evidence/{request.verdict}/{PAGE}"
    report = f"[report]({served}/{request.verdict}/{PAGE})" if served else f"`{page}` in the store"
    return ApprovalForm.with_initial_data(description="\n\n".join(_question(request, ruling, report)))


def _question(request: Request, ruling: Ruling, report: str) -> Iterator[str]:
    verdict = ruling.verdict
    if request.refusal:
        yield f"**The last answer did not count:** {escaped(request.refusal)}."
    yield f"May **{escaped(request.model.name)}** go live on track **{escaped(request.track)}**?"
    yield (
        f"{verdict.outcome.value}: WER {percent(request.benchmark_wer)} → {percent(request.candidate_wer)} on "
        f"{verdict.words:,} words. {escaped(verdict.summary)}"
    )
    authors, approvers = map(escaped, (", ".join(request.authors), ", ".join(request.settings.approvers)))
    known = f"The data were changed by {authors}" if authors else "Nobody can tell who changed the data"
    may = f"{approvers} may approve" if approvers else "anybody may approve"
    but = "" if request.settings.allow_author else ", but not the author of the data" if authors else ""
    unchecked = "" if authors or request.settings.allow_author else " Please do not approve your own change."
    yield f"{known}, revision {escaped(request.revision)}; {may}{but}.{unchecked}"
    yield f"Details: {report}. Until {request.expires_at:%Y-%m-%d %H:%M} UTC; request `{request.id}`."
