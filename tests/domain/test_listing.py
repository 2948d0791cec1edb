"""What is listed in a source: links, submodules and names that lead elsewhere are refused before anything is fetched."""

import pytest

from domain.listing import Entry, Kind, refusals, wanted


def refused(*paths: str) -> list[str]:
    """The places of files that are refused."""
    return [problem.file for problem in refusals([Entry(path) for path in paths], "data")]


@pytest.mark.parametrize(
    "pair",
    [("a.wav", "A.wav"), ("\u00e9.wav", "e\u0301.wav"), ("stra\u00dfe.wav", "STRASSE.wav"), ("a.wav", "a.wav")],
)
def test_files_that_one_disk_holds_as_one_are_refused(pair: tuple[str, str]) -> None:
    """One would replace the other, on some machines."""
    assert len(refused(*(f"data/taxi/testing/{name}" for name in pair))) == 1


def test_a_file_in_the_place_of_a_folder_is_refused() -> None:
    """Whichever case it is written in."""
    assert refused("data/taxi/testing/A", "data/taxi/testing/a/b") == ["taxi/testing/a"]


@pytest.mark.parametrize(
    "name", ["a\\b", "c:x", "a\nb", "a\x00b", "\u202ex", "\udcff", "GIT~1", "git~1 .", "n" * 256, "x/" * 16]
)
def test_a_name_that_systems_understand_differently_is_refused(name: str) -> None:
    """What is shown of it can be printed."""
    (shown,) = refused(f"data/taxi/testing/{name}")

    assert shown.isprintable()
    assert len(shown) <= 201


@pytest.mark.parametrize(
    "name", [".git/config", ".GIT/config", "../../x", "./x", ".gitattributes", "__MACOSX/x", "a:Zone.Identifier"]
)
def test_what_is_hidden_is_not_written(name: str) -> None:
    """No flow reads it."""
    entries = [Entry(f"data/taxi/testing/{name}"), Entry("data/taxi/track.toml"), Entry("data/README"), Entry("src/x")]

    assert [entry.path for entry in wanted(entries, "data")] == ["data/taxi/track.toml"]
    assert refused(f"data/taxi/testing/{name}") == []


@pytest.mark.parametrize("kind", ["link", "submodule"])
def test_what_is_no_file_is_refused_even_when_it_is_hidden(kind: Kind) -> None:
    """At a track, below it, and in the place of the folder of all tracks."""
    entries = [Entry(path, kind) for path in ("data", "data/taxi", "data/taxi/.x", "data/taxi/testing/a.wav")]

    assert [problem.file for problem in refusals(entries, "data")] == ["data", "taxi", "taxi/.x", "taxi/testing/a.wav"]
    assert wanted(entries, "data") == []
