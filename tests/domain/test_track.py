"""track.toml: read once, refused when anything in it is unknown."""

import pytest

from domain.mistakes import Mistake
from domain.track import Track, check_name, parse_track

LOCALE = b'locale = "en-US"\n'


def test_a_locale_is_enough() -> None:
    """Everything else has a sensible default."""
    track = parse_track("sharjah", LOCALE, "track.toml")

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
        parse_track("x", text.encode(), "data/x/track.toml")


def test_another_policy_has_another_fingerprint() -> None:
    """A verdict says under which policy it was made."""
    default = parse_track("x", LOCALE, "track.toml")
    strict = parse_track("x", LOCALE + b"[gate]\nminimum_gain_points = 1", "track.toml")

    assert default.gate.fingerprint != strict.gate.fingerprint


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (LOCALE + b'description = "caf\xe9"', "data/x/track.toml:2: byte 0xe9 at position 19 is not UTF-8"),
        (LOCALE.decode().encode("utf-16"), "data/x/track.toml:1: the file is UTF-16"),
        (LOCALE + b"x = " + b"[" * 50_000, "data/x/track.toml: .*nested too deeply"),
        (LOCALE + b"a." * 20_000 + b"a = 1", "data/x/track.toml:2: the line has more than 100 dots"),
        (LOCALE + b"#" * 65_536, "data/x/track.toml: it is larger than 65,536 bytes"),
        (LOCALE + b"x = " + b"1" * 5_000, "data/x/track.toml: .*a number in it has too many digits"),
    ],
    ids=["latin-1", "utf-16", "nested", "dotted", "large", "digits"],
)
def test_a_file_that_cannot_be_read_at_all_is_told(data: bytes, told: str) -> None:
    """Whatever a track.toml holds, its author gets a sentence and not a traceback."""
    with pytest.raises(Mistake, match=told):
        parse_track("x", data, "data/x/track.toml")


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("gate", "minimum_gain_points"),
        ("gate", "minimum_relative_gain_percent"),
        ("gate", "target_wer_percent"),
        ("gate", "scoring_tolerance_points"),
        ("release", "golden_tolerance_percent"),
        ("patience", "dataset_hours"),
        ("patience", "model_hours"),
        ("patience", "evaluation_hours"),
        ("patience", "endpoint_hours"),
    ],
)
@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e300", "8761", f"1{'0' * 400}"], ids=lambda value: value[:5])
def test_a_number_without_sense_is_refused(section: str, setting: str, value: str) -> None:
    """An infinite tolerance would switch its rule off, and an endless patience cannot be told as a time."""
    with pytest.raises(Mistake, match=f"`{section}.{setting}`: Input should be"):
        parse_track("x", LOCALE + f"[{section}]\n{setting} = {value}".encode(), "track.toml")


def test_the_byte_order_mark_of_a_windows_editor_is_no_mistake() -> None:
    """It cannot be seen, so nobody could remove it."""
    assert parse_track("x", b"\xef\xbb\xbf" + LOCALE, "track.toml") == Track(name="x", locale="en-US")


@pytest.mark.parametrize("name", ["", "City", "9lives", "a_b", "../up", "x" * 41, "a\n", "\udcff"], ids=ascii)
def test_what_is_not_a_tracks_name_is_refused(name: str) -> None:
    """It becomes part of paths and of names on the service; the answer can be printed anywhere."""
    with pytest.raises(Mistake, match="is not a track's name") as refused:
        check_name(name)

    assert str(refused.value).isascii()


def test_a_tracks_name_is_accepted() -> None:
    """Letters, digits and dashes."""
    check_name("city-taxi-2")
