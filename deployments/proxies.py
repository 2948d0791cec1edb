"""Proxies of the environment: they lead out of a company's network, but never to the programs of the local stack."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_NAMES = ("NO_PROXY", "no_proxy")
_LOOPBACK = ("127.0.0.1", "localhost")
_EVERYTHING = "*"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@contextmanager
def loopback_without_proxy() -> Iterator[None]:
    """For as long as the context lasts, clients in this process, and programs that it starts, reach the loopback directly.

    Otherwise HTTP_PROXY would send them, and the emulator's key, to the proxy, which looks for 127.0.0.1 on its own
    machine. The environment is the only way to tell Prefect's clients.
    """
    before = {name: os.environ.get(name) for name in _NAMES}
    os.environ.update(without_proxy(os.environ))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def without_proxy(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep the loopback from an environment's proxies."""
    return dict.fromkeys(_NAMES, _extended(env.get("no_proxy", env.get("NO_PROXY", ""))))


def has_proxy(env: Mapping[str, str]) -> bool:
    """Whether an environment names a proxy."""
    return any(env.get(name) for one in _PROXIES for name in (one, one.lower()))


def _extended(hosts: str) -> str:
    """The list with the loopback in it.

    >>> _extended("intra.example, localhost")
    'intra.example,localhost,127.0.0.1'
    """
    named = [host.strip() for host in hosts.split(",") if host.strip()]
    return ",".join([*named, *(host for host in _LOOPBACK if host not in named and _EVERYTHING not in named)])
