"""The application: Azure's Custom Speech operations, short audio, and the emulator's own routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, Depends, FastAPI

from emulator import (
    blocks,
    control,
    copy_target,
    datasets,
    endpoints,
    errors,
    evaluations,
    fast_transcription,
    files,
    manifests,
    model_copy,
    models,
    page,
    speech,
    transcriptions,
    webhooks,
)
from emulator.auth import require_access, require_api_version, require_quota
from emulator.body_limit import BodyLimit
from emulator.clock import Clock, exact_utc_now
from emulator.doorway import Doorway
from emulator.faults import Faults, FaultyApp
from emulator.jobs import Jobs
from emulator.notifications import Notifications
from emulator.service import Service
from emulator.settings import API_VERSION, Settings

OPERATIONS = (
    datasets,
    blocks,
    models,
    evaluations,
    endpoints,
    transcriptions,
    fast_transcription,
    webhooks,
    model_copy,
    manifests,
)
"""Modules with a `router` of operations under /speechtotext; a new operation is a function in one of them."""


def create_app(settings: Settings, clock: Clock = exact_utc_now) -> FaultyApp:
    """The emulator as an ASGI application; its lifespan opens the data folder, resumes jobs and ends the workers.

    Raises (when it starts):
        StoreUnusable: another emulator has the data folder.
        OSError: the data folder cannot be written.
    """
    app = FaultyApp(title="Speech emulator", version=API_VERSION, lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.faults, app.doorway = Faults(), Doorway(settings)
    app.state.settings, app.state.clock = settings, clock
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.router.routes.extend(_routes().routes)
    return app


@cache
def _routes() -> APIRouter:
    """All routes. Analysing them takes longer than anything else that an application does to start; once is enough."""
    guards = [Depends(require_access), Depends(require_quota), Depends(require_api_version)]
    guarded = APIRouter(prefix="/speechtotext", dependencies=guards)
    for module in OPERATIONS:
        guarded.include_router(module.router)
    everything = APIRouter()
    for router in (
        guarded,
        speech.router,
        manifests.contents,
        files.contents,
        control.router,
        control.open_routes,
        page.router,
        copy_target.open_routes,
    ):
        everything.include_router(router)
    return everything


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, FaultyApp)  # noqa: S101  made by create_app
    service = Service.open(app.state.settings, app.faults, app.state.clock)
    jobs = Jobs(service)
    notifications = Notifications(service)
    service.store.on_events = notifications.announce
    app.state.service, app.state.jobs, app.state.notifications = service, jobs, notifications
    jobs.resume()
    notifications.resume()
    try:
        yield
    finally:
        await jobs.stop()
        await notifications.stop()
        service.close()
