"""What a user's data must look like, and what is said when they do not."""

import hashlib
import io
import struct
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.corpus import Transcript, content_hash, parse_labels, parse_transcripts
from domain.problems import MOST_PROBLEMS, DataRejected, Problem
from domain.text_lines import LONGEST_LINE
from domain.training_text import Pronunciation, parse_plain_text, parse_pronunciations
from domain.wav import Audio, check_wav

AUDIO = ("a.wav", "b.wav")


def wav(
    seconds: float = 1, rate: int = 16_000, channels: int = 1, bits: int = 16, tag: int = 1, before: bytes = b""
) -> bytes:
    """A WAV file of silence; `before` are chunks that stand before the sound."""
    frame = channels * bits // 8
    data = bytes(int(seconds * rate) * frame)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * frame, frame, bits)
    body = b"WAVE" + form + before + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def checked(data: bytes, file: str = "a.wav") -> Audio | Problem:
    """What the check says of a recording."""
    return check_wav(io.BytesIO(data), len(data), file)


def transcript_problems(data: bytes, audio: Sequence[str] = AUDIO) -> list[str]:
    """What is said about a transcript file called `trans.txt`."""
    return [str(problem) for problem in parse_transcripts(data, "trans.txt", audio)[1]]


def label_problems(data: bytes) -> list[str]:
    """What is said about a label file called `utterances.tsv`."""
    return [str(problem) for problem in parse_labels(data, "utterances.tsv", AUDIO)[1]]


@pytest.mark.parametrize(
    "data",
    [
        b"a.wav\tturn left\nb.wav\tturn right\n",
        b"\xef\xbb\xbfa.wav\tturn left\r\nb.wav\tturn right",
        b"b.wav\tturn right\n\na.wav\t turn left \n\n",
    ],
    ids=["plain", "as Microsoft's samples: mark, CRLF, no last line end", "blank lines and spaces"],
)
def test_transcripts_are_read_however_the_lines_end(data: bytes) -> None:
    """An editor's habits are no mistakes."""
    rows, problems = parse_transcripts(data, "trans.txt", AUDIO)

    assert problems == ()
    assert {row.name: row.text for row in rows} == {"a.wav": "turn left", "b.wav": "turn right"}


def test_a_line_is_split_at_its_first_tab_only() -> None:
    """Whatever follows is what was said, and stays on one line."""
    rows, _ = parse_transcripts(b"a.wav\tturn\tleft\n", "trans.txt", ["a.wav"])

    assert rows == (Transcript("a.wav", "turn left", 1),)


def test_unusual_line_separators_never_split_a_line() -> None:
    """Programs disagree about U+2028 and U+0085, so they are refused, with the line's true number."""
    problems = transcript_problems("a.wav\tturn left\nb.wav\tturn\u2028right\n".encode())

    assert problems == ["trans.txt:2: the line holds the invisible character U+2028. Remove it."]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"a.wav turn left", "trans.txt:1: the line has no tab. Put one tab"),
        (b"a.wav\t ", "trans.txt:1: 'a.wav' has no words. Write what is said"),
        (b"a.wav\t...", "trans.txt:1: 'a.wav' has no words"),
        (b"a.wav\tgo\nc.wav\tturn left", "trans.txt:2: there is no recording 'c.wav'. Add the recording"),
        (b"A.WAV\tturn left", "trans.txt:1: there is no recording 'A.WAV'. Write the name exactly as the file's: 'a.wav'."),
        (b"a\tturn left", "trans.txt:1: there is no recording 'a'. Write the name exactly as the file's: 'a.wav'."),
        (b"audio/a.wav\tturn left", "Write the name exactly as the file's: 'a.wav'."),
        (b"a.wav\tcaf\xe9", "trans.txt:1: byte 0xe9 at position 10 is not UTF-8. Save the file as UTF-8"),
        (b"a.wav\tturn\x00left", "trans.txt:1: the line holds the invisible character U+0000"),
        (b"a.wav\tturn\rb.wav\tright", "trans.txt:1: the line holds the invisible character U+000D"),
        ("a.wav\tturn \ufeffleft".encode(), "trans.txt:1: the line holds the invisible character U+FEFF"),
        (b"a.wav\t" + b"x" * LONGEST_LINE, "trans.txt:1: the line is longer than 500,000 bytes"),
        ("a.wav\tleft".encode("utf-16"), "trans.txt:1: the file is UTF-16. Save it as UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1", "trans.txt: this is a Git LFS pointer"),
    ],
)  # fmt: skip
def test_a_faulty_line_is_told_once_with_its_number_and_a_remedy(line: bytes, told: str) -> None:
    """Nobody should have to guess which of ten thousand lines is meant, or read of one fault twice."""
    problems = transcript_problems(line, ["a.wav"])

    assert len(problems) == 1
    assert told in problems[0]


