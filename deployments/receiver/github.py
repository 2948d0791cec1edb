"""GitHub: `push`, `ping`, and what `github_pulls` understands.

Source: GitHub's "Webhook events and payloads" and "Validating webhook deliveries". The signature covers the body alone,
neither the event's name nor the delivery's id, so that a push counts once whatever id it comes with.
"""

from typing import Any
from urllib.parse import parse_qs

from pydantic import ValidationError

from deployments.receiver import github_pulls
from deployments.receiver.deliveries import News, Ping, Push, Source, digest, sender_id, without_credentials
from deployments.receiver.hook import MEGABYTE, Call, Heard, Misunderstood, Payload, misfit, parsed, understood
from deployments.receiver.pull_requests import TRAIN_LABEL
from deployments.receiver.shared_secrets import SharedSecrets

SIGNATURE = "X-Hub-Signature-256"
_FORM = "application/x-www-form-urlencoded"


class _Repository(Payload):
    full_name: str
    clone_url: str
    default_branch: str | None = None
    pushed_at: int | str | None = None


class _Push(Payload):
    ref: str
    before: str
    after: str
    repository: _Repository


class _Ping(Payload):
    hook_id: int


class GitHubHook:
    """`/hooks/github`."""

    source = Source.GITHUB
    most_bytes = 25 * MEGABYTE
    """GitHub sends nothing larger; a push that adds many files comes near."""

    def __init__(self, secrets: SharedSecrets, train_label: str = TRAIN_LABEL) -> None:
        self._secrets = secrets
        self._train_label = train_label

    def admits(self, call: Call) -> bool:
        """Whether it is signed at all."""
        return bool(self._secrets) and bool(call.header(SIGNATURE))

    def verifies(self, call: Call, body: bytes) -> bool:
        """Whether the body is signed with one of our secrets."""
        return self._secrets.signed(body, call.header(SIGNATURE))

    def read(self, call: Call, body: bytes) -> Heard:
        """What a verified request tells.

        Raises:
            Misunderstood: it is no payload of GitHub's.
        """
        event, name = call.header("X-GitHub-Event"), sender_id(call.header("X-GitHub-Delivery"))
        if event not in ("push", "ping", *github_pulls.EVENTS):
            return Heard(ignored=1)
        payload = parsed(_json_of(call, body))
        if event in github_pulls.EVENTS:
            return self._read_pull(event, payload, name)
        subject, content = _push(payload) if event == "push" else _ping(payload)
        keys = [f"id:{name}"] * bool(name) + [content or f"body:{digest(body)}"]
        return Heard([News(name, keys, subject)])

    def _read_pull(self, event: str, payload: Any, name: str) -> Heard:
        if event == "issue_comment":
            news = github_pulls.issue_comment(payload, name)
        else:
            news = github_pulls.pull_request(payload, name, self._train_label)
        return Heard([news]) if news else Heard(ignored=1)


def _json_of(call: Call, body: bytes) -> bytes:
    """GitHub's own default is a form with the JSON in one field."""
    if not call.header("Content-Type").startswith(_FORM):
        return body
    try:
        return parse_qs(body, max_num_fields=1, strict_parsing=True)[b"payload"][0]
    except (ValueError, KeyError):
        raise Misunderstood("the form has no field `payload`") from None


def _push(value: Any) -> tuple[Push, str]:
    """The push, and what is the same when two hooks of GitHub tell it (of the repository and of its organisation)."""
    payload = understood(_Push, value)
    repository = payload.repository
    try:
        push = Push(
            repository=repository.full_name,
            address=without_credentials(repository.clone_url),
            ref=payload.ref,
            before=payload.before,
            after=payload.after,
            default_branch=repository.default_branch,
        )
    except ValidationError as error:
        raise misfit(error) from None
    pushed_at = repository.pushed_at
    return push, f"push:{push.address} {push.ref} {push.before} {push.after} {pushed_at}" if pushed_at else ""


def _ping(value: Any) -> tuple[Ping, str]:
    return Ping(about=f"hook {understood(_Ping, value).hook_id}"), ""
