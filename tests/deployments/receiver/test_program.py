"""`speechops receiver` itself: a real process, really killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deployments.receiver.outbox import Outbox
from tests.deployments.receiver.hook_kit import SECRET, github, payload


@contextmanager
def started(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program and its address; it is gone afterwards."""
    command = [sys.executable, "-m", "deployments.cli", "receiver", "--port", "0", "--data", str(data)]
    environment = os.environ | {"SPEECHOPS_GITHUB_SECRET": SECRET}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as program:
        assert program.stdout
        address = re.search(r"http://\S+(?=,)", program.stdout.readline())
        try:
            assert address
            yield program, address[0]
        finally:
            program.kill()


def told(address: str) -> int:
    """The status of one push."""
    push = github(payload("github-push"))
    return httpx.post(address + push.path, content=push.body, headers=push.headers, timeout=60).status_code


def test_what_was_acknowledged_survives_kill_9_and_is_known_again(tmp_path: Path) -> None:
    """Killed right after the answer; started again, it neither lost the push nor takes it twice; SIGTERM ends it well."""
    with started(tmp_path) as (program, address):
        first = told(address)
        program.kill()
        program.wait()
    with started(tmp_path) as (program, address):
        second = told(address)
        program.send_signal(signal.SIGTERM)
        ended = program.wait()

    assert (first, second, ended) == (202, 200, 0)
    assert len(Outbox(tmp_path / "outbox.sqlite3").pending()) == 1
