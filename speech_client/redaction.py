"""Keeps keys, tokens, signed addresses and secrets out of logs, error texts and ``repr``.

What looks like a secret is masked wherever it stands; what we were given as one is masked in any shape (`remember`).
What a value holds is not changed: `model_dump` and `to_azure` are data, and `to_record` is data without secrets.
Errors carry nothing of what libraries raised, and our own functions keep secrets in values that hide themselves, so that
a traceback with local variables is clean as far as it leads through this package; its callers' variables are theirs.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import quote

MASK = "***"

_SECRETS = (
    re.compile(r"(?i)(\bsig(?:=|%3D))[^&\s\"'<>]+"),  # the signature of a SAS address
    re.compile(r"(?i)(\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^;\s\"']+"),
    re.compile(r"(?i)(\b(?:Bearer|SharedKey)\s+)[\w.~+/:=-]+"),
    re.compile(r"(?i)(Ocp-Apim-Subscription-Key[\"']?\s*[:=,]\s*b?[\"']?)[^\s\"',})]+"),
    re.compile(r"([?&]code=)[^&\s\"'<>]{20,}"),  # the key of an Azure Function, a likely receiver of web hooks
    re.compile(r"(://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password@
    re.compile(r"()\beyJ[\w-]{8,2000}\.[\w-]+\.[\w-]*"),  # a JSON web token
    re.compile(r"()(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),  # a storage account key
)
_SECRET_NAMES = frozenset({"secret"})  # a web hook's, in `properties`
_SHORTEST = 8
"""In characters. What is shorter is no real secret, and masking it everywhere would mutilate harmless text."""
_MOST = 256
_remembered: dict[str, None] = {}
"""The last secrets of this process, oldest first: keys, tokens and secrets of web hooks, as they may be echoed.

Replaced as a whole and never changed, since other threads log meanwhile."""
_remembering = threading.Lock()


class Hidden(str):
    """A text that grants access: usable as any text, but its `repr` (in a traceback, a debugger) tells nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


class SignedAddress(str):
    """An address that may grant access by itself; its `repr` shows no signature."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact(str(self)))


class HiddenItems(dict[str, Any]):
    """Headers or a body: usable as any dict, but its `repr` tells the names only."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, MASK))


def remember(secret: str) -> Hidden:
    """Mask `secret` in every text from now on, for a service may quote what it was sent; return it, hidden."""
    global _remembered  # what a process was given as a secret stays one, whoever asks
    if len(secret) >= _SHORTEST:
        forms = dict.fromkeys((str(secret), quote(secret, safe="")))
        with _remembering:
            others = [form for form in _remembered if form not in forms]
            _remembered = dict.fromkeys([*others, *forms][-_MOST:])
    return Hidden(secret)


def redact(text: str) -> str:
    """Return `text` with everything that grants access replaced by ``***``.

    >>> redact("GET https://store/a.wav?sp=r&sig=abc%2B1&sr=b")
    'GET https://store/a.wav?sp=r&sig=***&sr=b'
    """
    for known in sorted(_remembered, key=len, reverse=True):  # one secret may be part of another
        text = text.replace(known, MASK)
    for secret in _SECRETS:
        text = secret.sub(rf"\g<1>{MASK}", text)
    return text


def redacted(value: Any) -> Any:
    """Return a copy of JSON-like `value` in which every text is redacted, at any depth."""
    match value:
        case Enum():
            return value
        case Hidden():
            return MASK
        case str():
            return redact(str(value))
        case Mapping():
            return {redacted(k): MASK if k in _SECRET_NAMES and v else redacted(v) for k, v in value.items()}
        case list() | tuple():
            return type(value)(redacted(item) for item in value)
        case _:
            return value


_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
"""httpx logs every address at INFO, httpcore the headers of every answer at DEBUG. Loggers do not inherit filters."""


class _Redacted(logging.Filter):
    """Redacts the whole record, before any handler sees it; an exception becomes redacted text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)))
            record.exc_info = None
        return True


_FILTER = _Redacted()


def quieten_http_logs() -> None:
    """Make httpx and httpcore log without secrets; calling it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
