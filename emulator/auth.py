"""Who may call: the resource key, compared in constant time."""

import hmac
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from emulator.errors import ServiceError, invalid
from emulator.service import Service
from emulator.settings import API_VERSION, Settings


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]
Key = Annotated[str | None, Header(alias="Ocp-Apim-Subscription-Key")]


def require_key(service: ServiceOf, key: Key = None) -> None:
    """Refuse a request without the resource's key."""
    if not _is_key(service.settings, key):
        raise ServiceError(401, "Authentication is required to access the resource.")


def require_key_unless_local(service: ServiceOf, key: Key = None) -> None:
    """The emulator's own routes are open when only this machine can reach them."""
    if not service.settings.is_on_loopback:
        require_key(service, key)


def require_api_version(version: Annotated[str | None, Query(alias="api-version")] = None) -> str:
    """The api-version, which every operation needs."""
    if not version:
        raise invalid("InvalidParameter", "The query parameter api-version is required.", "api-version")
    if version != API_VERSION:
        message = f"The api-version {version!r} is not supported; this service has {API_VERSION}."
        raise invalid("InvalidParameterValue", message, "api-version")
    return version


def _is_key(settings: Settings, key: str | None) -> bool:
    return key is not None and hmac.compare_digest(settings.key.get_secret_value().encode(), key.encode())
