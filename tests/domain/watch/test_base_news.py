"""Newer base models: told with figures and with the command that trains from them."""

from datetime import UTC, datetime

from domain.base_models import BaseModelFacts
from domain.significance import Gain
from domain.watch.base_news import base_finding, newer_base
from domain.watch.commands import Commands

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TEXT = frozenset({"Language"})


def base(name: str, *, until: int = 2030, kinds: frozenset[str] = TEXT) -> BaseModelFacts:
    """A base model that came out on the day that its name says."""
    created = datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC)
    return BaseModelFacts(f"models/base/{name}", name, created, datetime(until, 1, 1, tzinfo=UTC), kinds)


OLD, NEW = base("20250415"), base("20260115")


def test_a_newer_one_is_found_whatever_the_order() -> None:
    """Lists have none."""
    assert newer_base([NEW, OLD], OLD.path, TEXT, NOW) == NEW
    assert newer_base([OLD, NEW], OLD.path, TEXT, NOW) == NEW


def test_the_present_one_is_no_news() -> None:
    """Nor is an older one."""
    assert newer_base([OLD, NEW], NEW.path, TEXT, NOW) is None


def test_one_that_cannot_be_trained_with_these_data_is_no_proposal() -> None:
    """A command that would be refused helps nobody."""
    sounds = base("20261001", kinds=frozenset({"Acoustic"}))
    over = base("20261002", until=2025)

    assert newer_base([OLD, sounds, over], OLD.path, TEXT, NOW) is None


def test_a_base_model_that_the_service_no_longer_lists_is_older_than_any() -> None:
    """The live model outlives it."""
    assert newer_base([NEW], OLD.path, TEXT, NOW) == NEW


def test_a_base_model_that_beats_the_live_model_is_a_warning() -> None:
    """Customisation no longer pays; otherwise it is for information."""
    worse = Gain(-0.02, (-0.03, -0.01), 0.99, "block bootstrap", 20, 900)
    better = Gain(0.02, (0.01, 0.03), 0.001, "block bootstrap", 20, 900)

    loud = base_finding("20260115", "model", worse, (0.08, 0.10), Commands(track="taxi"))
    quiet = base_finding("20260115", "model", better, (0.12, 0.10), Commands(track="taxi"))

    assert (loud.severity, quiet.severity) == ("warning", "info")
    assert "no longer pays" in loud.detail
    assert "-p 'base=\"20260115\"'" in quiet.what_to_do
    assert loud.identity != quiet.identity