def test_a_recording_with_two_lines_is_refused() -> None:
    """Which of the two is right?"""
    assert transcript_problems(b"a.wav\tone\nb.wav\ttwo\na.wav\tthree\n") == [
        "trans.txt:3: 'a.wav' stands here and in line 1. Keep one of the two."
    ]


def test_a_recording_without_a_line_is_refused() -> None:
    """It would be uploaded and never scored."""
    (problem,) = transcript_problems(b"a.wav\tone\n")

    assert problem.startswith("trans.txt: the recording 'b.wav' has no transcript.")


def test_one_bad_byte_does_not_accuse_other_lines() -> None:
    """The recording of an unreadable line has a transcript, only not a readable one."""
    assert len(transcript_problems(b"a.wav\tcaf\xe9\nb.wav\tright\n")) == 1


def test_a_name_may_be_composed_in_two_ways() -> None:
    """macOS stores `é` as two characters; that is the same file."""
    rows, problems = parse_transcripts("cafe\u0301.wav\tone\n".encode(), "trans.txt", ["caf\u00e9.wav"])

    assert problems == ()
    assert rows[0].name == "caf\u00e9.wav"


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_a_parser_fail(data: bytes) -> None:
    """Whatever is uploaded gets an answer, not a traceback."""
    for line in (b"", b"a.wav\t", b"file\tspeaker\na.wav\t"):
        parse_transcripts(line + data, "x", AUDIO)
        parse_labels(line + data, "x", AUDIO)
        parse_pronunciations(line + data, "x")
        parse_pronunciations(line + data, "x", "en-US")
        parse_plain_text(line + data, "x")


def test_checking_stops_at_a_hundred_problems() -> None:
    """A file in the wrong format is one mistake, not a million."""
    problems = transcript_problems(b"no tab here\n" * 1_000_000)

    assert len(problems) == MOST_PROBLEMS
    assert len(parse_plain_text(b"\xff\n" * 100_000, "x")[1]) == MOST_PROBLEMS


def test_nothing_is_read_after_a_hundred_problems() -> None:
    """Time and memory are bounded, whatever the file is."""
    rows, _ = parse_transcripts(b"no tab here\n" * MOST_PROBLEMS + b"a.wav\tone\n", "x", AUDIO)

    assert rows == ()


def test_problems_never_quote_what_was_said() -> None:
    """Transcripts are personal data, and problems end up in logs."""
    secret = b"my card number is four two"
    told = transcript_problems(b"a.wav " + secret + b"\nx.wav\t" + secret + b"\nb.wav\t" + secret + b"\xff\n")
    told += [str(one) for one in parse_plain_text(b"https://x.y " + secret, "plain_text.txt")[1]]
    told += [str(one) for one in parse_pronunciations(secret, "pronunciation.txt")[1]]

    assert len(told) == 5
    assert not any("card" in one for one in told)


def test_labels_are_read_with_every_column_that_the_user_has() -> None:
    """Speakers and slices decide verdicts later."""
    labels, problems = parse_labels(b"file\tnoise\tspeaker\na.wav\tpink\tslt\nb.wav\tclean\trms\n", "x", AUDIO)

    assert problems == ()
    assert labels == {"a.wav": {"noise": "pink", "speaker": "slt"}, "b.wav": {"noise": "clean", "speaker": "rms"}}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "utterances.tsv:1: the first line is not a header"),
        (b"a.wav\tslt\n", "utterances.tsv:1: the first line is not a header"),
        (b"file\tnoise\na.wav\tpink\nb.wav\tpink\n", "utterances.tsv:1: the first line is not a header"),
        (b"file\tspeaker\tspeaker\n", "utterances.tsv:1: the first line is not a header"),
        (b"file\tspeaker\na.wav\nb.wav\tslt\n", "utterances.tsv:2: the row has 1 columns, the header has 2"),
        (b"file\tspeaker\tnoise\na.wav\t\tpink\nb.wav\tslt\tpink\n", "utterances.tsv:2: the column speaker is empty"),
        (b"file\tspeaker\na.wav\tslt\n", "the recording 'b.wav' has no row of labels"),
        (b"file\tspeaker\na.wav\tslt\nb.wav\tslt\nc.wav\trms\n", "utterances.tsv:4: there is no recording 'c.wav'"),
        (b"file\tspeaker\na.wav\tslt\nb.wav\tslt\na.wav\trms\n", "utterances.tsv:4: 'a.wav' stands here and in line 2"),
    ],
)
def test_faulty_labels_are_told_once(data: bytes, told: str) -> None:
    """A recording without a speaker cannot be judged by speaker."""
    problems = label_problems(data)

    assert len(problems) == 1
    assert told in problems[0]


