"""Automations that tell people: what the watch found, what waits for their approval, and runs that failed.

They need a notification block, which people make. Any of Prefect's notification blocks will do (Slack, Microsoft Teams, PagerDuty, e-mail, a web hook …); its name decides.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from deployments.run_automations import TAG

BLOCK: Final = "speechops-alerts"
"""What the notification block must be called."""

FINDINGS_TOLD: Final = "speechops: findings are told"
QUESTIONS_TOLD: Final = "speechops: approvals are asked for"
FAILURES_TOLD: Final = "speechops: failed runs are told"
ALERTS: Final = (FINDINGS_TOLD, QUESTIONS_TOLD, FAILURES_TOLD)

_FINDING, _APPROVAL = "speechops.track.finding", "speechops.track.approval"
_NOTIFY: Final = "notify"
_PAGE: Final = 200


async def alerts_block(client: PrefectClient) -> UUID | None:
    """The id of the notification block, whatever its kind; None when nobody has made it."""
    start = 0
    while found := await client.read_block_documents(offset=start, limit=_PAGE, include_secrets=False):
        for one in found:
            if one.name == BLOCK and one.block_schema and _NOTIFY in one.block_schema.capabilities:
                return one.id
        start += len(found)
    return None


def alerts(block: UUID, deployments: Iterable[UUID]) -> list[AutomationCore]:
    """Tell of each finding once, when it is new and more than information; of each question; and of each run that ends badly.

    Args:
        block: id of the notification block.
        deployments: ids of ours. Their subflows have none, and end as their parents do.
    """
    return [_findings(block), _questions(block), _failures(block, deployments)]


def _findings(block: UUID) -> AutomationCore:
    trigger = EventTrigger(
        match={
            "prefect.resource.id": "speechops.track.*",
            "speechops.new": "true",
            "speechops.severity": ["critical", "warning"],
        },
        expect={_FINDING},
        posture=Posture.Reactive,
    )
    body = "{{ event.payload.detail }}\n\nWhat to do: {{ event.payload.what_to_do }}"
    subject = "{{ event.resource['speechops.severity'] }}: {{ event.payload.title }}"
    told = "What a watch finds on a live model is told once, by the notification block."
    return _told(FINDINGS_TOLD, told, trigger, SendNotification(block_document_id=block, subject=subject, body=body))


def _questions(block: UUID) -> AutomationCore:
    trigger = EventTrigger(
        match={"prefect.resource.id": "speechops.track.*", "speechops.decision": "open"},
        expect={_APPROVAL},
        posture=Posture.Reactive,
    )
    track = "{{ event.resource['prefect.resource.name'] }}"
    body = (
        "'{{ event.payload.model }}' has passed and waits until {{ event.payload.expires_at }} for an approval: resume the flow "
        f"run {{{{ event.payload.flow_run }}}} in the Prefect UI, or `speechops approve {track} --as NAME`."
    )
    told = "A model that waits for an approval is told, by the notification block."
    action = SendNotification(block_document_id=block, subject=f"speechops: {track} waits for an approval", body=body)
    return _told(QUESTIONS_TOLD, told, trigger, action)


def _failures(block: UUID, deployments: Iterable[UUID]) -> AutomationCore:
    trigger = EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related={
            "prefect.resource.role": "deployment",
            "prefect.resource.id": sorted(f"prefect.deployment.{one}" for one in deployments),
        },
        expect={f"prefect.flow-run.{name}" for name in ("Failed", "TimedOut", "Invalid")},
        posture=Posture.Reactive,
    )
    run = "{{ event.resource['prefect.resource.name'] }}"
    body = f"The run '{run}' ended {{{{ event.resource['prefect.state-name'] }}}}: {{{{ event.resource['prefect.state-message'] }}}}"
    # No Crashed: that run is begun again. When it is given up it becomes Failed (deployments/run_keeper.py).
    told = "A run that failed, or was given up, is told, by the notification block."
    action = SendNotification(block_document_id=block, subject=f"speechops: the run '{run}' failed", body=body)
    return _told(FAILURES_TOLD, told, trigger, action)


def _told(name: str, description: str, trigger: EventTrigger, action: SendNotification) -> AutomationCore:
    return AutomationCore(name=name, description=description, tags=[TAG], trigger=trigger, actions=[action])
