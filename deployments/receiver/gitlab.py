"""GitLab: pushes to branches and tags, and merge requests.

Source: GitLab's "Webhooks" and "Webhook events". The secret comes as it is in a header; nothing is signed. A payload has no
time in it: the same push done again, after one that took it back, is the same body. So bodies are compared only where no
key of the sender's tells two pushes apart. `X-Gitlab-Event-UUID` is shared by hooks that set off one another, hence it
counts only together with the body; `Idempotency-Key` (GitLab 17.4 and later) counts alone.
"""

from collections.abc import Sequence
from hmac import HMAC

from pydantic import ValidationError

from deployments.receiver.deliveries import News, Push, Source, sender_id, without_credentials
from deployments.receiver.gitlab_merges import merge_request
from deployments.receiver.hook import MEGABYTE, Body, Call, Heard, Payload, beginning, misfit, parsed, understood
from deployments.receiver.pull_requests import TRAIN_LABEL
from deployments.receiver.shared_secrets import SharedSecrets

TOKEN = "X-Gitlab-Token"  # noqa: S105  # a header's name


class _Event(Payload):
    object_kind: str


class _Project(Payload):
    path_with_namespace: str
    git_http_url: str
    default_branch: str | None = None


class _Push(Payload):
    ref: str
    before: str
    after: str
    project: _Project


class GitLabHook:
    """`/hooks/gitlab`."""

    source = Source.GITLAB
    most_bytes = 25 * MEGABYTE
    most_kept = MEGABYTE
    """A push tells what we need before its list of files."""

    def __init__(self, secrets: SharedSecrets, train_label: str = TRAIN_LABEL) -> None:
        self._secrets = secrets
        self._train_label = train_label

    def admits(self, call: Call) -> bool:
        """Whether the token is one of our secrets."""
        return self._secrets.include(call.raw_header(TOKEN))

    def signing(self) -> Sequence[HMAC]:
        """Nothing is signed."""
        return ()

    def verifies(self, call: Call, body: Body) -> bool:
        """The same: the body is not signed."""
        return self.admits(call)

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells.

        Raises:
            Misunderstood: it is no payload of GitLab's.
        """
        payload = parsed(body.start) if body.is_whole else beginning(body.start)
        kind = understood(_Event, payload).object_kind
        retried, event = sender_id(call.header("Idempotency-Key")), sender_id(call.header("X-Gitlab-Event-UUID"))
        if kind == "merge_request" and body.is_whole:
            news = merge_request(payload, retried, self._train_label)
            return Heard([news]) if news else Heard(ignored=1)
        if kind not in ("push", "tag_push"):
            return Heard(ignored=1)
        subject = _push(understood(_Push, payload))
        key = f"key:{retried}" if retried else f"event:{event}:{body.sha256}"
        return Heard([News(event or retried, [key], subject)])


def _push(payload: _Push) -> Push:
    project = payload.project
    try:
        return Push(
            repository=project.path_with_namespace,
            address=without_credentials(project.git_http_url),
            ref=payload.ref,
            before=payload.before,
            after=payload.after,
            default_branch=project.default_branch,
        )
    except ValidationError as error:
        raise misfit(error) from None
