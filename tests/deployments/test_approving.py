"""`speechops approvals` and `approve`, as far as they need no Prefect server; tests/flows/test_approvals.py has the rest."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from domain.approval import Request
from tasks.approvals import Approvals
from tasks.store import LocalFolder
from tests.deployments.plain_kit import Run, runner
from tests.domain.approval_kit import request


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The command, where no Prefect server is named."""
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield runner(monkeypatch, capsys)


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    """One with a request that is open, and one that has expired."""
    store, now = LocalFolder(tmp_path), datetime.now(UTC)
    past = datetime(2026, 1, 1, tzinfo=UTC)
    for one in (request(now), request(past, id="f" * 16)):
        asyncio.run(opened(store, one))
    return store


async def opened(store: LocalFolder, one: Request) -> None:
    """Note a request."""
    await Approvals(store, "places").open(one)


def test_what_is_open_is_listed(run: Run, store: LocalFolder) -> None:
    """In 80 columns without colours, with the command that answers it."""
    shown = run("approvals", "--store", store.folder)

    assert (shown.code, shown.err) == (0, "")
    assert request().id in shown.out
    assert "Ada" in shown.out
    assert "f" * 16 not in shown.out
    assert "speechops approve ID --as NAME" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "\x1b" not in shown.out


def test_programs_get_json_and_all_states(run: Run, store: LocalFolder) -> None:
    """Also what is closed by now."""
    listed = json.loads(run("approvals", "places", "--all", "--json", "--store", store.folder).out)

    assert [(one["id"], one["status"]) for one in listed] == [("f" * 16, "expired"), (request().id, "open")]


def test_nothing_open_is_said(run: Run, tmp_path: Path) -> None:
    """And is no failure."""
    assert run("approvals", "bus", "--store", tmp_path) == (0, "Nothing waits for an approval.\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("bus",), "0 requests of track 'bus' wait for an approval"),
        (("0" * 16,), f"there is no request {'0' * 16}"),
        (("../x",), "is not a track's name"),
        (("places",), "no Prefect server is named"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_one_clear_line(
    run: Run, store: LocalFolder, words: tuple[str, ...], message: str
) -> None:
    """Exit code 1, and the request stays as it was."""
    done = run("approve", *words, "--as", "Grace", "--store", store.folder)

    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert message in done.err
    assert asyncio.run(Approvals(store, "places").find(request().id)).status == "open"  # type: ignore[union-attr]
