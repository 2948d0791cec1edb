"""What Azure Blob Storage answers, sorted by what the caller does next; no answer's text is passed on, it may quote secrets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from tasks.store import Conflict
from tasks.store_errors import StoreUnavailable, StoreUnusable

_CONFLICTS: Final = {"ConditionNotMet", "BlobAlreadyExists", "BlobOverwritten", "InvalidBlockList"}
"""Codes that say: somebody else was there first. InvalidBlockList: another upload to the key was completed meanwhile."""


_LATER: Final = (
    "It was tried several times; what was interrupted can be run again once the network and the service are well."
)


@contextmanager
def explained(store: str, key: str) -> Iterator[None]:
    """Translate the SDK's errors.

    Args:
        store: what to call the store in messages; without secrets.
        key: which key, or prefix of keys, is worked on.

    Raises:
        KeyError: nothing is there.
        Conflict: a condition does not hold.
        StoreUnusable: a person has to mend it: credentials, rights, names.
        StoreUnavailable: another try may help: network, a busy or failing service.
    """
    try:
        yield
    except HttpResponseError as error:
        _explain_answer(error, store, key)
    except AzureError as error:
        _explain_silence(error, store)


def _explain_answer(error: HttpResponseError, store: str, key: str) -> NoReturn:
    status, code = error.status_code, _code(error)
    if code == "ContainerNotFound":
        raise StoreUnusable(f"there is no container {store}. Make it, or correct the name in its block.") from None
    if status == 404:
        raise KeyError(key) from None
    if code in _CONFLICTS:
        raise Conflict(key) from None
    if status in (401, 403) or isinstance(error, ClientAuthenticationError):
        raise StoreUnusable(
            f"the blob store {store} does not let us in ({code}). Correct the Azure Blob Storage Credentials block, or give "
            "its identity the role 'Storage Blob Data Contributor' ('… Reader' for data) on the container. If the account has a firewall, it must "
            "let this machine through."
        ) from None
    if status is None or status in (408, 429) or status >= 500:
        raise StoreUnavailable(f"the blob store {store} could not answer for '{key}' ({code}). {_LATER}") from None
    raise StoreUnusable(
        f"the blob store {store} refuses the request for '{key}' ({code}). Look that up in the error codes of Azure Blob "
        "Storage, mend it in the account, or correct its block."
    ) from None


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None) or error.status_code or "no sign-in"
    return str(getattr(code, "value", code))


def _explain_silence(error: AzureError, store: str) -> NoReturn:
    root: BaseException = error
    while root.__cause__:
        root = root.__cause__
    if isinstance(root, socket.gaierror) and root.errno == socket.EAI_NONAME:
        raise StoreUnusable(
            f"the address of the blob store {store} is unknown. Correct the account in its block."
        ) from None
    reason = root.strerror if isinstance(root, OSError) and root.strerror else type(root).__name__
    raise StoreUnavailable(f"no answer from the blob store {store} ({reason}). {_LATER}") from None
