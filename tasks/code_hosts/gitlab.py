"""GitLab. Source: GitLab's REST API, version 4: merge requests, commits (post the build status), notes."""

from dataclasses import dataclass
from typing import Any

from tasks.code_hosts.calls import Calls, HostRefused
from tasks.code_hosts.host import Body, PullRequest, Status

_WORDS = {Status.PENDING: "running", Status.SUCCESS: "success", Status.FAILURE: "failed"}
_LONGEST_TEXT = 255
_SAME_AGAIN = "Cannot transition status"
"""What GitLab says, with a 400, to a status that is set already."""


@dataclass(frozen=True, slots=True)
class GitLab:
    """One project; `project` is its path, each slash written as `%2F`."""

    calls: Calls
    project: str

    def head_ref(self, number: int) -> str:
        """See `CodeHost`."""
        return f"refs/merge-requests/{number}/head"

    async def pull_request(self, number: int) -> PullRequest:
        """See `CodeHost`."""
        found = await self.calls.patiently(lambda: self.calls.get(self._path(number)))
        base = (found.get("diff_refs") or {}).get("start_sha") or ""
        labels = frozenset(map(str, found.get("labels", ())))
        fork = found.get("source_project_id") != found["target_project_id"]
        return PullRequest(number, found["sha"], base, labels, from_fork=fork)

    async def status(self, number: int, commit: str, name: str, status: Status, text: str, link: str = "") -> None:
        """See `CodeHost`."""
        new = {"state": _WORDS[status], "name": name, "description": text[:_LONGEST_TEXT]}
        path = f"projects/{self.project}/statuses/{commit}"
        try:
            await self.calls.patiently(
                lambda: self.calls.send("POST", path, json=new | ({"target_url": link} if link else {}))
            )
        except HostRefused as error:
            if error.status != 400 or _SAME_AGAIN not in error.text:
                raise

    async def comment(self, number: int, marker: str, body: Body) -> None:
        """See `CodeHost`."""
        await self.calls.patiently(lambda: self._comment(number, marker, body))

    async def _comment(self, number: int, marker: str, body: Body) -> None:
        path, ours = f"{self._path(number)}/notes", (await self.calls.get("user"))["id"]
        async for one in self.calls.pages(path):
            if str(one.get("body") or "").startswith(marker) and _author(one) == ours:
                await self.calls.send("PUT", f"{path}/{one['id']}", json={"body": body(one["body"])})
                return
        if text := body(""):
            await self.calls.send("POST", path, json={"body": text})

    def _path(self, number: int) -> str:
        return f"projects/{self.project}/merge_requests/{number}"


def _author(note: Any) -> Any:
    return (note.get("author") or {}).get("id")
