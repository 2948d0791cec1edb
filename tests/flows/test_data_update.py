"""A change of the data starts exactly the right runs, once: whatever dies, comes twice or happens at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from prefect import tags
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema

import flows.data_update
import tasks.every_source
import tasks.source_changes
import tasks.starting
from domain.changes import Change, parts_of_tracks
from domain.mistakes import Mistake
from domain.plan import Plan, make_plan, make_retest_plan
from domain.pushes import PushRules
from flows.data_update import data_update
from flows.testing_update import testing_update
from flows.training_update import training_update
from tasks.blocks import LocalStore
from tasks.git_block import GitData
from tasks.sources import source_names
from tasks.store import LocalFolder
from tests.tasks.git_kit import commit, git, repository, track

Tree = Mapping[str, str]

A = {"bus/track.toml": "", "bus/testing/a.wav": "1", "bus/training/text.txt": "1"}
B = {**A, "bus/testing/a.wav": "2"}
C = {**A, "bus/training/text.txt": "2"}
TWO = {**A, "taxi/track.toml": "", "taxi/testing/a.wav": "1"}
TAG = "refs/tags/baseline/bus"


class Source:
    """A data source whose states the test makes up; a revision is the name of one."""

    rules = PushRules()

    def __init__(self, name: str) -> None:
        self.name = name
        self.states: dict[str, Tree] = {}
        self.now = ""

    def push(self, revision: str, tree: Tree) -> None:
        """Another state."""
        self.states[revision], self.now = tree, revision

    async def newest(self, ref: str = "") -> str:
        """The last that was pushed."""
        return self.now

    async def plan(self, before: str, after: str, occasion: str = "") -> Plan:
        """As a real one."""
        if after not in self.states:
            raise Mistake(f"{after} is gone")
        old, new = self.states.get(before, {}), self.states[after]
        changes = [Change(path, old.get(path, ""), new.get(path, "")) for path in old.keys() | new.keys()]
        changes = [change for change in changes if path_differs(change, old, new)]
        return make_plan(changes, parts_of_tracks(new, ""), revision=after, data="", occasion=occasion)

    async def plan_retest(self, revision: str, tag: str, occasion: str = "") -> Plan:
        """As a real one."""
        return make_retest_plan(parts_of_tracks(self.states[revision], ""), tag, revision=revision, occasion=occasion)


def path_differs(change: Change, old: Tree, new: Tree) -> bool:
    """Whether a file is new, gone, or another."""
    return old.get(change.path) != new.get(change.path)


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """Of the test server."""
    async with get_client() as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def deployments(prefect_server: None) -> None:
    """Both flows that may be started have theirs."""

    async def deploy_both() -> None:
        async with get_client() as client:
            for each in (testing_update, training_update):
                await deploy(client, each)

    asyncio.run(deploy_both())


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's client asks again after 2 s, then 4 s, when the test server's SQLite is locked: here ten times sooner."""
    monkeypatch.setattr("prefect.client.base.clamped_poisson_interval", lambda seconds, _: seconds / 10)


async def deploy(client: PrefectClient, each: Flow[..., Any]) -> None:
    """Register a flow as prefect.yaml would; the server checks the parameters of its runs."""
    await client.create_deployment(
        await client.create_flow(each),
        name="speechops",
        parameter_openapi_schema=parameter_schema(each).model_dump_for_openapi(),
        enforce_parameter_schema=True,
    )


@pytest.fixture
async def store(tmp_path: Path) -> LocalFolder:
    """A store with nothing in it."""
    await LocalStore(folder=tmp_path / "store").asave("speechops", overwrite=True)
    return LocalFolder(tmp_path / "store")


