"""Code hosts for tests: what we need of their APIs, after their documentation, in memory or behind a real socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "canary-token-0123456789"
HEAD, BASE = "a" * 40, "b" * 40
OURS = {"login": "speechops", "id": 7, "type": "User"}
THEIRS = {"login": "mallory", "id": 8, "type": "User"}

Answer = tuple[int, dict[str, str], Any]


class FakeHost:
    """Answers by its routes; `broken` answers come first, one for each request that fits."""

    def __init__(self) -> None:
        self.head, self.base, self.fork = HEAD, BASE, False
        self.labels: list[str] = []
        self.comments: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.broken: list[tuple[str, Answer]] = []
        self.lost: list[str] = []
        """Methods whose next answer is lost after the effect."""
        self.me: Answer = (200, {}, OURS)
        self.authorization = ""

    def answer(self, method: str, target: str, body: Any, authorization: str) -> Answer:
        """What the host says to a request; a path without its query is looked at."""
        self.authorization = authorization
        self.seen.append((method, target))
        for at, (wanted, broken) in enumerate(self.broken):
            if wanted == method:
                del self.broken[at]
                return broken
        answer = self._route(method, urlsplit(target).path, parse_qs(urlsplit(target).query), body or {})
        if method in self.lost:
            self.lost.remove(method)
            return 502, {}, None
        return answer

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        raise NotImplementedError

    def _page(self, query: dict[str, list[str]]) -> Answer:
        size, page = int(query["per_page"][0]), int(query["page"][0])
        return 200, {}, self.comments[size * (page - 1) : size * page]

    def _new(self, text: str, author: dict[str, Any]) -> dict[str, Any]:
        one = {"id": 100 + len(self.comments), "body": text, "user": author, "author": author}
        self.comments.append(one)
        return one

    def _change(self, path: str, text: str) -> Answer:
        one = next(one for one in self.comments if str(one["id"]) == path.rpartition("/")[2])
        one["body"] = text
        return 200, {}, one

    def write(self, text: str, author: dict[str, Any]) -> None:
        """Somebody writes a comment."""
        self._new(text, author)


class FakeGitHub(FakeHost):
    """The repository `acme/speech`."""

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        match method, path.removeprefix("/api/v3").strip("/").split("/"):
            case "GET", ["user"]:
                return self.me
            case "GET", ["repos", "acme", "speech", "pulls", _]:
                return 200, {}, self._pull()
            case "POST", ["repos", "acme", "speech", "statuses", sha]:
                self.statuses.append({"sha": sha, **body})
                return 201, {}, {}
            case "GET", ["repos", "acme", "speech", "issues", _, "comments"]:
                return self._page(query)
            case "POST", ["repos", "acme", "speech", "issues", _, "comments"]:
                return 201, {}, self._new(body["body"], OURS)
            case "PATCH", ["repos", "acme", "speech", "issues", "comments", _]:
                return self._change(path, body["body"])
        return 404, {}, {"message": "Not Found"}

    def _pull(self) -> dict[str, Any]:
        return {
            "number": 7,
            "labels": [{"name": label} for label in self.labels],
            "head": {"sha": self.head, "repo": {"id": 2 if self.fork else 1}},
            "base": {"sha": self.base, "repo": {"id": 1}},
        }


class FakeGitHubReleases(FakeHost):
    """GitHub's releases of the repository `acme/speech`. It gives `uploads` as the place where files are sent to."""

    def __init__(self, uploads: str = "https://uploads.github.com") -> None:
        super().__init__()
        self.uploads, self.commit = uploads, HEAD
        self.releases: list[dict[str, Any]] = []
        self.torn: list[str] = []
        """Parts of the next requests whose answers are lost after the effect."""

    def answer(self, method: str, target: str, body: Any, authorization: str) -> Answer:
        """See `FakeHost`."""
        answer = super().answer(method, target, body, authorization)
        if part := next((part for part in self.torn if part in f"{method} {target}"), None):
            self.torn.remove(part)
            return 502, {}, None
        return answer

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        match method, path.removeprefix("/api/v3").strip("/").split("/")[3:]:
            case "GET", ["releases", "tags", tag]:
                found = [one for one in self.releases if one["tag_name"] == tag]
                return (200, {}, found[0]) if found else (404, {}, {})
            case "GET", ["commits", short] if HEAD.startswith(short):
                return 200, {}, {"sha": self.commit}
            case "POST", ["releases"]:
                upload = f"{self.uploads}/repos/acme/speech/releases/{len(self.releases)}/assets{{?name,label}}"
                new = {**body, "upload_url": upload, "html_url": "https://github.com/acme/speech/x", "assets": []}
                self.releases.append(new)
                return 201, {}, new
            case "POST", ["releases", number, "assets"]:
                file = {"id": 9, "name": query["name"][0], "label": query["label"][0], "state": "uploaded", "got": body}
                self.releases[int(number)]["assets"].append(file)
                return 201, {}, file
            case "DELETE", ["releases", "assets", "9"]:
                self.releases[0]["assets"].clear()
                return 204, {}, None
        return 404, {}, {}


