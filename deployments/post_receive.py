"""`speechops post-receive`: for a bare repository without a git server around it, what a GitHub web hook is.

It reads what git gives to a post-receive hook, and posts one signed `push` payload for each ref that moved, in GitHub's form.
Source: git's githooks(5); GitHub's "Validating webhook deliveries".
"""

import hashlib
import hmac
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from deployments.receiver.deliveries import Push
from domain.mistakes import Mistake
from tasks.repository import open_repository

_PATIENCE_SECONDS = 20
"""Who pushes waits for the hook."""


class _NotNow(Exception):
    """The receiver could not take it just now."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells a receiver of the pushes to one repository.

    Attributes:
        receiver: the receiver's address, such as http://127.0.0.1:4290.
        secret: what it knows as a secret of GitHub's.
        name: what the repository is called, such as `team/data`.
        address: where it can be cloned from.
    """

    receiver: str
    secret: SecretStr
    name: str
    address: str

    def tell(self, push: Push) -> None:
        """Post one push.

        Raises:
            Mistake: the receiver refused it, or could not be reached within 20 seconds.
        """
        body = json.dumps(self._payload(push)).encode()
        digest = hmac.new(self.secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        try:
            answer = _post(f"{self.receiver.rstrip('/')}/hooks/github", body, headers)
        except _NotNow as error:
            raise Mistake(
                f"the receiver {self.receiver} did not take the push of {push.ref} ({error}). Start it, or run "
                "data-update for this source: it looks at the repository itself."
            ) from None
        if answer.is_error:
            raise Mistake(f"the receiver {self.receiver} refused the push of {push.ref}: {_detail(answer)}.")

    def _payload(self, push: Push) -> dict[str, object]:
        repository = {
            "full_name": self.name,
            "clone_url": self.address,
            "default_branch": push.default_branch,
            "pushed_at": datetime.now(UTC).isoformat(),
        }
        return {"ref": push.ref, "before": push.before, "after": push.after, "repository": repository}


def pushes_from(lines: Iterable[str], folder: Path, name: str = "", address: str = "") -> Iterator[Push]:
    """What git tells a post-receive hook on its standard input: old id, new id and ref of everything that moved.

    Args:
        lines: the standard input.
        folder: the repository; git starts the hook there.
        name: what to call it; the folder's name by default.
        address: where it can be cloned from; the folder by default.

    Raises:
        Mistake: this is no such input, or the folder is no repository.
    """
    top = open_repository(folder).folder.resolve()
    for line in lines:
        try:
            before, after, ref = line.rstrip("\n").split(" ", 2)
            yield Push(
                repository=name or top.name, address=address or top.as_uri(), ref=ref, before=before, after=after
            )
        except ValueError:
            raise Mistake(
                "this is not what git tells a post-receive hook: call this from hooks/post-receive."
            ) from None


def secret_from_environment() -> SecretStr:
    """The first secret in SPEECHOPS_GITHUB_SECRET: the newest, when there are several.

    Raises:
        Mistake: there is none.
    """
    for secret in os.environ.get("SPEECHOPS_GITHUB_SECRET", "").replace("\n", ",").split(","):
        if secret.strip():
            return SecretStr(secret.strip())
    raise Mistake("SPEECHOPS_GITHUB_SECRET is not set. Give the hook the secret that the receiver has.")


@retry(
    retry=retry_if_exception_type(_NotNow),
    stop=stop_after_delay(_PATIENCE_SECONDS),
    wait=wait_exponential(multiplier=0.2, max=3),
    reraise=True,
)
def _post(url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=10)
    except httpx.TransportError as error:
        raise _NotNow(type(error).__name__) from None
    except httpx.InvalidURL as error:
        raise Mistake(f"{url} is no address ({error}). Correct --receiver.") from None
    if answer.status_code in (429, 502, 503, 504):
        raise _NotNow(f"HTTP {answer.status_code}")
    return answer


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
