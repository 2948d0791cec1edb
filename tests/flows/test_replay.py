"""What the flows decided can be decided again, from the store alone."""

from deployments.replaying import replay_verdicts
from flows.testing_update import testing_update
from flows.training_update import training_update
from tests.flows.conftest import World

STRICT = "minimum_gain_points = 50\n"


async def test_every_verdict_of_the_flows_comes_out_identical(world: World) -> None:
    """A training update and a testing update, byte by byte; another policy tells what it would have decided."""
    await testing_update(**world.arguments)
    report = await training_update(**world.arguments)
    (world.folder / "strict.toml").write_text(STRICT)

    again = await replay_verdicts("", "", True, world.store.folder, None)
    strict = await replay_verdicts(
        report.decision.digest[:10], "", False, world.store.folder, world.folder / "strict.toml"
    )

    assert [one.problem for one in again.verdicts] == ["", ""]
    assert [one.identical for one in again.verdicts] == [True, True]
    assert [one.verdict for one in again.verdicts][-1] == report.decision.digest
    assert again.exit_code == 0
    assert [(one.at is not None, one.now) for one in strict.verdicts] == [(True, "FAIL")]
    assert strict.exit_code == 0
