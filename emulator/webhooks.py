"""`/webhooks`."""

from collections.abc import Iterable
from uuid import UUID

import httpx
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from emulator.bodies import NewWebHook, WebHookPatch
from emulator.calls import Call, Calls
from emulator.entities import Status, WebHook
from emulator.errors import conflict, invalid
from emulator.events import KINDS
from emulator.filters import OF_WEB_HOOKS
from emulator.notifications import NotificationsOf, is_active
from emulator.paging import Paging

MAX_URL_LENGTH = 2048
PORTS = {None, *range(1, 65536)}
router = APIRouter()


@router.get("/webhooks")
async def list_web_hooks(call: Calls, page: Paging) -> JSONResponse:
    """A page of web hooks."""
    return call.answer_page(WebHook, page, OF_WEB_HOOKS)


@router.post("/webhooks")
async def create(call: Calls, notifications: NotificationsOf, body: NewWebHook) -> JSONResponse:
    """A new web hook; it is told of nothing until its address has passed the challenge."""
    _require_address(body.web_url)
    _require_kinds(body.events)
    properties = {"apiVersion": call.addresses.api_version}
    fields = {"web_url": body.web_url, "events": body.events, "secret": body.properties.secret or ""}
    hook = call.new(WebHook, body, properties=properties, base=call.addresses.base, **fields)
    call.store.save(hook)
    notifications.challenge(hook)
    return call.created(hook)


@router.get("/webhooks/{web_hook_id}")
async def get(call: Calls, web_hook_id: UUID) -> JSONResponse:
    """One web hook."""
    return call.answer(call.find(WebHook, web_hook_id))


@router.patch("/webhooks/{web_hook_id}")
async def update(call: Calls, notifications: NotificationsOf, web_hook_id: UUID, body: WebHookPatch) -> JSONResponse:
    """Change a web hook; another address is challenged first, and so is the same one if it has not passed yet."""
    found = call.find(WebHook, web_hook_id)
    hook = _changed(call, found, body)
    names_address = "web_url" in body.model_fields_set
    is_challenged = names_address and (hook.web_url != found.web_url or found.status is not Status.SUCCEEDED)
    if is_challenged:
        hook = hook.with_properties(error=None).at(Status.NOT_STARTED, call.service.clock())
    call.store.save(hook)
    if is_challenged:
        notifications.challenge(hook)
    return call.answer(hook)


@router.delete("/webhooks/{web_hook_id}")
async def delete(call: Calls, notifications: NotificationsOf, web_hook_id: UUID) -> Response:
    """Delete a web hook, in whatever state; an unknown one is an error."""
    hook = call.find(WebHook, web_hook_id)
    notifications.forget(hook.id)
    call.service.delete(hook)
    return Response(status_code=204)


@router.post("/webhooks/{web_hook_id}:ping")
async def ping(call: Calls, notifications: NotificationsOf, web_hook_id: UUID) -> Response:
    """Send the hook to its own address."""
    notifications.ping(_active(call, web_hook_id))
    return _under_way(call)


@router.post("/webhooks/{web_hook_id}:test")
async def test(call: Calls, notifications: NotificationsOf, web_hook_id: UUID) -> Response:
    """Send the last event of each registered kind once more; 204 if there was none."""
    is_sent = notifications.test(_active(call, web_hook_id))
    return _under_way(call) if is_sent else Response(status_code=204)


def _changed(call: Call, hook: WebHook, body: WebHookPatch) -> WebHook:
    """Without a secret in the body the hook is unsigned from now on: `WebHooks_Update` says so of an omitted one."""
    hook = call.update(hook, body)
    if "web_url" in body.model_fields_set:
        hook = hook.model_copy(update={"web_url": _require_address(body.web_url)})
    _require_kinds(body.events)
    events = {kind: is_on for kind, is_on in {**hook.events, **body.events}.items() if is_on is not None}
    secret = (body.properties.secret if body.properties else None) or ""
    return hook.model_copy(update={"events": events, "secret": secret})


def _require_address(web_url: str | None) -> str:
    try:
        address = httpx.URL(web_url or "")
        is_complete = address.scheme in ("http", "https") and address.host and address.port in PORTS
    except (httpx.InvalidURL, UnicodeError):  # the host is read, and found to be no name, when it is looked at
        is_complete = False
    if not is_complete or len(str(web_url)) > MAX_URL_LENGTH:
        message = f"webUrl must be an http or https address of at most {MAX_URL_LENGTH} characters."
        raise invalid("InvalidCallbackUri", message, "webUrl")
    return str(web_url)


def _require_kinds(events: Iterable[str]) -> None:
    unknown = [kind for kind in events if kind not in KINDS]
    if unknown:
        message = f"There is no event {unknown[0][:64]!r}; there is {', '.join(sorted(KINDS))}."
        raise invalid("InvalidWebHookEventKind", message, "events")


def _active(call: Call, web_hook_id: UUID) -> WebHook:
    hook = call.find(WebHook, web_hook_id)
    if not is_active(hook):
        raise conflict("InvalidPrerequisite", "The web hook is not active: its webUrl has not passed the challenge.")
    return hook


def _under_way(call: Call) -> Response:
    return Response(status_code=202, headers={"Retry-After": str(call.service.settings.retry_after)})
