"""What people see of a pull request's run: statuses, one comment, and the same as an artifact of the run."""

from urllib.parse import urlsplit

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.utilities.urls import url_for

from domain.pull_report import MARKER, PullReport, comment_with, data_markdown, model_markdown
from domain.report import verdict_page
from domain.ruling import Decision
from tasks.blocks import load_store
from tasks.code_hosts import PullRequest, Status
from tasks.orchestrator import displayed
from tasks.pull_data import load_git
from tasks.retrying import FRESH, REMOTE
from tasks.vault import read_comparison

DATA, MODEL = "speechops/data", "speechops/model"
"""Names of the statuses."""


_MOST_LOGGED = 500
"""Problems in a run's log; the report has more, the comment fewer."""


@task(name="set-status", description="Tell the code host how far we are.", **REMOTE)
async def set_status(source: str, pull: PullRequest, name: str, status: Status, text: str) -> None:
    """Set one status of the pull request's commit; nothing without a token."""
    block = await load_git(source)
    host = block.code_host()
    if host is not None and block.has_token:
        await host.status(pull.number, pull.head, name, status, text, _link())


@task(name="report-pull-request", description="The report, as an artifact and as our one comment.", **REMOTE)
async def publish_report(source: str, report: PullReport, *, tried: bool = False) -> None:
    """Publish what was found out about the data or, when models were `tried`, about these.

    Without a token the log and the artifact have it.
    """
    data, model = data_markdown(report, link=_link()), model_markdown(report, link=_link()) if tried else ""
    whole = comment_with("", data=data, model=model)
    await displayed(
        acreate_markdown_artifact, markdown=whole, key=f"pull-request-{report.number}", description=report.summary
    )
    block = await load_git(source)
    host = block.code_host()
    if host is not None and block.has_token:

        def body(old: str) -> str:
            """A verdict leaves the checks as they are: they may be those of a newer commit."""
            tells = old or report.tells_anything
            return comment_with(old, data="" if old and tried else data, model=model) if tells else ""

        await host.comment(report.number, MARKER, body)
    else:
        get_run_logger().info("No token, or no code host that we know: this is not on the pull request.")
    for problem in [problem for track in report.tracks for problem in track.problems][:_MOST_LOGGED]:
        get_run_logger().info("%s", problem)
    get_run_logger().info("%s. %s", report.summary, report.model_summary)


@task(name="describe-verdict", description="What a pull request tells of its temporary model.", **FRESH)
async def describe_verdict(source: str, store: str, decision: Decision) -> str:
    """The verdict in Markdown; with words of the testing data only if both the block and the track allow that."""
    shown = (await load_git(source)).words_in_comments and decision.ruling.subject.track.report.transcripts
    comparison = await read_comparison(await load_store(store), decision.ruling.comparison)
    return verdict_page(decision, comparison, transcripts=shown)


def _link() -> str:
    """Where the run can be seen. An address without encryption is one of this machine or this house, and told to nobody."""
    address = url_for("flow-run", obj_id=flow_run.id) if flow_run.id else None
    return address if address and urlsplit(address).scheme == "https" else ""
