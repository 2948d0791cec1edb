"""The application: Azure's Custom Speech operations, short audio, and the emulator's own routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI

from emulator import (
    blocks,
    control,
    datasets,
    endpoints,
    errors,
    evaluations,
    files,
    models,
    speech,
    transcriptions,
)
from emulator.auth import require_api_version, require_key
from emulator.faults import Faults, FaultyApp
from emulator.jobs import Jobs
from emulator.service import Clock, Service, utc_now
from emulator.settings import API_VERSION, Settings

OPERATIONS = (datasets, blocks, models, evaluations, endpoints, transcriptions)
"""Modules with a `router` of operations under /speechtotext; a new operation is a function in one of them."""


def create_app(settings: Settings, clock: Clock = utc_now) -> FaultyApp:
    """The emulator as an ASGI application; its lifespan opens the data folder, resumes jobs and ends the workers.

    Raises (when it starts):
        StoreUnusable: another emulator has the data folder.
        OSError: the data folder cannot be written.
    """
    app = FaultyApp(title="Speech emulator", version=API_VERSION, lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.faults = Faults()
    app.state.settings, app.state.clock = settings, clock
    errors.install(app)
    guarded = APIRouter(prefix="/speechtotext", dependencies=[Depends(require_key), Depends(require_api_version)])
    for module in OPERATIONS:
        guarded.include_router(module.router)
    for router in (guarded, speech.router, files.contents, control.router, control.open_routes):
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, FaultyApp)  # noqa: S101  made by create_app
    service = Service.open(app.state.settings, app.faults, app.state.clock)
    jobs = Jobs(service)
    app.state.service, app.state.jobs = service, jobs
    jobs.resume()
    try:
        yield
    finally:
        await jobs.stop()
        service.close()
