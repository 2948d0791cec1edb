"""Who may call: whoever has the resource key, or (in a test mode) a Microsoft Entra token with a role that is enough.

Microsoft's page on roles says what each may do: *Speech Contributor* everything; *Speech User* may see data, models and
endpoints, and may use the transcription APIs. With a key, roles do not count. That a refused role is a 403 is our guess.
All secrets are compared in constant time.
"""

import base64
import binascii
import hmac
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from pydantic import SecretStr

from emulator.errors import ServiceError, invalid
from emulator.service import Service
from emulator.settings import API_VERSION, Role, Settings

TRANSCRIPTION_APIS = ("/speech/recognition/", "/speechtotext/transcriptions")


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]
Key = Annotated[str | None, Header(alias="Ocp-Apim-Subscription-Key")]
Authorization = Annotated[str | None, Header()]


def require_access(request: Request, service: ServiceOf, key: Key = None, authorization: Authorization = None) -> None:
    """Refuse a request without the resource's key, and without a token whose role allows it.

    Raises:
        ServiceError: 401 for an unknown caller, 403 for a role that is not enough.
    """
    if key is not None:
        if _is_key(service.settings, key):
            return
    elif role := _role_of(service.settings, authorization):
        if _allows(role, request):
            return
        raise ServiceError(403, "The role of the principal does not allow this operation.", detail="Forbidden")
    raise ServiceError(401, "Authentication is required to access the resource.")


def require_access_unless_local(
    request: Request, service: ServiceOf, key: Key = None, authorization: Authorization = None
) -> None:
    """The emulator's own routes are open when only this machine can reach them.

    A browser, which cannot send the key's header, may send the key as the password of HTTP Basic.
    """
    if service.settings.is_on_loopback or _is_key(service.settings, _password_in(authorization)):
        return
    require_access(request, service, key, authorization)


def require_quota(service: ServiceOf) -> None:
    """Count a request of the resource; refuse it when there were too many."""
    service.quota.take()


def require_api_version(version: Annotated[str | None, Query(alias="api-version")] = None) -> str:
    """The api-version, which every operation needs."""
    if not version:
        raise invalid("InvalidParameter", "The query parameter api-version is required.", "api-version")
    if version != API_VERSION:
        message = f"The api-version {version!r} is not supported; this service has {API_VERSION}."
        raise invalid("InvalidParameterValue", message, "api-version")
    return version


def _is_key(settings: Settings, key: str | None) -> bool:
    return key is not None and _are_equal(settings.key, key)


def _role_of(settings: Settings, authorization: str | None) -> Role | None:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = [known.role for known in settings.entra_tokens if _are_equal(known.token, token.strip())]
    return max(found, key=list(Role).index) if found else None


def _allows(role: Role, request: Request) -> bool:
    if role is Role.CONTRIBUTOR or request.method in ("GET", "HEAD"):
        return True
    return request.url.path.startswith(TRANSCRIPTION_APIS)


def _password_in(authorization: str | None) -> str | None:
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None


def _are_equal(secret: SecretStr, given: str) -> bool:
    return hmac.compare_digest(secret.get_secret_value().encode(), given.encode())
