"""Before a model that passed goes live: somebody agrees, when the track asks for it, and the release window is open.

The run that a person started, or a push, asks; never a run within it, for only that one can be suspended. While it is
suspended it has no process and no turn. Resumed, it starts from the top and finds everything that was done.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.flow_runs import asuspend_flow_run
from prefect.states import Completed

from domain.approval import Hold, Request, binding
from domain.mistakes import Mistake
from domain.release_policy import ReleaseSettings
from domain.ruling import Decision
from tasks.approval_forms import form_for
from tasks.approvals import check_approval, open_request, take_answer
from tasks.releases import Order
from tasks.track_pages import publish_track_page
from tasks.windows import plan_release


async def agreed(order: Order, speech: str, store: str) -> Order | Hold:
    """An order for which nothing is in the way, with its approval; one that was begun goes on whatever the hour.

    Raises:
        Mistake: its approval does not fit, or this run cannot wait for one.
    """
    if order.is_known or not is_top_level():
        return order
    decision = Decision(digest=order.digest, ruling=order.ruling)
    settings = order.ruling.subject.track.release
    given = await consent(decision, settings, speech, store, approval=order.approval)
    return given if isinstance(given, Hold) else order.model_copy(update={"approval": given})


async def consent(
    decision: Decision,
    settings: ReleaseSettings,
    speech: str,
    store: str,
    *,
    authors: Sequence[str] = (),
    approval: str = "",
) -> str | Hold:
    """Wait for a person's approval, and see whether the window is open.

    Args:
        decision: what let the model pass.
        settings: of the track as they are now; with those of the verdict, the stricter count.
        speech: name of the Speech Resource block.
        store: name of the store's block.
        authors: of the data; empty when nobody can tell.
        approval: id of one that was given before.

    Returns:
        The approval's id (empty when none is asked for), or why nothing goes live in this run.

    Raises:
        Mistake: the approval does not fit, or this run cannot wait for one.
    """
    ruling, verdict = decision.ruling, decision.digest
    settings = binding(ruling, settings)
    if approval:
        await check_approval(store, ruling, verdict, approval)
    elif settings.approval.required:
        asked = await open_request(store, ruling, verdict, settings.approval, tuple(authors))
        request = await approved(decision, asked, store)
        if not request.approved:
            return held(request)
        approval = request.id
    if not settings.window.is_limited:
        return approval
    return await plan_release(ruling, verdict, approval, settings.window, speech, store) or approval


async def approved(decision: Decision, request: Request, store: str) -> Request:
    """Suspend the run until somebody has decided; an answer that does not count is asked for again."""
    while not request.is_over:
        refuse_without_deployment(request)
        await publish_track_page(store, request.track)
        left = int((request.expires_at - datetime.now(UTC)).total_seconds())
        form = await asuspend_flow_run(
            wait_for_input=await form_for(store, request, decision.ruling),
            timeout=max(left, 1),
            key=f"approval-{request.id}-{request.turn}",
        )
        request = await take_answer(store, request, form.answer)
    return request


def held(request: Request) -> Hold:
    """How the run ends without an approval."""
    if request.status == "rejected":
        return Hold(name="Rejected", message=f"'{request.model.name}' does not go live: {request.outcome}")
    if request.status == "expired":
        return Hold(name="Expired", message=f"nobody approved '{request.model.name}' in time")
    why = "another benchmark, or other testing data, count by now" if request.status == "stale" else request.outcome
    return Hold(name="Stale", message=f"'{request.model.name}' does not go live: {why}. Run training-update again")


def refuse_without_deployment(request: Request) -> None:
    """Only a run of a deployment can be resumed.

    Raises:
        Mistake: this is none.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or run.deployment_id is None:
        flow = context.flow.name if context and context.flow else "training-update"
        track = ((context and context.parameters) or {}).get("track", request.track)
        raise Mistake(
            f"track '{request.track}' asks for an approval, and only a run of a deployment can wait for one. Start it with "
            f"`prefect deployment run {flow}/speechops -p track={track}`; what is done already is found again."
        )


def is_top_level() -> bool:
    """Whether this run is part of no other, so that it has to ask by itself."""
    context = FlowRunContext.get()
    return context is None or context.flow_run is None or context.flow_run.parent_task_run_id is None


def ended(hold: Hold) -> State[None]:
    """The state in which Prefect shows a run that released nothing."""
    return Completed(name=hold.name, message=hold.message)