def test_plain_text_is_one_utterance_per_line() -> None:
    """A byte-order mark, blank lines and tabs are an editor's, not the user's."""
    assert parse_plain_text(b"\xef\xbb\xbfone  two\r\n\r\n three\tfour \n", "x") == (("one  two", "three four"), ())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "plain_text.txt: the file holds no text"),
        (b"one\nsee https://example.com\n", "plain_text.txt:2: the line holds a web address, which Azure rejects"),
        (b"one\nsee WWW.example.com\n", "plain_text.txt:2: the line holds a web address"),
        (b"one\n\x07\n", "plain_text.txt:2: the line holds the invisible character U+0007"),
    ],
)
def test_faulty_plain_text_is_told(data: bytes, told: str) -> None:
    """Azure would accept the file and drop the line, or fail the training without a reason."""
    (problem,) = parse_plain_text(data, "plain_text.txt")[1]

    assert str(problem).startswith(told)


def test_a_word_may_have_several_pronunciations() -> None:
    """Microsoft's examples, and a second way to say one of them."""
    rows, problems = parse_pronunciations(b"3CPO\tthree c p o\nIEEE\ti triple e\nIEEE\ti e-e-e\n", "x")

    assert problems == ()
    assert rows[0] == Pronunciation("3CPO", "three c p o")
    assert [row.spoken for row in rows[1:]] == ["i triple e", "i e-e-e"]


@pytest.mark.parametrize(
    "line", [b"IEEE", b"IEEE\t", b"\ti triple e", b"IEEE\ti\ttriple e", b"3CPO\t3 c p o", b"a\tb/c"]
)
def test_a_faulty_pronunciation_is_told_with_an_example(line: bytes) -> None:
    """The example is Microsoft's own."""
    (problem,) = parse_pronunciations(b"CNTK\tc n t k\n" + line, "pronunciation.txt")[1]

    assert (problem.line, "three c p o" in problem.remedy) == (2, True)


CAFE = "Café\tca fé\nO’Neill\to neill’s\n"


def test_english_pronunciations_may_be_ansi_as_windows_writes_them() -> None:
    """That is Windows-1252: Latin-1 has no such apostrophe, and the same letters."""
    ansi, mended = (parse_pronunciations(data, "x", "en-GB") for data in (CAFE.encode("cp1252"), CAFE.encode()))

    assert ansi == mended
    assert ansi == ((Pronunciation("Café", "ca fé"), Pronunciation("O’Neill", "o neill’s")), ())
    assert parse_pronunciations("Café\tca fé".encode("latin-1"), "x", "en-US")[0] == ansi[0][:1]


@pytest.mark.parametrize("locale", ["de-DE", "enm-GB", ""])
def test_pronunciations_in_other_languages_are_utf_8(locale: str) -> None:
    """There "ANSI" is another code page on every other machine, and Azure takes it for English alone."""
    rows, (problem, _) = parse_pronunciations(CAFE.encode("cp1252"), "pronunciation.txt", locale)

    assert (rows, problem.line) == ((), 1)
    assert "iconv -f WINDOWS-1252 -t UTF-8" in problem.remedy


@pytest.mark.parametrize(
    ("data", "line", "remedy"),
    [
        (b"ok\tokay\nCaf\xe9\tca fay\nCaf\xc3\xa9\tca fay\n", 3, "Save the whole file as UTF-8"),
        (b"\xef\xbb\xbfCaf\xe9\tca fay\nok\tokay\n", 1, "Save the file as UTF-8"),
        (b"ok\tokay\nCaf\x81\tca fay\n", 2, "Save the file as UTF-8"),
        ("ok\tokay\n".encode("utf-16"), 1, "iconv -f UTF-16 -t UTF-8"),
    ],
    ids=["two encodings", "a mark of UTF-8, but none", "no letter of Windows-1252", "UTF-16"],
)
def test_an_encoding_that_nobody_can_tell_is_refused(data: bytes, line: int, remedy: str) -> None:
    """Guessing would teach the model a wrong letter."""
    (problem,) = parse_pronunciations(data, "pronunciation.txt", "en-US")[1]

    assert problem.line == line
    assert remedy in problem.remedy


