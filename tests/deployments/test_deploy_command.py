"""`speechops deploy` and `speechops automations` on a real Prefect server."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State
from prefect.events.schemas.automations import AutomationCore
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Failed, Pending, Running, Scheduled, Suspended
from rich.console import Console

from deployments.alerts import ALERTS, BLOCK
from deployments.applying import Outcome, apply_automations, differences, our_deployments, read_automations
from deployments.automation_table import read_rows, show_rows
from deployments.automations import BLOBS_CHANGED, GIT_CHANGED, NAMES, PULL_REQUEST, PULL_REQUEST_NAME, automations
from deployments.deploy_command import run_command
from deployments.deploying import deploy_flows
from deployments.left_behind import end_left_behind
from deployments.project_file import read_project
from domain.mistakes import Mistake
from tests.deployments.server_kit import Server, emit, until

PROJECT = Path(__file__).parents[2]
QUIET = ("created", "updated", "last_polled", "status", "last_heartbeat_time")
"""What changes by itself."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to which the project was deployed once, by `first`."""
    with Server(tmp_path_factory.mktemp("server")).running() as server:
        yield server


@pytest.fixture
async def client(server: Server, first: str) -> AsyncIterator[PrefectClient]:
    """A client of the server, after the first deploy."""
    async with server.client() as client:
        yield client


