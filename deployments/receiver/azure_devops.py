"""Azure DevOps: the service hooks `git.push`, one delivery per ref that moved, and those of pull requests.

Source: Microsoft's "Service hook events" (Code pushed) and "Webhooks" (basic authentication). The user name may be any.
"""

from collections.abc import Sequence
from hmac import HMAC

from pydantic import Field, ValidationError

from deployments.receiver import azure_devops_pulls
from deployments.receiver.deliveries import News, Push, Source, sender_id, without_credentials
from deployments.receiver.hook import MEGABYTE, Body, Call, Heard, Payload, misfit, parsed, understood
from deployments.receiver.pull_requests import TRAIN_LABEL
from deployments.receiver.shared_secrets import SharedSecrets, basic_password

_HEADS = "refs/heads/"


class _Event(Payload):
    event_type: str = Field(alias="eventType")
    id: str = ""
    subscription_id: str = Field(default="", alias="subscriptionId")
    notification_id: int | None = Field(default=None, alias="notificationId")

    def key(self, body: Body) -> str:
        """What is the same when the same event is sent again, also by another subscription."""
        if named := sender_id(self.id):
            return f"event:{named}"
        if self.subscription_id and self.notification_id is not None:
            return f"notification:{self.subscription_id}/{self.notification_id}"
        return f"body:{body.sha256}"


class _RefUpdate(Payload):
    name: str
    old: str = Field(alias="oldObjectId")
    new: str = Field(alias="newObjectId")


class _Project(Payload):
    name: str


class _Repository(Payload):
    name: str
    remote_url: str = Field(alias="remoteUrl")
    default_branch: str | None = Field(default=None, alias="defaultBranch")
    project: _Project


class _Resource(Payload):
    ref_updates: list[_RefUpdate] = Field(alias="refUpdates", min_length=1)
    repository: _Repository


class _Push(Payload):
    resource: _Resource


class AzureDevOpsHook:
    """`/hooks/azure-devops`."""

    source = Source.AZURE_DEVOPS
    most_bytes = most_kept = 4 * MEGABYTE
    """It lists commits, not files."""

    def __init__(self, secrets: SharedSecrets, train_label: str = TRAIN_LABEL) -> None:
        self._secrets = secrets
        self._train_label = train_label

    def admits(self, call: Call) -> bool:
        """Whether the password is one of our secrets."""
        return self._secrets.include(basic_password(call.header("Authorization")))

    def signing(self) -> Sequence[HMAC]:
        """Nothing is signed."""
        return ()

    def verifies(self, call: Call, body: Body) -> bool:
        """The same: the body is not signed."""
        return self.admits(call)

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells.

        Raises:
            Misunderstood: it is no event of Azure DevOps, or was sent without the resource's details.
        """
        payload = parsed(body.start)
        event = understood(_Event, payload)
        if event.event_type in azure_devops_pulls.EVENTS:
            news = azure_devops_pulls.pull_request(payload, sender_id(event.id), self._train_label)
            return Heard([news]) if news else Heard(ignored=1)
        if event.event_type != "git.push":
            return Heard(ignored=1)
        resource = understood(_Push, payload).resource
        name, key = sender_id(event.id), event.key(body)
        pushes = [_push(resource.repository, update) for update in resource.ref_updates]
        return Heard([News(name, [f"{key}:{push.ref}"], push) for push in pushes])


def _push(repository: _Repository, update: _RefUpdate) -> Push:
    try:
        return Push(
            repository=f"{repository.project.name}/{repository.name}",
            address=without_credentials(repository.remote_url),
            ref=update.name,
            before=update.old,
            after=update.new,
            default_branch=repository.default_branch and repository.default_branch.removeprefix(_HEADS),
        )
    except ValidationError as error:
        raise misfit(error) from None