@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("before", [b"", b"LIST\x03\x00\x00\x00abc\x00"], ids=["bare", "with an odd chunk before"])
def test_a_recording_as_azure_wants_it_is_accepted(rate: int, before: bytes) -> None:
    """Its length comes from its bytes."""
    data = wav(1.5, rate, before=before)

    assert checked(data) == Audio(1.5, rate, range(44 + len(before), len(data)))


def test_bytes_after_the_sound_do_not_lengthen_it() -> None:
    """Recorders append notes of their own."""
    data = wav(1) + b"LIST\x04\x00\x00\x00note"

    assert checked(data) == Audio(1.0, 16_000, range(44, 32_044))


@pytest.mark.parametrize(
    ("data", "reason", "remedy"),
    [
        (b"", "the file is empty", "Copy it again"),
        (b"ID3\x04 not wav", "this is not a RIFF WAV file", "`ffmpeg -i a.wav -ac 1 -ar 16000 -c:a pcm_s16le converted.wav`"),
        (wav(channels=2), "it has 2 channels, not 1", "-c 1"),
        (wav(rate=44_100), "its rate is 44,100 Hz, not 8,000 or 16,000", "-r 16k"),
        (wav(bits=8), "its samples have 8 bits, not 16", "-b 16"),
        (wav(tag=7, rate=8_000), "its encoding is not plain PCM (format 0x0007)", "-r 8k"),
        (wav(channels=2, rate=48_000), "it has 2 channels, not 1, its rate is 48,000 Hz", "sox"),
        (wav()[:16_044], "it is cut off: 0.5 of 1.0 seconds are there", "Copy it again"),
        (wav(0), "it holds no sound", "Record it again"),
        (wav()[:30], "its header is broken, or the file ends before its sound begins", "Export it again"),
        (wav().replace(b"data\x00\x7d\x00\x00", b"data\xff\xff\xff\xff"), "does not say how long", "sox --ignore-length"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer", "git lfs pull"),
    ],
)  # fmt: skip
def test_an_unusable_recording_is_told_with_the_command_that_mends_it(data: bytes, reason: str, remedy: str) -> None:
    """Python's own reader opens a half file without a word; Azure fails it without a reason."""
    problem = checked(data, "testing/a.wav")

    assert isinstance(problem, Problem)
    assert reason in problem.reason
    assert remedy in problem.remedy


def test_a_recording_of_over_two_hours_is_refused_unread() -> None:
    """Its head and its size are enough: no gigabyte is loaded to learn that."""
    size = 2 * 3_600 * 32_000 + 32_000
    head = b"RIFF" + struct.pack("<I", size + 36) + wav(0)[8:-4] + struct.pack("<I", size)

    problem = check_wav(io.BytesIO(head), len(head) + size, "a.wav")

    assert isinstance(problem, Problem)
    assert problem.reason == "it lasts 7,201 seconds, but Azure takes at most 7,200"


@given(st.binary(max_size=80), st.integers(0, 100))
def test_no_header_makes_the_check_fail(noise: bytes, place: int) -> None:
    """Fuzzed headers get an answer, not a traceback."""
    data = wav(0.001)
    fuzzed = data[:place] + noise + data[place + len(noise) :]

    checked(fuzzed)


@given(st.dictionaries(st.text(min_size=1, alphabet="abcé"), st.binary(max_size=4), max_size=6), st.randoms())
def test_a_dataset_is_its_content_in_any_order(files: dict[str, bytes], shuffler: Random) -> None:
    """Listing order is the file system's; the dataset is the same."""
    pairs = [(name, hashlib.sha256(data).hexdigest()) for name, data in files.items()]
    shuffled = shuffler.sample(pairs, len(pairs))

    assert content_hash(pairs) == content_hash(shuffled)
    assert content_hash(pairs) != content_hash([*pairs, ("new.wav", "00")])


def test_a_rejection_lists_every_problem_and_says_that_nothing_happened() -> None:
    """One run tells all that is to mend."""
    rejected = DataRejected([Problem("a", 1, "this", "Do that."), Problem("b", None, "more", "Do it.")])

    assert str(rejected) == "the data have 2 problems; nothing was uploaded.\n  a:1: this. Do that.\n  b: more. Do it."
