"""Azure DevOps: `git.pullrequest.created` and `git.pullrequest.updated`. Source: Microsoft's "Service hook events".

Votes and other changes come as updates, too; they tell of a commit that is known already. Comments are not read: the payload
does not tell what their author may do.
"""

from typing import Any

from pydantic import Field

from deployments.receiver.deliveries import News
from deployments.receiver.hook import Payload, understood
from deployments.receiver.pull_requests import pull_news, wanted_by_push

EVENTS = ("git.pullrequest.created", "git.pullrequest.updated")


class _Named(Payload):
    name: str


class _Repository(Payload):
    name: str
    remote_url: str = Field(alias="remoteUrl")
    project: _Named


class _Commit(Payload):
    id: str = Field(alias="commitId")


class _Pull(Payload):
    number: int = Field(alias="pullRequestId")
    status: str = "active"
    head: _Commit = Field(alias="lastMergeSourceCommit")
    repository: _Repository
    labels: list[_Named] | None = None
    fork: dict[str, Any] | None = Field(default=None, alias="forkSource")


class _Event(Payload):
    resource: _Pull


def pull_request(value: Any, name: str, label: str) -> News | None:
    """The news of a push to a pull request; None when it is over.

    Raises:
        Misunderstood: it is no such payload.
    """
    pull = understood(_Event, value).resource
    if pull.status != "active":
        return None
    repository = pull.repository
    labels = [one.name for one in pull.labels or ()]
    wanted = wanted_by_push(labels, label, from_fork=pull.fork is not None)
    place = f"{repository.project.name}/{repository.name}"
    return pull_news(name, place, repository.remote_url, pull.number, pull.head.id, wanted)
