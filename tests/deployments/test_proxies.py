"""The environment's proxies are not asked for the programs of the stack."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from deployments.proxies import loopback_without_proxy

BOTH = ("NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BOTH:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("before", "during"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intra.example"}, "intra.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "upper.example", "no_proxy": "lower.example"}, "lower.example,127.0.0.1,localhost"),
        ({"no_proxy": " localhost , 127.0.0.1"}, "localhost,127.0.0.1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_both_spellings_name_the_loopback_and_what_they_named_before(
    before: dict[str, str], during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both are set, the lower-case one counts, as everywhere; afterwards all is as it was."""
    for name, value in before.items():
        monkeypatch.setenv(name, value)

    with loopback_without_proxy():
        assert {name: os.environ[name] for name in BOTH} == dict.fromkeys(BOTH, during)

    assert {name: os.environ[name] for name in BOTH if name in os.environ} == before


def test_an_error_restores_it_too() -> None:
    """A stack that does not start leaves nothing behind in the process."""
    with pytest.raises(KeyError), loopback_without_proxy():
        raise KeyError

    assert not set(BOTH) & set(os.environ)


def test_httpx_then_goes_straight_to_the_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prefect's client in this process is one of httpx that looks at the environment."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with loopback_without_proxy(), httpx.Client() as http:
            assert http.get(f"http://127.0.0.1:{server.server_port}/").status_code == 200
    finally:
        server.shutdown()
        server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
