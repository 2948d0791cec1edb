"""GitHub and GitHub Enterprise Server. Source: GitHub's REST API, version 2022-11-28.

Statuses: `POST /repos/{owner}/{repo}/statuses/{sha}`. Comments: those of the issue with the pull request's number.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tasks.code_hosts.calls import Calls, HostRefused
from tasks.code_hosts.github_releases import CodeRelease, publish
from tasks.code_hosts.host import Body, PullRequest, Status

_LONGEST_TEXT = 140


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository; `repository` is `owner/name`."""

    calls: Calls
    repository: str

    def head_ref(self, number: int) -> str:
        """See `CodeHost`."""
        return f"refs/pull/{number}/head"

    async def pull_request(self, number: int) -> PullRequest:
        """See `CodeHost`."""
        found = await self.calls.patiently(lambda: self.calls.get(f"repos/{self.repository}/pulls/{number}"))
        head, base = found["head"], found["base"]
        theirs, ours = (head.get("repo") or {}).get("id"), base["repo"]["id"]
        labels = frozenset(label["name"] for label in found.get("labels", ()))
        return PullRequest(number, head["sha"], base["sha"], labels, from_fork=theirs != ours)

    async def status(self, number: int, commit: str, name: str, status: Status, text: str, link: str = "") -> None:
        """See `CodeHost`. The newest status of a name counts, so that one more does no harm."""
        new = {"state": status.value, "context": name, "description": text[:_LONGEST_TEXT]}
        path = f"repos/{self.repository}/statuses/{commit}"
        await self.calls.patiently(
            lambda: self.calls.send("POST", path, json=new | ({"target_url": link} if link else {}))
        )

    async def comment(self, number: int, marker: str, body: Body) -> None:
        """See `CodeHost`."""
        await self.calls.patiently(lambda: self._comment(number, marker, body))

    async def publish_release(self, release: CodeRelease) -> str:
        """Make a GitHub release with its one file; the address at which people see it. Doing it again changes nothing.

        Raises:
            HostBusy: GitHub did not answer in time.
            Mistake: GitHub refuses it.
        """
        return await self.calls.patiently(lambda: publish(self.calls, self.repository, release))

    async def _comment(self, number: int, marker: str, body: Body) -> None:
        path, login = f"repos/{self.repository}/issues", await self._login()
        async for one in self.calls.pages(f"{path}/{number}/comments"):
            if str(one.get("body") or "").startswith(marker) and _is_ours(one, login):
                await self.calls.send("PATCH", f"{path}/comments/{one['id']}", json={"body": body(one["body"])})
                return
        if text := body(""):
            await self.calls.send("POST", f"{path}/{number}/comments", json={"body": text})

    async def _login(self) -> str:
        """Who we are; empty for an app's token, which may not ask."""
        with suppress(HostRefused):
            return str((await self.calls.get("user"))["login"])
        return ""


def _is_ours(comment: Any, login: str) -> bool:
    author = comment.get("user") or {}
    return bool(author.get("login") == login) if login else bool(author.get("type") == "Bot")
