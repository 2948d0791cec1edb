"""A stand-in for the part of Prefect's API that the dispatcher uses: one id is one event, one key is one run."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prefect.client.orchestration import PrefectClient

DEPLOYMENT = str(uuid4())
FLOW = str(uuid4())


class FakePrefect:
    """Counts effects.

    Attributes:
        deployed: whether it has the deployment.
        is_away: answers nothing but 401, which Prefect's client does not try again.
        is_blind: finds no run.
        automates: whether an automation starts a run for an event.
        ends_as: the state that a run is in when it is looked at next; empty for the one that it has.
        refuses: whether it does not take the start of a run.
        loses: whether the answer to the start of a run is lost, after it was started.
        on_event, on_start: are told of each event and start, as they come in.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._now = lambda: clock().isoformat()
        self.deployed = True
        self.is_away = False
        self.is_blind = False
        self.automates: Callable[[dict[str, Any]], bool] = lambda _: False
        self.ends_as: Callable[[dict[str, Any]], str] = lambda _: ""
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False
        self.loses: Callable[[str], bool] = lambda _: False
        self.on_event: Callable[[dict[str, Any]], None] = lambda _: None
        self.on_start: Callable[[dict[str, Any]], None] = lambda _: None
        self.events: dict[str, dict[str, Any]] = {}
        self.runs: list[dict[str, Any]] = []
        self.by_delivery: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.requests: list[str] = []
        self._keys: dict[str, dict[str, Any]] = {}

    def run(self, source: str, delivery: str = "", state: str = "SCHEDULED", **fields: Any) -> dict[str, Any]:
        """A run of data-update that is there, as if an automation or a person had started it."""
        tags = [f"source:{source}", *([f"delivery:{delivery}"] if delivery else [])]
        parameters = {"source": source, "delivery": delivery}
        run = _flow_run(parameters, tags, self._now()) | fields
        _move(run, state, self._now())
        self._keep(run)
        return run

    def _keep(self, run: dict[str, Any]) -> None:
        self.runs.append(run)
        self.by_delivery[run["parameters"]["delivery"]].append(run)

    def completed(self) -> Iterator[dict[str, Any]]:
        """The runs that had their effect."""
        return (run for run in self.runs if run["state_type"] == "COMPLETED")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    @property
    def app(self) -> FastAPI:
        """Its API, below `/api`."""
        if not hasattr(self, "_app"):
            self._app = self._made()
        return self._app

    def _made(self) -> FastAPI:
        app = FastAPI()

        @app.middleware("http")
        async def note(request: Request, go_on: Any) -> Response:
            self.requests.append(f"{request.method} {request.url.path.removeprefix('/api')}")
            return Response(status_code=401) if self.is_away else await go_on(request)

        @app.get("/api/csrf-token")
        async def no_csrf() -> Response:
            return Response(status_code=404)

        @app.post("/api/events")
        async def take_events(request: Request) -> Response:
            for event in await request.json():
                self.on_event(event)
                if event["id"] not in self.events and self.automates(event):
                    source = event["resource"]["prefect.resource.name"]
                    self.run(source, event["payload"]["delivery"])
                self.events[event["id"]] = event
            return Response(status_code=204)

        @app.get("/api/deployments/name/{flow}/speechops")
        async def deployment(flow: str) -> Response:
            if not self.deployed:
                return JSONResponse({"detail": "not found"}, 404)
            return JSONResponse({"id": DEPLOYMENT, "name": "speechops", "flow_id": FLOW})

        @app.post(f"/api/deployments/{DEPLOYMENT}/create_flow_run")
        async def start(request: Request) -> Response:
            if not self.deployed:
                return JSONResponse({"detail": "not found"}, 404)
            asked = await request.json()
            return Response(status_code=409) if self.refuses(asked) else self._started(asked)

        @app.post("/api/flow_runs/filter")
        async def find(request: Request) -> Response:
            asked = await request.json()
            found = [run for run in self.runs if not self.is_blind and _fits(run, asked["flow_runs"])]
            for run in found:
                _move(run, self.ends_as(run), self._now())
            return JSONResponse(found[asked["offset"] :][: asked["limit"]])

        return app

    def _started(self, asked: dict[str, Any]) -> Response:
        self.on_start(asked)
        key = asked.get("idempotency_key") or str(uuid4())
        if key in self._keys:
            return JSONResponse(self._keys[key])
        self._keys[key] = _flow_run(asked["parameters"], asked["tags"], self._now())
        self._keep(self._keys[key])
        if self.loses(key):
            return Response(status_code=503, headers={"Retry-After": "0"})
        return JSONResponse(self._keys[key], 201)


def client_of(prefect: FakePrefect) -> PrefectClient:
    """Prefect's own client, connected to it."""
    return PrefectClient("http://prefect/api", httpx_settings={"transport": httpx.ASGITransport(prefect)})


def _flow_run(parameters: dict[str, Any], tags: list[str], now: str) -> dict[str, Any]:
    state = {"state_type": "SCHEDULED", "state_name": "Scheduled", "start_time": None, "end_time": None}
    names = {"id": str(uuid4()), "flow_id": FLOW, "deployment_id": DEPLOYMENT, "name": "run"}
    return {**names, **state, "parameters": parameters, "tags": tags, "expected_start_time": now}


def _move(run: dict[str, Any], state: str, now: str) -> None:
    if not state or state == run["state_type"]:
        return
    run |= {"state_type": state, "state_name": state.capitalize()}
    if state != "SCHEDULED":
        run["start_time"] = run["start_time"] or now
    if state in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
        run["end_time"] = run["end_time"] or now


def _fits(run: dict[str, Any], asked: dict[str, Any]) -> bool:
    tags, state, after = asked.get("tags"), asked.get("state"), asked.get("expected_start_time")
    if tags and not set(tags["any_"]) & set(run["tags"]):
        return False
    if state and run["state_type"] not in state["type"]["any_"]:
        return False
    return not after or datetime.fromisoformat(run["expected_start_time"]) >= datetime.fromisoformat(after["after_"])