def speechops(server: Server, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line, with nothing but the server's address."""
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words],
        cwd=PROJECT,
        env={**server.env, "COLUMNS": "160", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def deployed(server: Server, *words: str) -> str:
    """`speechops deploy` of this project; its output."""
    done = speechops(server, "deploy", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first(server: Server) -> str:
    """What the first deploy said."""
    return deployed(server)


async def everything(client: PrefectClient) -> dict[str, Any]:
    """All that a deploy makes, as it is on the server, with ids."""
    found = {
        "deployments": await client.read_deployments(),
        "automations": await client.read_automations(),
        "pools": await client.read_work_pools(),
        "types": await client.read_block_types(),
    }
    return {
        kind: sorted((one.model_dump(mode="json", exclude=set(QUIET)) for one in some), key=lambda one: one["id"])
        for kind, some in found.items()
    }


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """Without what Prefect itself writes anew each time: times and ids of schedules, and versions of deployments."""
    text = json.dumps(found)
    parsed: dict[str, Any] = json.loads(text)
    for one in parsed["deployments"]:
        one.pop("version_id", None), one.pop("version_info", None)
        for schedule in one["schedules"]:
            for key in ("created", "updated", "id"):
                schedule.pop(key, None)
    return parsed


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Where two states differ."""
    if [len(some) for some in before.values()] != [len(some) for some in after.values()]:
        return ["not as many"]
    return [
        f"{kind} {one.get('entrypoint') or one['name']}: {key} was {one[key]}, is {other.get(key)}"
        for kind, some in before.items()
        for one, other in zip(some, after[kind], strict=True)
        for key in one
        if one[key] != other.get(key)
    ]


def test_the_table_tells_what_was_made_and_what_is_missing(first: str) -> None:
    """Blocks hold secrets and addresses, so people make them."""
    for told in ("Speechops Git Data", "work pool", "data-update/speechops", GIT_CHANGED, "created"):
        assert told in first
    assert "missing: make a Speech Resource block of this name in the Prefect UI" in " ".join(first.split())


@pytest.mark.slow
async def test_doing_it_again_changes_nothing(server: Server, client: PrefectClient) -> None:
    """The same ids, the same contents, nothing twice; and what operators switched on or off stays so."""
    one = await client.read_deployment_by_name("data-update/speechops")
    await client.pause_deployment(one.id)
    await client.update_deployment_schedule(one.id, one.schedules[0].id, active=False)
    off = (await read_automations(client))[BLOBS_CHANGED].ours[0]
    await client.pause_automation(off.id)
    before = await everything(client)

    told = await asyncio.to_thread(deployed, server)

    assert changes(plain(before), plain(await everything(client))) == []
    assert "created" not in told
    for words in ("stays paused", "schedule stays off", "switched off by an operator"):
        assert words in told
    await client.resume_deployment(one.id)
    await client.resume_automation(off.id)


async def test_what_somebody_changed_is_put_right(client: PrefectClient) -> None:
    """Under the same id, and told as a difference before."""
    there = (await read_automations(client))[BLOBS_CHANGED].ours[0]
    wanted = next(one for one in automations(await our_deployments(client)) if one.name == BLOBS_CHANGED)
    changed = there.model_dump(mode="json", exclude={"id", "owner_resource"})
    changed["trigger"]["within"], changed["enabled"] = 99.0, False
    await client.update_automation(there.id, AutomationCore.model_validate(changed))
    (differs,) = differences(wanted, (await read_automations(client))[BLOBS_CHANGED].ours[0])

    applied = {one.name: one for one in await apply_automations(client)}

    assert differs == "trigger.within: 99.0, not 10.0"
    assert applied[BLOBS_CHANGED].told == "changed; switched off by an operator"
    (right,) = (await read_automations(client))[BLOBS_CHANGED].ours
    assert (right.id, right.enabled, differences(wanted, right)) == (there.id, False, ())
    await client.resume_automation(there.id)


async def test_our_doubles_go_and_nobody_elses(client: PrefectClient) -> None:
    """Prefect takes the same name twice and would start everything twice."""
    there = (await read_automations(client))[GIT_CHANGED].ours[0]
    await client.create_automation(copy_of(there))
    foreign = await client.create_automation(copy_of(there, tags=["theirs"]))
    other = await client.create_automation(copy_of(there, name="theirs"))

    applied = {one.name: one for one in await apply_automations(client)}

    assert applied[GIT_CHANGED].outcome is Outcome.SAME
    assert "removed 1 of the same name" in applied[GIT_CHANGED].told
    assert "not touched" in applied[GIT_CHANGED].told
    found = (await read_automations(client))[GIT_CHANGED]
    assert (len(found.ours), found.foreign) == (1, 1)
    assert await client.read_automation(other)
    for theirs in (foreign, other):
        await client.delete_automation(theirs)


async def test_of_doubles_the_one_that_is_on_is_kept(client: PrefectClient) -> None:
    """Whoever switched one of two off meant the doubling, not the automation."""
    there = (await read_automations(client))[GIT_CHANGED].ours[0]
    await client.create_automation(copy_of(there))
    await client.pause_automation(there.id)

    await apply_automations(client)

    (kept,) = (await read_automations(client))[GIT_CHANGED].ours
    assert kept.enabled


def copy_of(automation: AutomationCore, **changes: object) -> AutomationCore:
    """The same once more."""
    whole = automation.model_dump(mode="json", exclude={"id", "owner_resource"})
    return AutomationCore.model_validate({**whole, **changes})


async def test_an_automation_whose_deployment_is_not_there_is_left_out(client: PrefectClient) -> None:
    """A project need not have all flows."""
    found = await our_deployments(client)

    names = {one.name for one in automations({name: one for name, one in found.items() if name != PULL_REQUEST})}

    assert names == set(NAMES) - {PULL_REQUEST_NAME, *ALERTS}


async def test_automations_are_shown_as_they_are(server: Server, client: PrefectClient) -> None:
    """For people and for programs."""
    shown = await asyncio.to_thread(speechops, server, "automations", "--json")

    rows = json.loads(shown.stdout)
    there = await read_automations(client)
    assert {row["name"] for row in rows} == set(NAMES)
    git = next(row for row in rows if row["name"] == GIT_CHANGED)
    assert git == {
        "name": GIT_CHANGED,
        "id": str(there[GIT_CHANGED].ours[0].id),
        "state": "on",
        "waits_for": "speechops.data.changed",
        "does": "runs data-update/speechops",
        "differences": [],
    }
    console = Console(width=160, record=True, file=io.StringIO())
    show_rows(await read_rows(client), console)
    assert "heartbeat, then 3600 s without any other sign" in console.export_text()


async def test_switches_are_restored_when_prefect_fails(client: PrefectClient) -> None:
    """Even half a deploy leaves a paused deployment paused."""
    one = await client.read_deployment_by_name("deploy/speechops")
    await client.pause_deployment(one.id)

    async def half(_: Sequence[str]) -> None:
        await client.resume_deployment(one.id)
        raise Mistake("the second half failed")

    with pytest.raises(Mistake, match="second half"):
        await deploy_flows(client, read_project(PROJECT), half)

    assert (await client.read_deployment_by_name("deploy/speechops")).paused


@pytest.mark.parametrize(
    ("state", "parameters", "end"),
    [
        (Running(), {"source": "maps"}, "Crashed"),
        (Pending(), {"source": "maps"}, "Crashed"),
        (Running(), {"track": "places", "data": "data"}, "Cancelled"),
        (Cancelling(), {"source": "maps"}, "Cancelled"),
        (Suspended(timeout_seconds=600), {"source": "maps"}, "Suspended"),
        (Scheduled(), {"source": "maps"}, "Scheduled"),
    ],
)
async def test_runs_that_a_stack_left_behind_are_over(
    client: PrefectClient, state: State, parameters: dict[str, str], end: str
) -> None:
    """They would keep their track's turn for ever; what only waits goes on waiting."""
    one = await client.read_deployment_by_name("testing-update/speechops")
    run = await client.create_flow_run_from_deployment(one.id, parameters={"track": "places", **parameters})
    await client.set_flow_run_state(run.id, state, force=True)

    await end_left_behind(client, "speechops")

    assert (await client.read_flow_run(run.id)).state_name == end


async def test_what_prefect_said_is_told_when_it_fails(tmp_path: Path) -> None:
    """Its last lines, without a traceback of ours."""
    with pytest.raises(Mistake, match=r"`prefect deploy` failed.*\n  \| no such flow"):
        await run_command([sys.executable, "-c", "print('no such flow'); raise SystemExit(1)"], tmp_path)


def test_another_work_pool_can_be_named() -> None:
    """In a copy, with all else as it was: prefect.yaml itself is not touched."""
    mine, moved = read_project(PROJECT), read_project(PROJECT, "elsewhere")

    with mine.file() as own, moved.file() as copy:
        assert own == PROJECT / "prefect.yaml"
        theirs = read_project(copy.parent)

    assert (mine.pools, moved.pools, theirs.pools) == (("speechops",), ("elsewhere",), ("elsewhere",))
    assert (theirs.entrypoints, theirs.blocks) == (mine.entrypoints, mine.blocks)
    assert not copy.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no prefect.yaml in"),
        ("deployments: [", "cannot be used"),
        ("name: x", "cannot be used"),
        ("deployments: [{name: a}]", "cannot be used"),
        ("deployments: []", "no deployments"),
    ],
)
def test_a_prefect_yaml_that_is_none_is_told(
    tmp_path: Path, content: str | None, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the path and what it needs."""
    if content is not None:
        (tmp_path / "prefect.yaml").write_text(content)

    assert run_main(monkeypatch, "deploy", "--project", str(tmp_path)) == 1
    assert told in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_told() -> None:
    """With its address, and without the password in it."""
    env = {**os.environ, "PREFECT_API_URL": "http://me:secret@127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "automations"],
        cwd=PROJECT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_server_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect alone would start one that is gone again at the end."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    with temporary_settings(restore_defaults={PREFECT_API_URL}):  # another test may have named one
        assert run_main(monkeypatch, "automations") == 1
    assert "no Prefect server is named" in capsys.readouterr().err


def run_main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The command line in this process; its exit code."""
    from deployments.cli import main

    monkeypatch.setattr(sys, "argv", ["speechops", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


class Phone(BaseHTTPRequestHandler):
    """Takes what a notification block sends."""

    rung: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        """One notification."""
        self.rung.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def phone() -> Iterator[str]:
    """The address of somebody who is on call."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Phone) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def make_block(client: PrefectClient, url: str) -> None:
    """What a person makes in the UI: a notification block, here a web hook."""
    kind = await client.read_block_type_by_slug("custom-webhook")
    schema = await client.get_most_recent_block_schema_for_block_type(kind.id)
    said = {"subject": "{{subject}}", "body": "{{body}}"}
    data = {"name": "call", "url": url, "json_data": said, "allow_private_urls": True}
    body = {"name": BLOCK, "data": data, "block_type_id": str(kind.id), "block_schema_id": str(schema.id)}
    (await client._client.post("/block_documents/", json=body)).raise_for_status()


async def found(client: PrefectClient, title: str, *, new: bool, severity: str = "critical") -> None:
    """A finding's event, as a watch emits it."""
    labels = {"speechops.kind": "silent-fallback", "speechops.severity": severity, "speechops.new": str(new).lower()}
    resource = {"prefect.resource.id": "speechops.track.taxi", "prefect.resource.name": "taxi", **labels}
    payload = {
        "title": title,
        "detail": "It answers as the base model does.",
        "what_to_do": "`speechops rollback taxi`",
    }
    await emit(client, "speechops.track.finding", resource, payload)


async def test_the_person_on_call_is_told_once_of_each_finding_and_of_failed_runs(
    client: PrefectClient, phone: str
) -> None:
    """By a block that people make, of any kind, under one name; before that, deploy says what is missing."""
    missing = {one.name: one.outcome for one in await apply_automations(client)}
    await make_block(client, phone)

    made = {one.name: one.outcome for one in await apply_automations(client)}
    await found(client, "taxi: seen before", new=False)
    await found(client, "taxi: no hurry", new=True, severity="info")
    await found(client, "taxi: clients get the base model", new=True)
    one = await client.read_deployment_by_name("testing-update/speechops")
    run = await client.create_flow_run_from_deployment(one.id, parameters={"track": "taxi"}, name="taxi at night")
    await client.set_flow_run_state(run.id, Failed(message="the disk is full"), force=True)

    async def both() -> bool:
        return len(Phone.rung) >= 2

    await until(both)
    assert {missing[name] for name in ALERTS} == {Outcome.NOBODY_TOLD}
    assert {made[name] for name in ALERTS} == {Outcome.CREATED}
    told = sorted(Phone.rung, key=lambda one: one["subject"])
    assert [one["subject"] for one in told] == [
        "critical: taxi: clients get the base model",
        "speechops: the run 'taxi at night' failed",
    ]
    assert "What to do: `speechops rollback taxi`" in told[0]["body"]
    assert "the disk is full" in told[1]["body"]
