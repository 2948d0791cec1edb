"""GitHub: `pull_request` and `issue_comment`. Source: GitHub's "Webhook events and payloads".

Only people with at least the triage role can set a label. `author_association` tells who wrote a comment: the owner, a member
of the organisation, or a collaborator of the repository.
"""

from typing import Any

from deployments.receiver.deliveries import News
from deployments.receiver.hook import Payload, understood
from deployments.receiver.pull_requests import command_of, pull_news, wanted_by_push

EVENTS = ("pull_request", "issue_comment")
_PUSHED = ("opened", "synchronize", "reopened")
_TRUSTED = ("OWNER", "MEMBER", "COLLABORATOR")


class _Repository(Payload):
    id: int
    full_name: str
    clone_url: str


class _Named(Payload):
    name: str


class _HeadRepository(Payload):
    id: int


class _Head(Payload):
    sha: str
    repo: _HeadRepository | None = None


class _Pull(Payload):
    number: int
    head: _Head
    labels: tuple[_Named, ...] = ()


class _PullEvent(Payload):
    action: str
    pull_request: _Pull
    repository: _Repository
    label: _Named | None = None


class _Issue(Payload):
    number: int
    state: str = "open"
    pull_request: dict[str, Any] | None = None


class _Comment(Payload):
    id: int
    body: str | None = None
    author_association: str


class _CommentEvent(Payload):
    action: str
    issue: _Issue
    comment: _Comment
    repository: _Repository


def pull_request(value: Any, name: str, label: str) -> News | None:
    """The news of a push to a pull request, or of the label; None for what concerns nobody here.

    Raises:
        Misunderstood: it is no such payload.
    """
    event = understood(_PullEvent, value)
    pull, repository = event.pull_request, event.repository
    if event.action in _PUSHED:
        fork = pull.head.repo is None or pull.head.repo.id != repository.id
        wanted = wanted_by_push([one.name for one in pull.labels], label, from_fork=fork)
    elif event.action == "labeled" and event.label and event.label.name == label:
        wanted = "model"
    else:
        return None
    return pull_news(name, repository.full_name, repository.clone_url, pull.number, pull.head.sha, wanted)


def issue_comment(value: Any, name: str) -> News | None:
    """The news of a command in a comment of somebody trusted; None for every other comment.

    Raises:
        Misunderstood: it is no such payload.
    """
    event = understood(_CommentEvent, value)
    issue, comment, repository = event.issue, event.comment, event.repository
    command = command_of(comment.body or "")
    trusted = comment.author_association in _TRUSTED
    if event.action != "created" or issue.pull_request is None or issue.state != "open" or not (command and trusted):
        return None
    return pull_news(
        name, repository.full_name, repository.clone_url, issue.number, command.head, command.wanted, str(comment.id)
    )
