"""The page at `/`, for a person who wants to see what the emulator is doing. It reloads itself and runs no script."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, Template

from emulator.auth import Authorization, Key, ServiceOf, require_access_unless_local
from emulator.entities import Noun, Status
from emulator.errors import ServiceError, answer
from emulator.notifications import NotificationsOf
from emulator.state import state_of

SHOWN = 10
SHORT = {"NotStarted": "not started", "Running": "running", "Succeeded": "done", "Failed": "failed"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
LOG_IN = {"WWW-Authenticate": 'Basic realm="Speech emulator: the resource key is the password"'}

router = APIRouter()


@router.get("/")
async def index(
    request: Request,
    service: ServiceOf,
    notifications: NotificationsOf,
    key: Key = None,
    authorization: Authorization = None,
) -> Response:
    """The page; a browser on another machine is asked for the key."""
    try:
        require_access_unless_local(request, service, key, authorization)
    except ServiceError as error:
        refused = answer(error)
        refused.headers.update(LOG_IN)
        return refused
    latest = service.store.latest(SHOWN)
    shown = {"state": state_of(service, notifications), "latest": latest, "statuses": list(Status), "short": SHORT}
    return HTMLResponse(_template().render(now=service.clock(), **shown), headers=HEADERS)


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    environment.filters |= {
        "age": age,
        "fault": describe_fault,
        "singular": lambda noun: Noun(noun).singular,
        "span": span,
        "words": lambda name: name.replace("webhooks", "web hooks").replace("_", " ").capitalize(),
    }
    return environment.get_template("page.html")


def age(since: str, now: datetime) -> str:
    """How long ago a date of the service was."""
    return span((now - datetime.fromisoformat(since)).total_seconds())


def span(seconds: float) -> str:
    """A length of time as people say it.

    >>> span(7), span(-90), span(3 * 3600), span(9 * 86400)
    ('7 s', '-1 min', '3 h', '9 d')
    """
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    unit, size = next(((unit, size) for unit, size in sizes if seconds >= size), ("s", 1))
    return f"{sign}{int(seconds // size)} {unit}"


def describe_fault(fault: dict[str, Any]) -> str:
    """A fault in one line.

    >>> describe_fault({"method": "POST", "path": "/", "kind": "slow", "when": "after", "seconds": 2.0})
    'slow (2 s) after POST /'
    """
    if "job" in fault:
        return f"job {fault['job']} fails: {fault['code']}"
    if "notification" in fault:
        return f"notification {fault['event']}: {fault['notification']}"
    late = f" ({fault['seconds']:g} s)" if fault.get("seconds") else ""
    return f"{fault['kind']}{late} {fault['when']} {fault['method']} {fault['path']}"
