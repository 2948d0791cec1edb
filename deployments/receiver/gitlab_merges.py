"""GitLab: `merge_request`. Source: GitLab's "Webhook events" (merge request events).

Comments are not read: GitLab's payload does not tell what their author may do. Only members with at least the Reporter (or
Planner) role can set a label.
"""

from typing import Any

from pydantic import Field

from deployments.receiver.deliveries import News, Wanted
from deployments.receiver.hook import Payload, understood
from deployments.receiver.pull_requests import pull_news, wanted_by_push


class _Project(Payload):
    path_with_namespace: str
    git_http_url: str


class _Commit(Payload):
    id: str


class _Label(Payload):
    title: str


class _LabelChange(Payload):
    previous: tuple[_Label, ...] = ()
    current: tuple[_Label, ...] = ()

    def adds(self, label: str) -> bool:
        """Whether the label was set just now."""
        return _Label(title=label) in self.current and _Label(title=label) not in self.previous


class _Changes(Payload):
    labels: _LabelChange = _LabelChange()


class _Attributes(Payload):
    iid: int
    action: str = ""
    state: str = "opened"
    oldrev: str | None = None
    source_project_id: int | None = None
    target_project_id: int
    last_commit: _Commit


class _MergeEvent(Payload):
    project: _Project
    attributes: _Attributes = Field(alias="object_attributes")
    labels: tuple[_Label, ...] = ()
    changes: _Changes = _Changes()


def merge_request(value: Any, name: str, label: str) -> News | None:
    """The news of a push to a merge request, or of the label; None for what concerns nobody here.

    Raises:
        Misunderstood: it is no such payload.
    """
    event = understood(_MergeEvent, value)
    merge = event.attributes
    wanted: Wanted = "model"
    pushed = merge.action in ("open", "reopen") or (merge.action == "update" and bool(merge.oldrev))
    if merge.state != "opened":
        return None
    if pushed:
        fork = merge.source_project_id != merge.target_project_id
        wanted = wanted_by_push([one.title for one in event.labels], label, from_fork=fork)
    elif not event.changes.labels.adds(label):
        return None
    project = event.project
    return pull_news(name, project.path_with_namespace, project.git_http_url, merge.iid, merge.last_commit.id, wanted)
