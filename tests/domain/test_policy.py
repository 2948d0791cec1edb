"""Section [gate] of track.toml: every number has sensible ends, and slices are written the way that labels are."""

import pytest

from domain.mistakes import Mistake
from domain.policy import GatePolicy
from domain.track import parse_track

NUMBERS = [name for name, field in GatePolicy.model_fields.items() if field.annotation in (float, int, float | None)]


def parsed(settings: str) -> GatePolicy:
    """A policy as people write it."""
    return parse_track("x", f'locale = "en-US"\n[gate]\n{settings}\n'.encode(), "track.toml").gate


@pytest.mark.parametrize("setting", NUMBERS)
@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e300", "-1", "1000000000"])
def test_a_number_without_sense_is_refused(setting: str, value: str) -> None:
    """An infinite tolerance would switch its rule off."""
    with pytest.raises(Mistake, match=f"`gate.{setting}`: "):
        parsed(f"{setting} = {value}")


@pytest.mark.parametrize(
    "setting", ['protected_slices = ["{}"]', 'required_slices = ["noise=loud", "{}"]', 'control = "{}"']
)
@pytest.mark.parametrize("text", ["loud", "noise=", "=loud", "", "speaker=anna", "session=1"])
def test_what_is_no_slice_is_refused(setting: str, text: str) -> None:
    """A slice that cannot be there would protect nobody."""
    with pytest.raises(Mistake, match=r"`gate\.[a-z_.0-9]+`: a slice is written label=value, such as noise=babble25"):
        parsed(setting.format(text))


@pytest.mark.parametrize("setting", ['mode = "better"', 'leaks = "ignore"', "minimum_gain = 1"])
def test_an_unknown_word_is_refused(setting: str) -> None:
    """A misspelt rule cannot be switched off by accident."""
    with pytest.raises(Mistake, match="`gate"):
        parsed(setting)


def test_every_setting_changes_the_fingerprint() -> None:
    """A verdict says under which policy it was made."""
    changed = [
        parsed(line).fingerprint
        for line in ('mode = "non-inferiority"', "reuse_budget = 3", 'leaks = "exclude"', 'control = "a=b"')
    ]

    assert len({*changed, GatePolicy().fingerprint}) == 5


def test_the_confidence_says_what_is_no_chance() -> None:
    """95 per cent leaves one in twenty."""
    assert (GatePolicy().alpha, GatePolicy(confidence_percent=99).alpha) == (0.05, 0.01)
