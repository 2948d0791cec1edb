"""The emulator's own routes, all under `/_emulator`, and a page for people at `/`."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from emulator.auth import ServiceOf, require_key_unless_local
from emulator.faults import Faults, HttpFault, JobFault
from emulator.service import Service
from emulator.settings import API_VERSION

open_routes = APIRouter()
router = APIRouter(prefix="/_emulator", dependencies=[Depends(require_key_unless_local)])


def faults_of(request: Request) -> Faults:
    """The faults of the application."""
    faults: Faults = request.app.faults
    return faults


FaultsOf = Annotated[Faults, Depends(faults_of)]


@open_routes.get("/_emulator/health")
async def health() -> dict[str, str]:
    """That the service answers."""
    return {"status": "ok", "apiVersion": API_VERSION}


@router.get("/state")
async def state(service: ServiceOf) -> dict[str, Any]:
    """What was really done since the data folder exists, and how many entities there are."""
    return {"counters": _counters(service), "entities": service.store.counts()}


@router.get("/faults")
async def list_faults(faults: FaultsOf) -> list[HttpFault | JobFault]:
    """The faults that are set, with how often each has fired."""
    return faults.all


@router.post("/faults", status_code=201)
async def add_fault(faults: FaultsOf, fault: HttpFault | JobFault) -> HttpFault | JobFault:
    """Set a fault."""
    faults.all.append(fault)
    return fault


@router.delete("/faults", status_code=204)
async def clear_faults(faults: FaultsOf) -> Response:
    """Remove all faults."""
    faults.all.clear()
    return Response(status_code=204)


@open_routes.get("/", response_class=HTMLResponse)
async def index(service: ServiceOf) -> str:
    """A page with the counts."""
    rows = [(noun, ", ".join(f"{n} {s}" for s, n in found.items())) for noun, found in service.store.counts().items()]
    rows += [(name.replace("_", " "), str(count)) for name, count in _counters(service).items()]
    table = "".join(f"<tr><th align=left>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<!doctype html><title>Speech emulator</title><h1>Speech emulator</h1><table>{table}</table>"


def _counters(service: Service) -> dict[str, int]:
    names = ("imports", "trainings", "training_cache_hits", "evaluations", "decodes", "decode_cache_hits")
    return {**dict.fromkeys((*names, "endpoint_updates", "recognitions"), 0), **service.store.counters()}
