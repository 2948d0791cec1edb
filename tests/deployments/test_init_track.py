"""`speechops init` writes a track that is true to the settings it explains, and touches nothing else."""

import re
import wave
from pathlib import Path

import pytest

from deployments.init_track import next_steps, write_track
from domain.mistakes import Mistake
from domain.track import Track, parse_track


def test_a_new_track_can_be_read_as_it_is(tmp_path: Path) -> None:
    """Nobody has to edit a file before the first run."""
    folder = write_track("city-taxi", "en-GB", tmp_path)

    track = parse_track("city-taxi", (folder / "track.toml").read_bytes(), "track.toml")

    assert track == Track(name="city-taxi", locale="en-GB")


def test_every_setting_is_shown_with_its_meaning(tmp_path: Path) -> None:
    """A field that the template forgets would stay unknown to its users."""
    text = (write_track("city-taxi", "en-US", tmp_path) / "track.toml").read_text("utf-8")

    track = parse_track("city-taxi", _with_all_settings(text), "track.toml")

    missing = {field for name, model in _groups(track) for field in _fields(model) - _set_fields(track, name)}
    assert not missing


def test_the_shown_values_are_the_defaults(tmp_path: Path) -> None:
    """Removing a `#` alone changes nothing, save where the setting has no default and an example stands."""
    text = (write_track("city-taxi", "en-US", tmp_path) / "track.toml").read_text("utf-8")

    shown = parse_track("city-taxi", _with_all_settings(text), "track.toml").model_dump()

    default = Track(name="city-taxi", locale="en-US").model_dump()
    shown["model"]["weight_percent"] = shown["gate"]["target_wer_percent"] = shown["gate"]["control"] = None
    assert shown == default


def test_the_example_recordings_match_their_transcripts(tmp_path: Path) -> None:
    """The examples are what the README says: 16 kHz, mono, 16 bit, one line of trans.txt each."""
    testing = write_track("city-taxi", "en-US", tmp_path) / "testing"

    rows = dict(line.split("\t") for line in (testing / "trans.txt").read_text("utf-8").splitlines())

    assert set(rows) == {path.name for path in testing.glob("*.wav")}
    for name in rows:
        with wave.open(str(testing / name)) as recording:
            assert recording.getparams()[:3] == (1, 2, 16000)


def test_no_example_sentence_is_both_trained_and_tested(tmp_path: Path) -> None:
    """The examples keep the rule that their README states."""
    folder = write_track("city-taxi", "en-US", tmp_path)

    training = set((folder / "training/plain_text.txt").read_text("utf-8").splitlines())
    tested = {line.split("\t")[1] for line in (folder / "testing/trans.txt").read_text("utf-8").splitlines()}

    assert not training & tested


def test_an_existing_track_is_never_overwritten(tmp_path: Path) -> None:
    """A typing slip must not cost anybody their data."""
    mine = tmp_path / "city-taxi" / "track.toml"
    mine.parent.mkdir()
    mine.write_text("mine")

    with pytest.raises(Mistake, match="exists already"):
        write_track("city-taxi", "en-US", tmp_path)

    assert mine.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["city-taxi"]


@pytest.mark.parametrize("name", ["", "City", "9lives", "a_b", "../up", "x" * 41, "-x"])
def test_a_name_that_azure_or_a_folder_could_not_take_is_refused(name: str, tmp_path: Path) -> None:
    """The name becomes part of display names and paths."""
    with pytest.raises(Mistake, match="is not a track's name"):
        write_track(name, "en-US", tmp_path)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("locale", ["english", "en", "EN-us", 'en-US"\nx = "'])
def test_a_locale_that_is_none_is_refused(locale: str, tmp_path: Path) -> None:
    """The error names what was typed and shows a right one."""
    with pytest.raises(Mistake, match="is not a locale") as refused:
        write_track("city-taxi", locale, tmp_path)

    assert "en-US" in str(refused.value)


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """A file where the folder of tracks should be is told, not shown as a traceback."""
    (tmp_path / "data").write_text("a file")

    with pytest.raises(Mistake, match=r"cannot be written .* --data"):
        write_track("city-taxi", "en-US", tmp_path / "data")


def test_the_next_steps_name_the_track_and_its_folder() -> None:
    """The command can be copied."""
    assert "-p track=city-taxi\n" in next_steps(Path("data/city-taxi"), "en-US") + "\n"
    assert "-p track=city-taxi -p data=mine" in next_steps(Path("mine/city-taxi"), "en-US")
    assert "de-DE" in next_steps(Path("data/city-taxi"), "de-DE")


def _with_all_settings(text: str) -> bytes:
    return re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE).encode()


def _groups(track: Track) -> list[tuple[str, object]]:
    return [("", track), *((name, getattr(track, name)) for name in ("model", "gate", "release", "patience"))]


def _fields(model: object) -> set[str]:
    return set(type(model).model_fields)  # type: ignore[attr-defined]


def _set_fields(track: Track, group: str) -> set[str]:
    return (getattr(track, group) if group else track).model_fields_set
