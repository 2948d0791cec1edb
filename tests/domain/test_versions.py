"""Versions: they tell how much is new about a model, and no two models ever share one."""

from datetime import UTC, datetime

import pytest

from domain.ledger import Release, State, Withdrawn
from domain.versions import version_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def released(model: str, version: str, base: str = "b1", recipe: str = "") -> Release:
    """A release of a model that was trained from its own recipe, unless another is named."""
    return Release(
        number=1, model=model, model_name=model, recipe=recipe or f"recipe of {model}", endpoint="e", evidence="",
        revision="", released_at=NOW, version=version, base_model=base,
    )  # fmt: skip


def head(*releases: Release, withdrawn: tuple[Withdrawn, ...] = ()) -> State:
    """A head; the newest release comes first, and is live."""
    return State(
        track="taxi", release=releases[0] if releases else None, previous_releases=releases[1:], withdrawn=withdrawn
    )


M1, M2 = released("m1", "1.0.0"), released("m2", "1.1.0")
M3 = released("m3", "2.0.0", base="b2")
M2_ANEW = released("m2-anew", "1.1.1", recipe=M2.recipe)
BACK_TO_1 = released("m1", "1.0.0")


@pytest.mark.parametrize(
    ("state", "base", "recipe", "version"),
    [
        (head(), "b1", "new", "1.0.0"),
        (head(M1), "b1", "new", "1.1.0"),
        (head(M1), "b2", "new", "2.0.0"),
        (head(M1), "b1", M1.recipe, "1.0.1"),
        (head(BACK_TO_1, M2, M1), "b1", "new", "1.2.0"),
        (head(BACK_TO_1, M2, M1), "b1", M2.recipe, "1.1.1"),
        (head(M2, M2_ANEW, M2, M1), "b1", M2.recipe, "1.1.2"),
        (head(BACK_TO_1, M3, M1), "b1", "new", "1.1.0"),
        (head(BACK_TO_1, M3, M1), "b3", "new", "3.0.0"),
        (head(released("old", "", base="")), "b1", "new", "1.0.0"),
    ],
    ids=["first", "data", "base model", "trained anew", "after a rollback", "another recipe anew", "anew after a rollback", "data, old base",
         "base model after a rollback", "none so far"],
)  # fmt: skip
def test_a_version_says_what_is_new(state: State, base: str, recipe: str, version: str) -> None:
    """Major: another base model. Minor: other data. Patch: the same recipe. What was given away is not given again."""
    assert version_of(state, "m-new", base, recipe) == version


def test_a_model_keeps_its_version() -> None:
    """It went live before, and does again after others."""
    assert version_of(head(M3, M2, M1), "m2", "b1", M2.recipe) == "1.1.0"


def test_a_withdrawn_version_is_not_given_again() -> None:
    """Also when no release is known any more that had it."""
    gone = Withdrawn(model="m9", model_name="m9", recipe="r9", version="1.1.0", reason="", at=NOW)

    assert version_of(head(M1, withdrawn=(gone,)), "m-new", "b1", "new") == "1.2.0"
