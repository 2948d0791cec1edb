"""prefect.yaml names flows as strings, which Prefect does not import when it deploys: this does."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from prefect.flows import load_flow_from_entrypoint
from ruamel.yaml import YAML

from deployments.registration import BLOCK, POOL

PROJECT = Path(__file__).parents[2]
DEPLOYMENTS: list[dict[str, Any]] = YAML(typ="safe").load((PROJECT / "prefect.yaml").read_text("utf-8"))["deployments"]
EACH = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=[each["entrypoint"] for each in DEPLOYMENTS])


def test_every_flow_has_a_deployment() -> None:
    """The names that the guide, the demo and the web hooks use."""
    assert {(each["entrypoint"], each["name"]) for each in DEPLOYMENTS} == {
        ("flows/data_update.py:data_update", "speechops"),
        ("flows/testing_update.py:testing_update", "speechops"),
        ("flows/training_update.py:training_update", "speechops"),
        ("flows/deploy.py:deploy", "speechops"),
        ("flows/rollback.py:rollback", "speechops"),
        ("flows/promote.py:promote", "speechops"),
        ("flows/pull_request.py:pull_request", "speechops"),
        ("flows/watch.py:watch", "speechops"),
    }


@EACH
def test_every_entrypoint_can_be_loaded(deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that cannot be imported deploys without a complaint and fails in its first run."""
    monkeypatch.chdir(PROJECT)

    flow = load_flow_from_entrypoint(deployment["entrypoint"])

    assert flow.name == Path(deployment["entrypoint"].partition(":")[0]).stem.replace("_", "-")


@EACH
def test_every_parameter_is_one_of_the_flow(deployment: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's server takes unknown parameters, and the run fails later."""
    monkeypatch.chdir(PROJECT)

    flow = load_flow_from_entrypoint(deployment["entrypoint"])

    assert set(deployment["parameters"]) <= set(inspect.signature(flow.fn).parameters)
    assert set(deployment["parameters"].values()) == {BLOCK}


@EACH
def test_every_deployment_uses_the_pool_that_up_makes(deployment: dict[str, Any]) -> None:
    """Runs for a pool without a worker wait for ever."""
    assert deployment["work_pool"]["name"] == POOL


def test_the_safety_net_is_on_for_every_source() -> None:
    """GitHub tells of a push once: what no web hook told of is found without anybody doing anything."""
    (update,) = [each for each in DEPLOYMENTS if each["entrypoint"].startswith("flows/data_update.py")]
    (net,) = update["schedules"]

    assert (net["active"], net.get("parameters", {})) == (True, {})
    assert "source" not in update["parameters"]
