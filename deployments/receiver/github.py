"""GitHub: `push`, `ping`, and what `github_pulls` understands.

Source: GitHub's "Webhook events and payloads" and "Validating webhook deliveries". The signature covers the body alone,
neither the event's name nor the delivery's id, so that a push counts once whatever id it comes with.
"""

from collections.abc import Sequence
from hmac import HMAC
from typing import Any
from urllib.parse import unquote_to_bytes

from pydantic import ValidationError

from deployments.receiver import github_pulls
from deployments.receiver.deliveries import News, Ping, Push, Source, sender_id, without_credentials
from deployments.receiver.hook import (
    MEGABYTE,
    Body,
    Call,
    Heard,
    Misunderstood,
    Payload,
    beginning,
    misfit,
    parsed,
    understood,
)
from deployments.receiver.pull_requests import TRAIN_LABEL
from deployments.receiver.shared_secrets import SharedSecrets

SIGNATURE = "X-Hub-Signature-256"
_FORM = "application/x-www-form-urlencoded"
_FIELD = b"payload="


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
    most_kept = MEGABYTE
    """A push tells what we need before its list of files; everything else is smaller."""

    def __init__(self, secrets: SharedSecrets, train_label: str = TRAIN_LABEL) -> None:
        self._secrets = secrets
        self._train_label = train_label

    def admits(self, call: Call) -> bool:
        """Whether it is signed at all."""
        return bool(self._secrets) and bool(call.header(SIGNATURE))

    def signing(self) -> Sequence[HMAC]:
        """One for each secret."""
        return self._secrets.signing()

    def verifies(self, call: Call, body: Body) -> bool:
        """Whether the body is signed with one of our secrets."""
        return self._secrets.signed(body.signatures, call.header(SIGNATURE))

    def read(self, call: Call, body: Body) -> Heard:
        """What a verified request tells.

        Raises:
            Misunderstood: it is no payload of GitHub's.
        """
        event, name = call.header("X-GitHub-Event"), sender_id(call.header("X-GitHub-Delivery"))
        if event not in ("push", "ping", *github_pulls.EVENTS):
            return Heard(ignored=1)
        text = _json_of(call, body)
        payload = parsed(text) if body.is_whole else _beginning_of(event, text)
        if event in github_pulls.EVENTS:
            return self._read_pull(event, payload, name)
        subject, content = _push(payload) if event == "push" else _ping(payload)
        keys = [f"id:{name}"] * bool(name) + [content or f"body:{body.sha256}"]
        return Heard([News(name, keys, subject)])

    def _read_pull(self, event: str, payload: Any, name: str) -> Heard:
        if event == "issue_comment":
            news = github_pulls.issue_comment(payload, name)
        else:
            news = github_pulls.pull_request(payload, name, self._train_label)
        return Heard([news]) if news else Heard(ignored=1)


def _json_of(call: Call, body: Body) -> bytes:
    """GitHub's own default is a form with the JSON in one field."""
    if not call.header("Content-Type").startswith(_FORM):
        return body.start
    if not body.start.startswith(_FIELD) or b"&" in body.start:
        raise Misunderstood("the form has not just the field `payload`")
    text = body.start.removeprefix(_FIELD)
    if not body.is_whole and b"%" in text[-2:]:  # half a character
        text = text[: text.rindex(b"%")]
    return unquote_to_bytes(text.replace(b"+", b" "))


def _beginning_of(event: str, text: bytes) -> dict[str, Any]:
    """In an event of a pull request, what follows may change what was read."""
    if event != "push":
        raise Misunderstood("only a push is understood when it is that large")
    return beginning(text)


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
