"""Everything is killed, cut off and cancelled at seeded points of real flows: in the end all is as if nothing had happened.

A plan that fails is played again alone by its seed: `pytest tests/chaos -m slow -k seed-017`. docs/reliability.md tells what
is promised and what came of it.
"""

import pytest

from tests.chaos.conftest import Played, Theatre
from tests.chaos.plans import Plan, all_plans
from tests.deployments.receiver.postgres_kit import why_not

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.mark.parametrize("plan", all_plans(), ids=lambda plan: plan.name)
def test_plan(plan: Plan, played: Played) -> None:
    """What was under way ends as it should, the track is whole, and a client noticed nothing."""
    if plan.world == "postgres" and (reason := why_not()):
        pytest.skip(reason)

    told = played(plan)

    print(f"\n  {plan.name}, fault at {told['fired'] or 'no point: the run was over before'}")
    print("\n".join(f"  {line}" for line in told["log"]))
    assert told["violations"] == []


def test_the_house_is_clean_in_the_end(theatre: Theatre) -> None:
    """After all plans of a world, one more push without any fault: what killed processes had left is gone, too."""
    for stage in theatre.stages.values():
        assert stage.house()["house"] == []
