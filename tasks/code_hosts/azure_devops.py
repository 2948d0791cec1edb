"""Azure DevOps. Source: Azure DevOps' REST API, version 7.1: Git pull requests, their statuses, their threads."""

from dataclasses import dataclass
from typing import Any

from tasks.code_hosts.calls import Calls
from tasks.code_hosts.host import Body, PullRequest, Status

_WORDS = {Status.PENDING: "pending", Status.SUCCESS: "succeeded", Status.FAILURE: "failed"}
_VERSION = {"api-version": "7.1"}
_PREVIEW = {"api-version": "7.1-preview"}
_LONGEST_TEXT = 255
_CLOSED = 4
"""Of a thread: it asks nobody to do anything."""


@dataclass(frozen=True, slots=True)
class AzureDevOps:
    """One repository; the calls' base is `https://dev.azure.com/{organisation}/{project}`."""

    calls: Calls
    repository: str

    def head_ref(self, number: int) -> str:
        """See `CodeHost`. Azure keeps only the trial merge, whose second parent is the head."""
        return f"refs/pull/{number}/merge"

    async def pull_request(self, number: int) -> PullRequest:
        """See `CodeHost`."""
        found = await self.calls.patiently(lambda: self.calls.get(self._path(number), _VERSION))
        labels = frozenset(label["name"] for label in found.get("labels") or ())
        head, base = (found[f"lastMerge{side}Commit"]["commitId"] for side in ("Source", "Target"))
        return PullRequest(number, head, base, labels, from_fork=bool(found.get("forkSource")))

    async def status(self, number: int, commit: str, name: str, status: Status, text: str, link: str = "") -> None:
        """See `CodeHost`. The newest status of a name counts; a push makes those of older commits void."""
        genre, _, short = name.rpartition("/")
        new = {
            "state": _WORDS[status],
            "description": text[:_LONGEST_TEXT],
            "context": {"genre": genre, "name": short},
            "iterationId": await self._iteration(number, commit),
        }
        path = f"{self._path(number)}/statuses"
        await self.calls.patiently(
            lambda: self.calls.send("POST", path, json=new | ({"targetUrl": link} if link else {}), params=_PREVIEW)
        )

    async def comment(self, number: int, marker: str, body: Body) -> None:
        """See `CodeHost`."""
        await self.calls.patiently(lambda: self._comment(number, marker, body))

    async def _comment(self, number: int, marker: str, body: Body) -> None:
        path, ours = f"{self._path(number)}/threads", await self._identity()
        for thread in (await self.calls.get(path, _VERSION))["value"]:
            for one in (thread.get("comments") or ())[:1]:
                if str(one.get("content") or "").startswith(marker) and _author(one) == ours:
                    place = f"{path}/{thread['id']}/comments/{one['id']}"
                    await self.calls.send("PATCH", place, json={"content": body(one["content"])}, params=_VERSION)
                    return
        if text := body(""):
            new = {"comments": [{"parentCommentId": 0, "content": text, "commentType": 1}], "status": _CLOSED}
            await self.calls.send("POST", path, json=new, params=_VERSION)

    async def _identity(self) -> Any:
        """Who we are. The organisation tells it, not the project."""
        above = Calls(self.calls.api.rpartition("/")[0], self.calls.headers, self.calls.transport, self.calls.sleep)
        return (await above.get("_apis/connectionData"))["authenticatedUser"]["id"]

    async def _iteration(self, number: int, commit: str) -> int:
        """Which push of the pull request brought a commit: the status belongs to that one."""
        found = await self.calls.patiently(lambda: self.calls.get(f"{self._path(number)}/iterations", _VERSION))
        pushes = [one["id"] for one in found["value"] if one["sourceRefCommit"]["commitId"] == commit]
        return int(pushes[-1]) if pushes else int(found["value"][-1]["id"])

    def _path(self, number: int) -> str:
        return f"_apis/git/repositories/{self.repository}/pullRequests/{number}"


def _author(comment: Any) -> Any:
    return (comment.get("author") or {}).get("id")
