"""track.toml: read once, refused when anything in it is unknown."""

import pytest

from domain.mistakes import Mistake
from domain.track import parse_track


def test_a_locale_is_enough() -> None:
    """Everything else has a sensible default."""
    track = parse_track("sharjah", 'locale = "en-US"', "track.toml")

    assert track.gate.minimum_gain_points == 0.2
    assert track.gate.minimum_relative_gain_percent == 2.0
    assert track.gate.target_wer_percent is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("locale = en-US", "data/x/track.toml: this is not valid TOML.*line 1"),
        ("", "`locale`: Field required"),
        ('locale = "english"', "`locale`: String should match"),
        ('locale = "en-US"\ncolour = "red"', "`colour`: Extra inputs are not permitted"),
        (
            'locale = "en-US"\n[gate]\nminimum_gain_points = -1',
            "`gate.minimum_gain_points`: .* greater than or equal to 0",
        ),
        ('locale = "en-US"\n[model]\nweight_percent = 101', "`model.weight_percent`"),
    ],
)
def test_a_mistake_is_told_with_file_and_setting(text: str, told: str) -> None:
    """No traceback, no guessing."""
    with pytest.raises(Mistake, match=told):
        parse_track("x", text, "data/x/track.toml")


def test_another_policy_has_another_fingerprint() -> None:
    """A verdict says under which policy it was made."""
    default = parse_track("x", 'locale = "en-US"', "track.toml")
    strict = parse_track("x", 'locale = "en-US"\n[gate]\nminimum_gain_points = 1', "track.toml")

    assert default.gate.fingerprint != strict.gate.fingerprint
