"""Keeps keys, tokens and signed addresses out of logs, error texts and ``repr``."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx

MASK = "***"

_SECRETS = (
    re.compile(r"(?i)(\bsig(?:=|%3D))[^&\s\"'<>]+"),  # the signature of a SAS address
    re.compile(r"(?i)(\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^;\s\"']+"),
    re.compile(r"(?i)(\b(?:Bearer|SharedKey)\s+)[\w.~+/:=-]+"),
    re.compile(r"(?i)(Ocp-Apim-Subscription-Key[\"']?\s*[:=,]\s*b?[\"']?)[^\s\"',})]+"),
    re.compile(r"(://)[^/\s@]+:[^/\s@]+(?=@)"),  # user:password@
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),  # a JSON web token
    re.compile(r"()(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),  # a storage account key
)
_SECRET_NAMES = frozenset({"secret"})  # a web hook's, in `properties`


def redact(text: str) -> str:
    """Return `text` with everything that grants access replaced by ``***``.

    >>> redact("GET https://store/a.wav?sp=r&sig=abc%2B1&sr=b")
    'GET https://store/a.wav?sp=r&sig=***&sr=b'
    """
    for secret in _SECRETS:
        text = secret.sub(rf"\g<1>{MASK}", text)
    return text


def redacted(value: Any) -> Any:
    """Return a copy of JSON-like `value` in which every text is redacted, at any depth."""
    match value:
        case str():
            return redact(value) if type(value) is str else value  # an enum member holds no secret
        case Mapping():
            return {k: MASK if k in _SECRET_NAMES and v else redacted(v) for k, v in value.items()}
        case list() | tuple():
            return type(value)(redacted(item) for item in value)
        case _:
            return value


class _RedactedAddresses(logging.Filter):
    """httpx logs every requested address, signature included, at level INFO."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the addresses among the arguments; every record passes."""
        if isinstance(record.args, tuple):
            record.args = tuple(redact(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


_FILTER = _RedactedAddresses()


def quieten_httpx_log() -> None:
    """Make httpx log addresses without their signatures; calling it again changes nothing."""
    logging.getLogger("httpx").addFilter(_FILTER)
