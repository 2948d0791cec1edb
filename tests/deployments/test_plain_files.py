"""Plain files: what is wrong with them is told with file, line, reason and remedy."""

from pathlib import Path

import pytest

from deployments.plain_files import read_labels, read_phrases, read_policy, read_training_text, read_transcripts
from domain.comparison import Phrase
from domain.mistakes import Mistake


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to write, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path("trans.txt")


@pytest.mark.parametrize(
    "data",
    [
        "a.wav\tHello there.\nb.wav\tÇa va\n".encode(),
        "a.wav\tHello there.\nb.wav\tÇa va".encode("utf-8-sig"),
        "a.wav\tHello there.\r\n\r\nb.wav\t Ça\tva \r\n".encode(),
    ],
)
def test_transcripts_of_every_origin_are_read_alike(file: Path, data: bytes) -> None:
    """Windows, a byte-order mark, blank lines and a tab within the text change nothing."""
    file.write_bytes(data)

    assert read_transcripts(file) == {"a.wav": "Hello there.", "b.wav": "Ça va"}


def test_an_id_may_be_composed_or_not(file: Path) -> None:
    """macOS may store an accent as a character of its own."""
    file.write_text("Zoe\u0308.wav\tone\n")

    assert read_transcripts(file, ["Zo\u00eb.wav"]) == {"Zo\u00eb.wav": "one"}


def test_silence_is_an_id_and_a_tab(file: Path) -> None:
    """A model that heard nothing has said so."""
    file.write_text("a.wav\t\n")

    assert read_transcripts(file, ["a.wav"]) == {"a.wav": ""}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a.wav\tone\na.wav\tone\n", "trans.txt:2: 'a.wav' stands here and in line 1. Keep one of the two."),
        (b"a.wav\tone\nb.wav two\n", "trans.txt:2: the line has no tab. Put one tab between the id and the text"),
        (b"a.wav\tone\n\ttwo\n", "trans.txt:2: the line has no id. Write the recording's id"),
        (b"a.wav\tone\nb.wav\t\xff\n", "trans.txt:2: byte 0xff at position 7 is not UTF-8. Save the file as UTF-8"),
        (b"a.wav\tone\nb.wav\tt\x00o\n", "trans.txt:2: the line holds the invisible character U+0000. Remove it."),
        (b"\xff\xfea\x00", "trans.txt:1: the file is UTF-16. Save it as UTF-8"),
        (b"", "trans.txt: the file holds no transcripts. Write one line per recording"),
        (b"\n \n", "trans.txt: the file holds no transcripts. Write one line per recording"),
        (b"a.wav\tone\n", "trans.txt: no line for 'b.wav' of the references. Add a line with the id and a tab"),
        (b"a.wav\tone\nb\ttwo\n", "trans.txt:2: the references have no 'b'. Write 'b.wav', as the references do."),
        (b"a.wav\tone\nb.wav\ttwo\nc.wav\tthree\n", "trans.txt:3: the references have no 'c.wav'. Correct the id"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_remedy(file: Path, data: bytes, told: str) -> None:
    """A person can mend it without asking anybody."""
    file.write_bytes(data)

    with pytest.raises(Mistake) as refused:
        read_transcripts(file, ["a.wav", "b.wav"])
    assert str(refused.value).startswith(told)


def test_many_missing_ids_are_one_line(file: Path) -> None:
    """Half a file is one mistake, not a thousand."""
    file.write_text("0\tone\n")

    with pytest.raises(Mistake, match=r"^trans.txt: no line for '1', '2', '3', '4', '5' and 94 more of the references"):
        read_transcripts(file, list(map(str, range(100))))


def test_all_wrong_lines_are_told_at_once(file: Path) -> None:
    """Whoever mends a file mends it once."""
    file.write_text("a.wav\n\ttwo\n")

    with pytest.raises(Mistake, match=r"^2 problems\ntrans.txt:1: .*\ntrans.txt:2: "):
        read_transcripts(file)


@pytest.mark.parametrize("path", ["nothing.txt", "."])
def test_a_path_that_is_no_file_is_told(file: Path, path: str) -> None:
    """The message names the path."""
    with pytest.raises(Mistake, match=r"Correct the path"):
        read_transcripts(Path(path))


def test_speakers_are_lines_or_a_table(file: Path) -> None:
    """Who has only speakers need not make a table."""
    file.write_text("a.wav\tanna\n")
    assert read_labels(file, ["a.wav"]) == {"a.wav": {"speaker": "anna"}}

    file.write_bytes(b"\xef\xbb\xbffile\tspeaker\tnoise\na.wav\tanna\tpink\n")
    assert read_labels(file, ["a.wav"]) == {"a.wav": {"speaker": "anna", "noise": "pink"}}


@pytest.mark.parametrize("text", ["a.wav\t\n", "file\tspeaker\na.wav\t\n", "file\tspeaker\nb.wav\tanna\n"])
def test_every_recording_needs_its_speaker(file: Path, text: str) -> None:
    """A speaker left out would count as somebody of their own."""
    file.write_text(text)

    with pytest.raises(Mistake, match=r"trans.txt:?2?:? "):
        read_labels(file, ["a.wav"])


def test_phrases_are_lines(file: Path) -> None:
    """The same file as in a track."""
    file.write_text("Al Qasba\tmust\nMleiha\n")

    assert read_phrases(file) == (Phrase("Al Qasba", must=True), Phrase("Mleiha"))


def test_training_text_keeps_its_line_numbers(file: Path) -> None:
    """A leak is found by the line where people mend it; transcripts are read without their ids."""
    file.write_text("one\n\ntwo\n")
    text = read_training_text(file)
    assert (list(text.lines), text.written) == ([(1, "one"), (3, "two")], True)

    file.write_text("a.wav\tone\n\nb.wav\ttwo\n")
    spoken = read_training_text(file)
    assert (list(spoken.lines), spoken.written) == ([(1, "one"), (3, "two")], False)


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("target_wer_percent = 9\n", None),
        ("[gate]\ntarget_wer_percent = 9\n", None),
        ('locale = "de-DE"\n[gate]\ntarget_wer_percent = 9\n', "de-DE"),
    ],
)
def test_a_policy_is_a_track_or_its_gate_alone(file: Path, text: str, locale: str | None) -> None:
    """The track's own file can be used as it is."""
    file.write_text(text)

    policy, its_locale = read_policy(file)

    assert (policy.target_wer_percent, its_locale) == (9, locale)


@pytest.mark.parametrize("text", ["target = 9\n", "[gate]\ntarget = 9\n", "[release]\n", "gate = 9\n", "x"])
def test_an_unknown_setting_is_no_policy(file: Path, text: str) -> None:
    """A misspelt threshold must not mean the default."""
    file.write_text(text)

    with pytest.raises(Mistake, match=r"^trans.txt: "):
        read_policy(file)