class FakeGitLab(FakeHost):
    """The project `acme/voice/speech`."""

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        match method, path.strip("/").split("/"):
            case "GET", ["api", "v4", "user"]:
                return self.me
            case "POST", ["api", "v4", "projects", "acme%2Fvoice%2Fspeech", "statuses", sha]:
                if any((one["sha"], one["state"]) == (sha, body["state"]) for one in self.statuses):
                    said = 'Cannot transition status via :run from :running (Reason(s): Status cannot transition via "run")'
                    return 400, {}, {"message": said}
                self.statuses.append({"sha": sha, **body})
                return 201, {}, {}
            case "GET", [*_, "merge_requests", "7"]:
                return 200, {}, {
                    "sha": self.head, "diff_refs": {"start_sha": self.base}, "labels": self.labels,
                    "source_project_id": 2 if self.fork else 1, "target_project_id": 1,
                }  # fmt: skip
            case "GET", [*_, "merge_requests", "7", "notes"]:
                return self._page(query)
            case "POST", [*_, "merge_requests", "7", "notes"]:
                return 201, {}, self._new(body["body"], OURS)
            case "PUT", [*_, "notes", _]:
                return self._change(path, body["body"])
        return 404, {}, {}


class FakeAzureDevOps(FakeHost):
    """The repository `speech` of the project `Voice Models` of the organisation `acme`."""

    _PULL = ("acme", "Voice%20Models", "_apis", "git", "repositories", "speech", "pullRequests", "7")

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Answer:
        words = path.strip("/").split("/")
        if words == ["acme", "_apis", "connectionData"]:
            return 200, {}, {"authenticatedUser": self.me[2]}
        if tuple(words[:8]) != self._PULL:
            return 404, {}, {}
        match method, words[8:]:
            case "GET", []:
                pull = {
                    "lastMergeSourceCommit": {"commitId": self.head},
                    "lastMergeTargetCommit": {"commitId": self.base},
                }
                labels = [{"name": label} for label in self.labels]
                return (
                    200,
                    {},
                    pull | {"labels": labels} | ({"forkSource": {"name": "refs/heads/x"}} if self.fork else {}),
                )
            case "GET", ["iterations"]:
                return 200, {}, {"value": [{"id": 1, "sourceRefCommit": {"commitId": BASE}},
                                           {"id": 2, "sourceRefCommit": {"commitId": self.head}}]}  # fmt: skip
            case "POST", ["statuses"]:
                self.statuses.append(body)
                return 200, {}, {}
            case "GET", ["threads"]:
                return 200, {}, {"value": [{"id": one["id"], "comments": [_as_azure(one)]} for one in self.comments]}
            case "POST", ["threads"]:
                return 200, {}, self._new(body["comments"][0]["content"], OURS)
            case "PATCH", ["threads", thread, "comments", "1"]:
                return self._change(thread, body["content"])
        return 404, {}, {}


def _as_azure(one: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "content": one["body"], "author": one["author"]}


@contextmanager
def listening(host: FakeHost) -> Iterator[str]:
    """The host behind a socket of this machine; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(host.answer)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _handler(answer: Callable[[str, str, Any, str], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = self.headers.get("Authorization", "")
            status, headers, content = answer(self.command, self.path, json.loads(body) if body else None, said)
            sent = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - names of the base class

        def log_message(self, *said: Any) -> None:
            """Say nothing."""

    return Handler
