"""Which base model a candidate is trained from."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.base_models import BaseModelFacts, choose_base_model
from domain.mistakes import Mistake

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OLD = BaseModelFacts(
    path="models/base/old",
    name="20250101",
    created=datetime(2025, 1, 1, tzinfo=UTC),
    adaptable_until=datetime(2027, 1, 15, tzinfo=UTC),
    adapts_with=frozenset({"Language", "Acoustic", "Pronunciation"}),
)
NEW = replace(OLD, path="models/base/new", name="20260101", created=datetime(2026, 1, 1, tzinfo=UTC))
TEXT = frozenset({"Language"})


def choose(*offered: BaseModelFacts, wanted: str = "newest", pinned: str | None = None) -> BaseModelFacts:
    """Choose for text data."""
    return choose_base_model(offered, "en-US", wanted, pinned, TEXT, NOW)


def test_the_newest_is_taken_whatever_the_order() -> None:
    """Azure's lists have no order, so "last" means nothing."""
    assert choose(NEW, OLD) == choose(OLD, NEW) == NEW


def test_the_one_in_use_stays() -> None:
    """A newer base model is no reason to change under the feet of a comparison."""
    assert choose(OLD, NEW, pinned=OLD.path) == OLD


def test_the_one_in_use_is_left_when_it_can_no_longer_be_trained() -> None:
    """Past its adaptation date, training would fail."""
    assert choose(replace(OLD, adaptable_until=NOW), NEW, pinned=OLD.path) == NEW


def test_a_named_one_is_taken() -> None:
    """track.toml may pin one by name."""
    assert choose(OLD, NEW, wanted="20250101") == OLD


@pytest.mark.parametrize(
    ("offered", "wanted", "told"),
    [
        ((), "newest", "no base model for locale 'en-US'"),
        ((OLD,), "20240101", "is named '20240101'.*Offered: 20250101"),
        ((replace(OLD, adapts_with=frozenset({"Pronunciation"})),), "newest", "can be trained with Language"),
        ((replace(OLD, supports_endpoints=False),), "newest", "can be trained"),
    ],
)
def test_none_that_fits_is_told_with_what_there_is(offered: tuple[BaseModelFacts, ...], wanted: str, told: str) -> None:
    """The message says what to correct."""
    with pytest.raises(Mistake, match=told):
        choose(*offered, wanted=wanted)
