"""Where a model is promoted to, and when a copy is what the model is at home."""

import pytest

from domain.mistakes import Mistake
from domain.promotion import PromotionReport, PromotionTarget, Region, apart, chosen, line_name, refuse_collision
from domain.report.promotion_page import promotion_page
from domain.track import parse_track

TARGETS = (PromotionTarget(name="prod", speech="a"), PromotionTarget(name="west", speech="b"))


def region(outcome: str, told: str = "", target: str = "prod") -> Region:
    """What became of it at one target."""
    return Region.model_validate({"target": target, "line": f"taxi-{target}", "outcome": outcome, "told": told})


def report(*regions: Region) -> PromotionReport:
    """A run with these regions."""
    return PromotionReport(track="taxi", model="taxi-model", version="1.0.0", flow_run="", regions=regions)


def test_targets_stand_in_the_tracks_settings() -> None:
    """As one line, or as tables."""
    line = b'locale = "en-US"\npromotion = [{ name = "prod", speech = "speech-prod" }]\n'
    table = b'locale = "en-US"\n[[promotion]]\nname = "prod"\nspeech = "speech-prod"\n'

    assert parse_track("taxi", line, "f").promotion == parse_track("taxi", table, "f").promotion
    assert parse_track("taxi", line, "f").promotion[0].tolerance_points == 0.5


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{ name = "Prod", speech = "s" }', "promotion.0.name"),
        ('{ name = "../x", speech = "s" }', "promotion.0.name"),
        ('{ name = "prod" }', "promotion.0.speech"),
        ('{ name = "prod", speech = "s", region = "x" }', "promotion.0.region"),
        ('{ name = "prod", speech = "s" }, { name = "prod", speech = "t" }', "each target needs a name of its own"),
    ],
)
def test_a_target_that_is_wrong_is_told(entry: str, message: str) -> None:
    """With the field, before anything runs."""
    with pytest.raises(Mistake, match=message):
        parse_track("taxi", f'locale = "en-US"\npromotion = [{entry}]\n'.encode(), "track.toml")


def test_all_targets_are_chosen_or_the_one_that_is_named() -> None:
    """A name that is none is told, with those that there are."""
    assert chosen(TARGETS, "", "taxi") == TARGETS
    assert chosen(TARGETS, "west", "taxi") == TARGETS[1:]
    with pytest.raises(Mistake, match=r"no promotion target 'east' \(known: prod, west\)"):
        chosen(TARGETS, "east", "taxi")
    with pytest.raises(Mistake, match="no promotion targets"):
        chosen((), "", "taxi")


def test_a_line_is_named_by_track_and_target() -> None:
    """Too long a name is refused before Azure does, and one that a track has already."""
    assert line_name("taxi", "prod") == "taxi-prod"
    with pytest.raises(Mistake, match="41 letters, and the name of a promoted track has 40 at most"):
        line_name("t" * 36, "prod")
    with pytest.raises(Mistake, match="'taxi-prod' is a track of its own"):
        refuse_collision("taxi-prod", ("taxi", "taxi-prod"))


@pytest.mark.parametrize(
    ("home", "there", "same"),
    [(0.10, 0.105, True), (0.10, 0.095, True), (0.10, 0.106, False), (0.10, 0.09, False), (None, 0.1, False)],
)
def test_a_copy_must_be_what_the_model_is_at_home(home: float | None, there: float, same: bool) -> None:
    """Better is as odd as worse: it is not the same model then. An unknown WER is no agreement."""
    assert (apart(home, there, 0.5) == "") is same


def test_a_run_is_called_by_its_worst_region() -> None:
    """A failure must not hide behind a success."""
    assert report(region("Released"), region("Failed", "down", "west")).worst == "Failed"
    assert report(region("Already live"), region("Released")).worst == "Released"
    assert report(region("Planned"), region("Refused")).worst == "Refused"


def test_the_page_has_a_row_for_each_target_and_no_markup_of_others() -> None:
    """What a service says in an error stays text."""
    page = promotion_page(report(region("Released"), region("Failed", "[click](http://evil) | <b>", "west")))

    assert page.count("\n|") == 2 + 2
    assert "| prod | **Released** |" in page
    assert "[click](" not in page
    assert "<b>" not in page.replace("\\<b\\>", "")
