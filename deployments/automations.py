"""Automations as code: which events start which flow, and what becomes of runs whose process is gone.

They start flows but never guarantee it (Prefect acts on an event at most once); the receiver's reconciler does.
Measured reasons for the shapes below are told where they matter.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from deployments.alerts import ALERTS, alerts
from deployments.events import DATA_CHANGED, KIND, PULL_REQUEST_CHANGED, SOURCE
from deployments.run_automations import CRASHED_GO_ON, STUCK, TAG, VANISHED, VANISHED_CRASHED, RunsOf, Windows

DATA_UPDATE: Final = "data-update/speechops"
PULL_REQUEST: Final = "pull-request/speechops"

GIT_CHANGED: Final = "speechops: data changed in git"
BLOBS_CHANGED: Final = "speechops: data changed in blobs"
PULL_REQUEST_NAME: Final = "speechops: pull request changed"

NAMES: Final = (
    GIT_CHANGED,
    BLOBS_CHANGED,
    PULL_REQUEST_NAME,
    VANISHED,
    VANISHED_CRASHED,
    STUCK,
    CRASHED_GO_ON,
    *ALERTS,
)
"""All of them, in the order in which they are shown."""


def automations(
    deployments: Mapping[str, UUID], windows: Windows | None = None, block: UUID | None = None
) -> tuple[AutomationCore, ...]:
    """What a server with these deployments should have.

    Args:
        deployments: ids of our deployments by name, such as `data-update/speechops`. One that is missing has no
            automation.
        windows: how long they wait.
        block: id of the notification block; without it nobody is told of anything.
    """
    windows = windows or Windows()
    found: list[AutomationCore] = []
    if starter := deployments.get(DATA_UPDATE):
        found += [_git_changed(starter), _blobs_changed(starter, windows)]
    if starter := deployments.get(PULL_REQUEST):
        found.append(_pull_request_changed(starter))
    if deployments:
        runs = RunsOf(deployments.values())
        found += [runs.vanished(windows), runs.crashed_once_vanished(), runs.stuck(windows), runs.go_on(windows)]
    if deployments and block:
        found += alerts(block, deployments.values())
    return tuple(found)


def _git_changed(deployment: UUID) -> AutomationCore:
    trigger = EventTrigger(match=_sources("git"), expect={DATA_CHANGED}, posture=Posture.Reactive)
    values = {"source": _NAME, "ref": _payload("ref"), "delivery": _payload("delivery")}
    return _automation(GIT_CHANGED, "Each push to a data source starts data-update.", trigger, deployment, values)


def _blobs_changed(deployment: UUID, windows: Windows) -> AutomationCore:
    # The same event begins the window and begins it anew: it fires once, after the last. The event that it then knows
    # need not be the last one, so only the source is taken from it.
    trigger = EventTrigger(
        match=_sources("blob"),
        after={DATA_CHANGED},
        expect={DATA_CHANGED},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        within=windows.settle,
    )
    told = "Once the blobs of a data source have come to rest, data-update is started."
    return _automation(BLOBS_CHANGED, told, trigger, deployment, {"source": _NAME})


def _pull_request_changed(deployment: UUID) -> AutomationCore:
    trigger = EventTrigger(
        match={"prefect.resource.id": f"{SOURCE}.*"}, expect={PULL_REQUEST_CHANGED}, posture=Posture.Reactive
    )
    values = {"source": _NAME} | {key: _payload(key) for key in ("number", "wanted", "head", "delivery")}
    return _automation(
        PULL_REQUEST_NAME, "Each change of a pull request starts pull-request.", trigger, deployment, values
    )


def _automation(
    name: str, description: str, trigger: EventTrigger, deployment: UUID, parameters: dict[str, Any]
) -> AutomationCore:
    action = RunDeployment(deployment_id=deployment, parameters=parameters)
    return AutomationCore(name=name, description=description, tags=[TAG], trigger=trigger, actions=[action])


def _sources(kind: str) -> dict[str, str]:
    return {"prefect.resource.id": f"{SOURCE}.*", KIND: kind}


def _json(expression: str) -> dict[str, Any]:
    """A parameter that keeps its type on every server; left to itself, an older one makes text of a number."""
    template = f"{{{{ {expression} | tojson }}}}"
    return {"__prefect_kind": "json", "value": {"__prefect_kind": "jinja", "template": template}}


def _payload(key: str) -> dict[str, Any]:
    return _json(f"event.payload.{key} | default('')")


_NAME: Final = _json("event.resource['prefect.resource.name']")
