"""The emulator's own routes, all under `/_emulator`: what it knows of itself, and how tests steer it."""

from datetime import timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from emulator.auth import ServiceOf, require_access_unless_local
from emulator.base_models import bring_out
from emulator.errors import invalid
from emulator.faults import Fault, Faults
from emulator.notifications import NotificationsOf
from emulator.settings import API_VERSION, QuotaMode, Speed
from emulator.state import clock_of, list_lag_of, quota_of, state_of

open_routes = APIRouter()
router = APIRouter(prefix="/_emulator", dependencies=[Depends(require_access_unless_local)])


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
async def state(service: ServiceOf, notifications: NotificationsOf) -> dict[str, Any]:
    """Everything that can be shown, for debugging."""
    return state_of(service, notifications)


@router.get("/faults")
async def list_faults(faults: FaultsOf) -> list[Fault]:
    """The faults that are set, with how often each has fired."""
    return faults.all


@router.post("/faults", status_code=201)
async def add_fault(faults: FaultsOf, fault: Fault) -> Fault:
    """Set a fault."""
    faults.all.append(fault)
    return fault


@router.delete("/faults", status_code=204)
async def clear_faults(faults: FaultsOf) -> Response:
    """Remove all faults."""
    faults.all.clear()
    return Response(status_code=204)


class Control(BaseModel):
    """The body of a control; a name that it does not have is refused, for a typo must not make a test pass."""

    model_config = ConfigDict(extra="forbid")


class ClockMove(Control):
    """Move the service's clock: on from where it is, or to an offset from the machine's."""

    advance_seconds: float | None = Field(default=None, allow_inf_nan=False)
    offset_seconds: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.advance_seconds is None) == (self.offset_seconds is None):
            raise ValueError("say either advance_seconds or offset_seconds")
        return self

    def offset_after(self, offset: float) -> float:
        """The new offset in seconds, given the one now."""
        return self.offset_seconds if self.offset_seconds is not None else offset + (self.advance_seconds or 0.0)


class Lag(Control):
    """How long a new entity stays out of lists."""

    seconds: float = Field(ge=0, le=86_400)


class Pace(Control):
    """How quickly jobs go on."""

    speed: Speed


class QuotaChange(Control):
    """Whether the quota is enforced."""

    mode: QuotaMode


class BaseModelRelease(Control):
    """A base model to bring out; the newer its date, the newer it is."""

    name: str = Field(pattern=r"^20[0-9]{6}$")


@router.post("/base-models", status_code=201)
async def bring_out_base_model(service: ServiceOf, release: BaseModelRelease) -> dict[str, str]:
    """Offer a further base model, until the server ends: what Microsoft does a few times a year."""
    try:
        model = bring_out(service.store, release.name)
    except ValueError as error:
        raise invalid("InvalidParameterValue", f"{error}.".capitalize(), "name") from error
    return {"id": model.id, "displayName": model.display_name}


@router.get("/clock")
async def show_clock(service: ServiceOf) -> dict[str, Any]:
    """The service's time."""
    return clock_of(service)


@router.post("/clock")
async def move_clock(service: ServiceOf, move: ClockMove) -> dict[str, Any]:
    """Move it: what expires, expires now."""
    try:
        service.clock.move_to(move.offset_after(service.clock.offset.total_seconds()))
    except ValueError as error:
        raise invalid("InvalidParameterValue", f"{error}.".capitalize()) from error
    return clock_of(service)


@router.get("/list-lag")
async def show_list_lag(service: ServiceOf) -> dict[str, Any]:
    """How long a new entity stays out of lists."""
    return list_lag_of(service)


@router.put("/list-lag")
async def set_list_lag(service: ServiceOf, lag: Lag) -> dict[str, Any]:
    """Keep entities that are created from now on out of lists for so long; 0 shows all at once."""
    service.lag.set(timedelta(seconds=lag.seconds))
    return list_lag_of(service)


@router.get("/speed")
async def show_speed(service: ServiceOf) -> dict[str, Any]:
    """How quickly jobs go on."""
    return {"speed": service.speed.speed}


@router.put("/speed")
async def change_speed(service: ServiceOf, pace: Pace) -> dict[str, Any]:
    """Change it, also for the jobs under way."""
    service.speed.change(pace.speed)
    return {"speed": service.speed.speed}


@router.get("/quota")
async def show_quota(service: ServiceOf) -> dict[str, Any]:
    """How much of the request quota is used."""
    return quota_of(service)


@router.put("/quota")
async def change_quota(service: ServiceOf, change: QuotaChange) -> dict[str, Any]:
    """Enforce the quota, or only count."""
    service.quota.mode = change.mode
    return quota_of(service)
