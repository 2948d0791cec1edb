"""Recordings, speakers and groups: what training and testing data share, and whom the testing data can speak for."""

import pytest

from domain.corpus import Labels
from domain.leakage import Leak, LeakReport, Recording, Testing, Training, find_leaks
from domain.leakage.balance import imbalance


def recording(name: str, contents: str, sound: str, place: str = "training/audio") -> Recording:
    """A recording with made-up digests."""
    return Recording(name, f"{place}/{name}", contents, sound)


def searched(training: list[Recording], testing: list[Recording]) -> LeakReport:
    """The report about recordings alone."""
    return find_leaks(Training(recordings=training), Testing({}, testing), "en-US")


TESTED = recording("slt-01.wav", "bytes 1", "sound 1", "testing")


def test_a_testing_recording_among_training_recordings_is_found_whatever_it_is_called() -> None:
    """Renaming a file does not unlearn it."""
    report = searched([recording("holiday.wav", "bytes 1", "sound 1")], [TESTED])

    (leak,) = report.leaks
    assert (leak.kind, leak.file, leak.utterance) == ("same bytes", "training/audio/holiday.wav", "slt-01.wav")
    assert report.outcome == "leaked"


def test_the_same_sound_in_another_file_is_found_once() -> None:
    """Other notes in the header make other bytes, and no other recording."""
    report = searched([recording("a.wav", "bytes 2", "sound 1")], [TESTED])

    assert [(leak.kind, leak.blocks) for leak in report.leaks] == [("same audio", True)]


def test_every_testing_recording_that_a_training_recording_copies_is_told() -> None:
    """One is the same file, the other the same sound: both are spoilt."""
    other = recording("slt-09.wav", "bytes 9", "sound 1", "testing")

    report = searched([recording("a.wav", "bytes 1", "sound 1")], [TESTED, other])

    assert [leak.kind for leak in report.leaks] == ["same bytes", "same audio", "tested twice"]
    assert report.utterances == {"slt-01.wav", "slt-09.wav"}


def test_other_recordings_and_silence_are_no_leak() -> None:
    """Two silent files are not the same recording."""
    silent = recording("silence.wav", "bytes 3", "", "testing")

    assert (
        searched([recording("b.wav", "bytes 4", ""), recording("slt-01.wav", "5", "6")], [TESTED, silent]).leaks == ()
    )


def test_a_recording_that_is_tested_twice_is_worth_knowing() -> None:
    """It counts twice, but flatters nobody."""
    report = searched([], [TESTED, recording("copy.wav", "bytes 7", "sound 1", "testing")])

    (leak,) = report.leaks
    assert (leak.kind, leak.file, leak.utterance) == ("tested twice", "testing/copy.wav", "copy.wav")
    assert (report.outcome, report.utterances) == ("clean", set())


def people(training: Labels, testing: Labels) -> list[Leak]:
    """What is found about people and sessions."""
    labels = {"training/audio/utterances.tsv": training}
    leaks = find_leaks(Training(labels=labels), Testing({}, labels=testing), "en-US").leaks
    return [leak for leak in leaks if leak.kind != "balance"]


def test_speakers_of_both_sides_are_a_note_with_counts() -> None:
    """The gain is for people whom the model knows; whether that is wrong depends on what it is for."""
    testing = {"a": {"speaker": "SLT"}, "b": {"speaker": "slt"}, "c": {"speaker": "rms"}}

    (leak,) = people({"x": {"speaker": "slt"}, "y": {"speaker": "kal"}}, testing)

    assert (leak.kind, leak.file, leak.blocks) == ("speaker", "training/audio/utterances.tsv", False)
    assert "1 speaker is" in leak.reason
    assert "2 of 3 testing recordings" in leak.reason


def test_sessions_of_both_sides_are_told_beside_speakers() -> None:
    """The same room on the same day sounds alike, whoever speaks."""
    row = {"speaker": "one", "session": "monday"}
    other = {"speaker": "two", "session": "monday"}

    assert [leak.kind for leak in people({"x": row}, {"a": other})] == ["session"]
    assert [leak.kind for leak in people({"x": row}, {"a": row})] == ["speaker", "session"]


@pytest.mark.parametrize("name", ["unknown", "Unknown", "-", ""])
def test_speakers_without_a_name_are_not_the_same_person(name: str) -> None:
    """Two unknown people are two people."""
    assert people({"x": {"speaker": name}}, {"a": {"speaker": name}}) == []


def test_the_report_says_whether_speakers_were_compared() -> None:
    """Who reads "clean" must know what nobody looked at."""
    training = Training(recordings=[recording("a.wav", "1", "2")])
    labelled = Training(labels={"training/utterances.tsv": {"a": {"speaker": "slt"}}})
    testing = Testing({"b": "yes"}, [TESTED], {"b": {"speaker": "rms"}})

    assert find_leaks(training, testing, "en-US").checked[-1].startswith("not the speakers")
    assert "speakers and sessions of training/utterances.tsv" in find_leaks(labelled, testing, "en-US").checked


def balance(words: dict[str, int], column: str = "noise", recordings: int = 4) -> list[str]:
    """What is said of testing data in which each value has so many words, over so many recordings."""
    labels = {f"{value}-{number}": {column: value} for value in words for number in range(recordings)}
    texts = {f"{value}-0": "word " * count for value, count in words.items()}
    return [leak.reason for leak in imbalance(texts, labels, "testing")]


def test_a_group_with_under_a_twentieth_of_the_words_is_told() -> None:
    """Its figure would be luck."""
    assert balance({"clean": 95, "pink": 5}) == []
    assert balance({"clean": 96, "pink": 4}) == ["by noise, these groups hold few of the 100 words: 'pink' 4"]


def test_a_group_without_words_is_told() -> None:
    """No evidence is not good evidence."""
    assert balance({"clean": 9, "pink": 0}) == ["by noise, these groups hold few of the 9 words: 'pink' 0"]


def test_many_equal_groups_are_no_imbalance() -> None:
    """Of fifty speakers nobody can have a twentieth."""
    assert balance({f"speaker {number}": 10 for number in range(50)}, "speaker") == []


def test_only_five_small_groups_are_named() -> None:
    """The note stays a line."""
    (told,) = balance({"clean": 10_000, **{f"noise {number}": 1 for number in range(9)}})

    assert told.endswith("'noise 4' 1 and 4 more")


def test_one_speaker_with_most_of_the_words_is_told() -> None:
    """The result is about one person, however many are named."""
    assert balance({"slt": 50, "rms": 50}, "speaker") == []
    assert "one speaker says 60% of the 100 words" in balance({"slt": 60, "rms": 40}, "speaker")[0]
    assert balance({"clean": 60, "pink": 40}, "noise") == []


def test_a_column_with_a_value_for_each_recording_has_no_groups() -> None:
    """Identifiers and dates are not slices."""
    assert balance({f"take {number}": number for number in range(9)}, "take", recordings=1) == []


def test_balance_is_a_note_that_makes_nobody_suspicious() -> None:
    """It is about what can be judged, not about what leaked."""
    (leak,) = imbalance({"a": "one"}, {"a": {"x": "1"}, "b": {"x": "2"}, "c": {"x": "2"}, "d": {"x": "1"}}, "testing")

    assert (leak.blocks, leak.suspicious, leak.kind) == (False, False, "balance")
    assert LeakReport(leaks=(leak,)).outcome == "clean"