@pytest.fixture
def source(store: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source of its own for each test: the server keeps the runs of all of them."""
    made = Source(f"maps-{uuid4().hex[:8]}")

    async def load(name: str, store: str) -> Source:
        assert (name, store) == (made.name, "speechops")
        return made

    monkeypatch.setattr(tasks.source_changes, "load_source", load)
    return made


async def runs_from(client: PrefectClient, name: str) -> list[FlowRun]:
    """What was started for a source, in the order in which turns are taken."""
    chosen = FlowRunFilter.model_validate({"tags": {"all_": [f"from:{name}"]}})
    found = await client.read_flow_runs(flow_run_filter=chosen)
    return sorted(found, key=lambda run: str(run.expected_start_time))


async def told(client: PrefectClient, source: Source) -> list[str]:
    """The names of the runs, such as `bus @ a`, with the flow's first letters."""
    flows = {flow.id: flow.name for flow in await client.read_flows()}
    return [f"{flows[run.flow_id][:5]} {run.name}" for run in await runs_from(client, source.name)]


def dies(monkeypatch: pytest.MonkeyPatch, place: ModuleType, step: str, *, after: bool) -> None:
    """Let the process die before or after a step."""
    real: Callable[..., Awaitable[object]] = getattr(place, step)

    async def fatal(*arguments: object) -> object:
        if after:
            await real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(place, step, fatal)


async def test_a_push_of_both_kinds_starts_testing_then_training(client: PrefectClient, source: Source) -> None:
    """Once, on the same revision, in this order; tagged, so that they take turns."""
    revision = "1a2b3c4d5e6f" + "0" * 28
    source.push(revision, A)

    update = await data_update(source.name, delivery="github-77")

    assert await told(client, source) == ["testi bus @ 1a2b3c4d5e6f", "train bus @ 1a2b3c4d5e6f"]
    testing, training = await runs_from(client, source.name)
    assert [run.id for run in update.runs] == [testing.id, training.id]
    assert testing.expected_start_time < training.expected_start_time
    asked = {"track": "bus", "revision": revision, "source": source.name, "speech": "speechops", "store": "speechops"}
    for run in (testing, training):
        assert run.parameters == asked
        assert "track:bus" in run.tags
    chosen = FlowRunFilter.model_validate({"tags": {"all_": ["delivery:github-77", f"source:{source.name}"]}})
    assert len(await client.read_flow_runs(flow_run_filter=chosen)) == 1


async def test_only_the_tracks_that_changed_run(client: PrefectClient, source: Source) -> None:
    """And of them only the flow that reads what changed."""
    source.push("a", A)
    await data_update(source.name)
    source.push("b", TWO)

    update = await data_update(source.name)

    assert [(run.track, run.flow.value) for run in update.runs] == [("taxi", "testing-update")]


@pytest.mark.parametrize("ref", ["", "refs/heads/main"])
async def test_the_same_state_again_starts_nothing(client: PrefectClient, source: Source, ref: str) -> None:
    """An event that came twice, or an operator who does not name the branch that the hook names: the run says so."""
    source.push("a", A)
    await data_update(source.name)
    before = await runs_from(client, source.name)

    state = await data_update(source.name, ref, return_state=True)

    assert (state.name, state.message) == ("Nothing to do", "no data have changed")
    assert await runs_from(client, source.name) == before


async def test_going_back_and_forth_runs_each_time(client: PrefectClient, source: Source) -> None:
    """The benchmark must be that of the data that are there now, though the revision was there before."""
    source.push("a", A)
    await data_update(source.name)
    for revision, tree in (("b", B), ("a", A), ("b", B)):
        source.push(revision, tree)
        await data_update(source.name)

    assert (await told(client, source))[2:] == ["testi bus @ b", "testi bus @ a", "testi bus @ b"]


BOUNDARIES = {
    "after noting what comes next": (flows.data_update, "plan_change", False),
    "before the first run": (tasks.starting, "_start", False),
    "between two runs": (tasks.starting, "_start", True),
    "before noting that all is started": (flows.data_update, "settle_change", False),
    "before the report": (flows.data_update, "report_update", False),
}


@pytest.mark.parametrize(("place", "step", "after"), BOUNDARIES.values(), ids=BOUNDARIES.keys())
async def test_whatever_line_it_dies_at_the_next_run_makes_it_good(
    client: PrefectClient, source: Source, monkeypatch: pytest.MonkeyPatch, place: ModuleType, step: str, after: bool
) -> None:
    """Even when another push comes first: every state that was begun is started in full, and then the next."""
    source.push("a", A)
    with monkeypatch.context() as patch:
        dies(patch, place, step, after=after)
        with pytest.raises(KeyboardInterrupt):
            await data_update(source.name)
    source.push("c", C)

    await data_update(source.name)

    assert await told(client, source) == ["testi bus @ a", "train bus @ a", "train bus @ c"]


async def test_two_at_once_start_the_same_runs(
    client: PrefectClient, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if they did not take turns, and one of them saw an older state."""

    async def no_turns(*_: object, **__: object) -> None:
        """Both go on."""

    monkeypatch.setattr(flows.data_update, "take_turn", no_turns)
    real, both = flows.data_update.plan_change, asyncio.Barrier(2)

    async def together(*arguments: Any) -> Plan:
        plan: Plan = await real(*arguments)
        async with asyncio.timeout(60):
            await both.wait()
        return plan

    source.push("a", A)
    with monkeypatch.context() as patch:
        patch.setattr(flows.data_update, "plan_change", together)
        await asyncio.gather(data_update(source.name), data_update(source.name))

    assert await told(client, source) == ["testi bus @ a", "train bus @ a"]


async def test_what_was_begun_and_is_gone_is_given_up(client: PrefectClient, source: Source, monkeypatch: Any) -> None:
    """A forced push in between: the old state cannot be planned any more, and must not stop the new one."""
    source.push("a", A)
    with monkeypatch.context() as patch:
        dies(patch, flows.data_update, "plan_change", after=False)
        with pytest.raises(KeyboardInterrupt):
            await data_update(source.name)
    del source.states["a"]
    source.push("b", B)

    update = await data_update(source.name)

    assert update.notes == ("a is gone, so everything is looked at anew",)
    assert await told(client, source) == ["testi bus @ b", "train bus @ b"]


async def test_a_tag_asks_for_a_new_test_once_per_delivery(client: PrefectClient, source: Source) -> None:
    """Whatever changed. The same delivery by two ways is one test; whoever asks by hand again means it."""
    source.push("a", TWO)

    for delivery in ("github-1", "github-1", "", ""):
        await data_update(source.name, ref=TAG, delivery=delivery)

    assert await told(client, source) == ["testi bus @ a"] * 3


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        ("refs/heads/topic", "branch 'topic' is not watched (watched: main)"),
        ("refs/tags/v1", "tag 'v1' is not watched (watched: baseline/*)"),
        ("main", "neither a branch nor a tag was pushed"),
    ],
)
async def test_refs_that_do_not_matter_start_nothing(source: Source, ref: str, why: str) -> None:
    """And the run says why."""
    source.push("a", A)

    state = await data_update(source.name, ref=ref, return_state=True)

    assert (state.name, state.message) == ("Nothing to do", why)


async def test_a_missing_deployment_is_told_with_the_remedy(client: PrefectClient, source: Source) -> None:
    """Nothing is lost: after that it is started."""
    found = await client.read_deployment_by_name("training-update/speechops")
    await client.delete_deployment(found.id)
    source.push("a", A)

    with pytest.raises(Mistake, match=r"no deployment 'training-update/speechops'.*speechops deploy"):
        await data_update(source.name)
    assert await runs_from(client, source.name) == []

    await deploy(client, training_update)
    await data_update(source.name)
    assert len(await runs_from(client, source.name)) == 2


async def test_a_source_that_is_away_for_a_moment_is_asked_again(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git server restarts just when its hook arrives."""
    source.push("a", A)
    real, left = source.newest, [ConnectionError("reset by peer")] * 2

    async def newest(ref: str = "") -> str:
        if left:
            raise left.pop()
        return await real(ref)

    monkeypatch.setattr(source, "newest", newest)
    monkeypatch.setattr(
        flows.data_update, "find_change", flows.data_update.find_change.with_options(retry_delay_seconds=0)
    )

    assert len((await data_update(source.name)).runs) == 2


async def test_the_page_tells_why_and_links_the_runs(client: PrefectClient, source: Source) -> None:
    """Names of files come from whoever pushes: they stay text."""
    source.push("a", A)
    await data_update(source.name)
    source.push("b", {**A, "bus/testing/![x](evil).wav": "1"})

    update = await data_update(source.name)

    chosen = ArtifactFilter.model_validate({"key": {"any_": [f"{source.name}-changes"]}})
    page = max(await client.read_artifacts(artifact_filter=chosen), key=lambda artifact: str(artifact.created))
    assert f"/{update.runs[0].id})" in str(page.data)
    assert "testing: " in str(page.data)
    assert "![x]" not in str(page.data)


async def test_a_real_repository_starts_real_runs(client: PrefectClient, store: LocalFolder, tmp_path: Path) -> None:
    """From its block to the runs, twice: first everything, then what a commit changed; then a tag."""
    name = f"repo-{uuid4().hex[:8]}"
    work = repository(tmp_path / "work")
    commit(work, track("bus"))
    await GitData(address=str(work)).asave(name)
    await data_update(name)
    second = commit(work, {"data/bus/testing/b.wav": b"b"})

    update = await data_update(name, ref="refs/heads/main")
    git(work, "tag", "baseline/bus")
    await data_update(name, ref=TAG, delivery="github-1")

    assert [run.flow for run in update.runs] == ["testing-update"]
    runs = await runs_from(client, name)
    assert len(runs) == 4
    assert {run.parameters["revision"] for run in runs[2:]} == {second}


def knows(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These sources have blocks, and no others."""

    async def known() -> list[str]:
        return list(names)

    monkeypatch.setattr(tasks.every_source, "source_names", known)


async def of_sources(client: PrefectClient, *names: str) -> list[FlowRun]:
    """The runs of data-update that somebody else started for these."""
    chosen = FlowRunFilter.model_validate({"tags": {"any_": [f"source:{name}" for name in names]}})
    found = await client.read_flow_runs(flow_run_filter=chosen)
    return [run for run in found if run.deployment_id]


@pytest.mark.parametrize("scheduled", [True, False])
async def test_a_push_that_no_web_hook_told_of_is_found(
    client: PrefectClient, source: Source, monkeypatch: pytest.MonkeyPatch, scheduled: bool
) -> None:
    """The schedule names no source: each gets a run of its own, once an hour however many of its runs are late."""
    await deploy(client, data_update)
    other = f"{source.name}-calls"
    knows(monkeypatch, source.name, other)
    source.push("a", A)

    with tags("auto-scheduled") if scheduled else nullcontext():
        state = await data_update(return_state=True)
        await data_update()
    started = await of_sources(client, source.name, other)
    (ours, *_) = [run for run in started if run.parameters["source"] == source.name]
    for run in started:  # no worker is here that would begin them, and the next one would wait for its turn
        await client.delete_flow_run(run.id)
    await data_update(**ours.parameters)

    assert (state.name, state.message) == ("Started", f"a run each for {source.name}, {other}")
    assert len(started) == (2 if scheduled else 4)
    assert ours.parameters == {"source": source.name, "speech": "speechops", "store": "speechops"}
    assert await told(client, source) == ["testi bus @ a", "train bus @ a"]


async def test_without_a_data_source_the_safety_net_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new installation."""
    knows(monkeypatch)

    assert (await data_update(return_state=True)).name == "Nothing to do"


async def test_a_ref_needs_its_source() -> None:
    """Every source has refs of its own."""
    with pytest.raises(Mistake, match="parameter `source`"):
        await data_update(ref=TAG)


async def test_every_block_of_a_data_source_is_known_to_the_safety_net(tmp_path: Path) -> None:
    """As soon as it is made in the UI."""
    name = f"maps-{uuid4().hex[:8]}"
    await GitData(address=str(tmp_path)).asave(name)

    assert name in await source_names()
