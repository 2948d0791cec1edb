"""Names come from content: the same bytes and the same recipe always get the same name."""

from hypothesis import given
from hypothesis import strategies as st

from domain.naming import (
    dataset_identity,
    evaluation_identity,
    fingerprint,
    model_identity,
    release_endpoint_identity,
    staging_endpoint_identity,
)

HASHES = st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=4, unique=True)


@given(HASHES, st.randoms())
def test_the_order_of_datasets_makes_no_other_model(hashes: list[str], random: object) -> None:
    """Listing the same data in another order trains nothing again."""
    shuffled = sorted(hashes, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert model_identity("t", "base", "20260101", hashes, None) == model_identity(
        "t", "base", "20260101", shuffled, None
    )


@given(HASHES)
def test_anything_that_changes_training_makes_another_model(hashes: list[str]) -> None:
    """Base model, data and weight are the recipe."""
    recipe = model_identity("t", "base", "20260101", hashes, None)
    others = [
        model_identity("t", "other", "20260101", hashes, None),
        model_identity("t", "base", "20260101", [*hashes, "f" * 64], None),
        model_identity("t", "base", "20260101", hashes, 30),
    ]
    assert recipe.content_hash not in {other.content_hash for other in others}


def test_swapped_models_are_another_evaluation() -> None:
    """Model 1 and model 2 have different roles."""
    assert evaluation_identity("t", "a", "b", "data") != evaluation_identity("t", "b", "a", "data")


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_different_parts_never_share_a_fingerprint(one: list[str], other: list[str]) -> None:
    """Neither by joining nor by splitting."""
    assert (fingerprint(*one) == fingerprint(*other)) == (one == other)


def test_a_name_says_track_and_kind() -> None:
    """People find it in Speech Studio."""
    assert dataset_identity("sharjah", "Acoustic", "ab" * 32).name == "sharjah-acoustic-abababababab"


def test_each_release_has_an_endpoint_of_its_own() -> None:
    """The same model once more is another release, whose clients are others; staging is never taken for live."""
    first, again = (release_endpoint_identity("sharjah", "models/1", number) for number in (3, 5))

    assert first.name.startswith("sharjah-live-")
    assert len({first.name, again.name, staging_endpoint_identity("sharjah", "models/1").name}) == 3
