"""Where a track can go back to, and what counts as taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.ledger import Pending, Release, State, Withdrawn
from domain.mistakes import Mistake
from domain.rollback import (
    already_told,
    earlier,
    known,
    named,
    next_best,
    refusal,
    taken_back,
    withdrawal,
    withdrawn_after,
)

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def release(number: int, model: str, **changes: Any) -> Release:
    """A release of a model whose name and recipe follow from its letter."""
    given = {
        "number": number, "model": f"models/{model}", "model_name": f"taxi-model-{model}", "recipe": f"recipe-{model}",
        "endpoint": "endpoints/live", "evidence": f"ruling-{model}", "revision": "abc", "released_at": NOW,
        "version": f"1.{'abcdef'.index(model)}.0",
    }  # fmt: skip
    return Release(**{**given, **changes})


def head(*releases: Release, **changes: Any) -> State:
    """The head after these releases, the oldest first."""
    *former, live = releases
    return State(track="taxi", release=live, previous_releases=tuple(reversed(former)), **changes)


def withdrawn(model: str, **changes: Any) -> Withdrawn:
    """A model that was taken back."""
    given = {"model": f"models/{model}", "model_name": f"taxi-model-{model}", "recipe": f"recipe-{model}",
             "version": f"1.{'abcdef'.index(model)}.0", "reason": "it stutters", "at": NOW,
             "evidence": f"ruling-{model}"}  # fmt: skip
    return Withdrawn(**{**given, **changes})


def back_from(state: State) -> list[str]:
    """The models that the live one can be taken back for, the nearest first."""
    assert state.release is not None
    return [target.model[-1] for target in earlier(state, state.release.model)]


def test_the_nearest_earlier_model_comes_first() -> None:
    """One step at a time."""
    assert back_from(head(release(1, "a"), release(2, "b"), release(3, "c"))) == ["b", "a"]


def test_back_never_leads_forward() -> None:
    """After going back to the first one, the model in between is newer: it is not what 'back' means."""
    state = head(release(1, "a"), release(2, "b"), release(3, "c"), release(4, "a", kind="rollback"))
    assert back_from(state) == []


def test_a_model_that_was_taken_back_is_passed_over() -> None:
    """It was bad then."""
    state = head(release(1, "a"), release(2, "b"), release(3, "c"), withdrawn=(withdrawn("b"),))
    assert back_from(state) == ["a"]


def test_a_model_that_was_released_anew_counts_from_then() -> None:
    """It passed against what was live between: that one is the one before."""
    assert back_from(head(release(1, "a"), release(2, "b"), release(3, "a"))) == ["b"]


def test_from_an_interrupted_release_back_leads_to_the_live_model() -> None:
    """Clients have a model that no release tells of: everything known is earlier."""
    state = head(release(1, "a"), release(2, "b"))
    assert [target.model for target in earlier(state, "models/f")] == ["models/b", "models/a"]


@pytest.mark.parametrize("to", ["1.1.0", "v1.1.0", "2", "#2", "4", "taxi-model-b"])
def test_a_release_has_several_names(to: str) -> None:
    """Version, number (also of a rollback to it), and the model's name."""
    state = head(release(1, "a"), release(2, "b"), release(3, "c"), release(4, "b", kind="rollback"))
    assert named(state, to).model == "models/b"


def test_an_unknown_version_is_answered_with_what_there_is() -> None:
    """Nobody has to look them up at three in the morning; what was typed is cut."""
    with pytest.raises(Mistake, match=r"no release '7\.0\.0'. There are: 1\.1\.0 \('taxi-model-b'\), 1\.0\.0"):
        named(head(release(1, "a"), release(2, "b")), "7.0.0")


def test_what_an_older_speechops_released_goes_by_its_number() -> None:
    """It had no versions."""
    state = head(release(1, "a", version=""), release(2, "b", version=""))
    assert [target.handle for target in known(state)] == ["2", "1"]


def test_going_back_takes_the_live_model_back_and_going_forth_takes_nothing_back() -> None:
    """A model that is made welcome again says nothing against the one that stood in for it."""
    state = head(release(1, "a"), release(2, "b"))
    second, first = known(state)
    taken = withdrawal(state, second, first, "bad", NOW)
    assert taken is not None
    assert (taken.model, taken.evidence, taken.version) == ("models/b", "ruling-b", "1.1.0")

    back = head(release(1, "a"), release(2, "b"), release(3, "a", kind="rollback"), withdrawn=(taken,))
    assert withdrawal(back, first, second, "it was fine", NOW) is None
    assert withdrawn_after(back, "models/b") == ()


def test_what_is_taken_back_is_noted_when_the_rollback_is_recorded() -> None:
    """The newest first; the pending rollback carries it, so that a crash between loses nothing."""
    pending = Pending(model_name="taxi-model-a", evidence="ruling-a", kind="rollback", takes_back=withdrawn("c"))
    state = head(release(1, "a"), release(3, "c"), pending=pending, withdrawn=(withdrawn("b"),))
    assert [one.model[-1] for one in withdrawn_after(state, "models/a")] == ["c", "b"]


def test_a_recipe_that_was_taken_back_is_refused_with_the_remedy() -> None:
    """Reason, date, and the command."""
    state = head(release(1, "a"), withdrawn=(withdrawn("b"),))
    assert refusal(state, "recipe-b") == (
        "'taxi-model-b' was taken back on 2026-11-21 03:00 UTC: it stutters. It does not go live again by itself. "
        "To put it live after all: `speechops rollback taxi --to 1.1.0`. Other training data make another model."
    )
    assert refusal(state, "recipe-c") == ""
    anew = head(release(1, "a"), withdrawn=(withdrawn("b", recipe="recipe-a"),))
    assert refusal(anew, "recipe-a") == "", "an earlier training of the same recipe is live"


def test_the_next_best_choice_is_an_earlier_one_then_any_then_none() -> None:
    """Always a command, or what else to do."""
    first, second = reversed(known(head(release(1, "a"), release(2, "b"))))
    assert next_best("taxi", [first]) == "Next best: 1.0.0 ('taxi-model-a'), by `speechops rollback taxi --to 1.0.0`."
    assert "`speechops rollback taxi --to 1.1.0`" in next_best("taxi", [], [second])
    assert "training-update" in next_best("taxi", [])


def test_a_rollback_is_known_by_what_it_took_back() -> None:
    """Asking again is answered; after a model was made welcome again, or a new one was released, back is a step anew."""
    later = NOW + timedelta(minutes=1)
    back = release(3, "b", kind="rollback", released_at=later + timedelta(minutes=1))
    state = head(release(1, "a"), release(2, "b"), release(2, "c"), back, withdrawn=(withdrawn("c", at=later),))
    assert taken_back(state) == state.withdrawn[0]
    assert already_told(state) == (
        "1.1.0 ('taxi-model-b') is live since 2026-11-21 03:02 UTC, instead of 'taxi-model-c'. "
        "To go back one more: `speechops rollback taxi --to 1.0.0`."
    )
    assert taken_back(state.model_copy(update={"withdrawn": ()})) is None
    assert taken_back(head(back, release(4, "d"), withdrawn=state.withdrawn)) is None
    forth = release(4, "d", kind="rollback", released_at=later + timedelta(hours=1))
    assert taken_back(head(release(1, "a"), back, forth, withdrawn=state.withdrawn)) is None
