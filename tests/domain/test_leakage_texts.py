"""Testing text in training text: what is found, where it is said to be, and what is left alone."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from domain.leakage import REMEDIES, Leak, LeakReport, Testing, Training, TrainingText, as_problems, find_leaks
from domain.leakage.codes import UNKNOWN, Codebook
from domain.leakage.texts import FEWEST_PHRASES, MOST_LINES, TextSearch
from domain.normalise import normaliser_for

_LETTERS = ("abcdefghij", "klmnopqrst")
EIGHT = "the old road to kalba crosses the desert"


def searched(references: Sequence[str], lines: Sequence[str], locale: str = "en-US") -> LeakReport:
    """The report about testing texts r1, r2, … and a training file `plain_text.txt`."""
    text = TrainingText("plain_text.txt", list(enumerate(lines, start=1)))
    said = {f"r{number}": reference for number, reference in enumerate(references, start=1)}
    return find_leaks(Training([text]), Testing(said), locale)


def kinds(report: LeakReport) -> list[str]:
    """What was found, in order."""
    return [leak.kind for leak in report.leaks]


def words(count: int, first: int = 0) -> list[str]:
    """So many different words."""
    return [
        "".join(_LETTERS[place % 2][int(digit)] for place, digit in enumerate(f"{number}0"))
        for number in range(first, first + count)
    ]


def test_a_testing_text_among_training_text_is_told_with_file_line_and_recording() -> None:
    """Whoever must mend it needs to know where, and which recording is spoilt."""
    report = searched(["Good morning.", "GoDrive will be here soon."], ["Something else.", "godrive will be here soon"])

    (leak,) = report.leaks
    assert (leak.kind, leak.file, leak.line, leak.utterance) == ("same text", "plain_text.txt", 2, "r2")
    assert (report.outcome, report.utterances) == ("leaked", {"r2"})


def test_leaks_never_quote_what_is_said() -> None:
    """Transcripts are personal data, and reports end up in logs."""
    lines = [EIGHT, f"{EIGHT} again and again", f"{EIGHT} too", "Thank you"]

    told = str(searched([EIGHT, f"please {EIGHT}", "thank you"], lines))

    assert not any(word in told for word in ("kalba", "desert", "thank"))


@pytest.mark.parametrize(("count", "blocks"), [(4, False), (5, True)])
def test_five_words_in_common_are_no_chance(count: int, blocks: bool) -> None:
    """Everybody says "thank you very much"; nobody is blocked for that."""
    text = " ".join(words(count))

    report = searched([text], [text])

    assert kinds(report) == (["same text"] if blocks else ["short text"])
    assert report.leaks[0].blocks is blocks


def test_short_texts_are_one_note_however_many_there_are() -> None:
    """A hundred warnings about "yes" hide the one that matters."""
    long = [" ".join(words(10, number)) for number in range(0, 400, 10)]

    report = searched([*["Yes."] * 9, *long], ["no", "yes", "yes", *words(5)])

    (leak,) = report.leaks
    assert (leak.kind, leak.line, leak.blocks, leak.suspicious) == ("short text", 2, False, False)
    assert "9 short testing recordings" in leak.reason
    assert report.outcome == "clean"


def test_short_texts_are_suspicious_when_they_are_much_of_the_testing_data() -> None:
    """Then the model knows by heart what it is tested with."""
    assert searched(["yes", "no", " ".join(words(20))], ["yes", "no"]).outcome == "suspicious"


@pytest.mark.parametrize(
    ("text", "line", "is_near"),
    [
        ("a b c d e f", "a b c d e f g", True),
        ("a b c d e f", "a b c d e g", False),
        ("a b c d e f g", "a b c d e f x", True),
        ("a b c d e f g", "a b c d e f", True),
        ("a b c d e f g", "a b x d y f g", False),
        ("a b c d e", "a b c d e f", False),
        ("a b c d e f g h i j k l m", "a b c d e f x h i j k l m", True),
        ("a b c d e f g h i j k l m", "a b c x e f g h y j k l m", False),
        ("a b c d e f g h i j k l m n", "a b c x e f g h y j k l m n", True),
    ],
)
def test_near_duplicates_are_those_with_85_per_cent_of_their_words_alike(text: str, line: str, is_near: bool) -> None:
    """One word of seven may differ, two of fourteen, none of fewer than seven."""
    assert kinds(searched([text], [line])) == (["near text"] if is_near else [])


def test_the_search_for_near_duplicates_misses_none_and_invents_none() -> None:
    """The index is a short cut; comparing everything with everything finds the same."""
    random = Random(4)
    for _ in range(1_500):
        first = "".join(random.choices("abcde", k=random.randint(4, 40)))
        references = list(dict.fromkeys([first, edited(first, random), edited(first, random)]))
        line = edited(random.choice(references), random)
        search = TextSearch({text: " ".join(text) for text in references})
        search.read(" ".join(line), ("x", 1))

        near = {leak.utterance for leak in search.leaks() if leak.kind == "near text"}

        assert near == {text for text in references if is_near(text, line)}


def edited(text: str, random: Random) -> str:
    """A text with up to seven words changed, added or removed."""
    letters = list(text)
    for _ in range(random.randint(0, 7)):
        place = random.randrange(len(letters) + 1)
        letters[place : place + random.randint(0, 1)] = random.choices("abcdeX", k=random.randint(0, 1))
    return "".join(letters)


def is_near(text: str, line: str) -> bool:
    """The definition, without any short cut."""
    distance, longer = Levenshtein.distance(text, line), max(len(text), len(line))
    return len(text) >= 6 and distance > 0 and distance * 100 <= 15 * longer


def test_three_lines_are_listed_for_a_text_and_every_recording_of_it() -> None:
    """A report lists enough to begin with, and never forgets a spoilt recording."""
    report = searched([EIGHT, EIGHT], [EIGHT] * 20 + [f"{EIGHT} {word}" for word in words(20)])

    assert [leak.line for leak in report.leaks if leak.utterance == "r1"] == [1, 2, 3, 21, 22, 23]
    assert report.utterances == {"r1", "r2"}
    assert all("may be more" in leak.reason for leak in report.leaks if leak.blocks)
    assert MOST_LINES == 3


def test_a_testing_text_inside_a_longer_line_is_found() -> None:
    """Documents hold whole sentences; that they hold more does not unlearn them."""
    report = searched([EIGHT], ["nothing", f"he said that {EIGHT} and nobody believed him"])

    (leak,) = report.leaks
    assert (leak.kind, leak.line, leak.utterance, leak.blocks) == ("copied passages", 2, "r1", True)


def test_a_long_recording_whose_sentences_are_lines_is_found() -> None:
    """Recordings of minutes hold many sentences, of which each is a line of training text."""
    spoken = words(60)
    lines = [" ".join(spoken[start : start + 10]) for start in range(0, 60, 10)]

    assert kinds(searched([" ".join(spoken)], lines)) == ["copied passages"]


@pytest.mark.parametrize(
    ("line", "is_copied"),
    [
        (words(20)[:17], True),
        (words(20)[:16], False),
        ([*words(20)[:10], "x", *words(20)[10:]], True),
        ([*words(20)[:7], "x", *words(20)[7:14], "x", *words(20)[14:]], False),
    ],
    ids=["17 of 20 words", "16 of 20", "two passages", "passages of 7 words only"],
)
def test_passages_are_copied_when_they_are_most_of_a_text(line: list[str], is_copied: bool) -> None:
    """A common turn of phrase is no copy."""
    report = searched([" ".join(words(20))], [" ".join(["and", "so", *line, *words(20, 100)])])

    assert kinds(report) == (["copied passages"] if is_copied else [])


def test_passages_are_eight_words_and_more() -> None:
    """Seven in a row are a turn of phrase, though two of them make up a sentence."""
    said = words(16)
    sevens, eights = (" ".join([*said[:size], "or", "rather", "so", *said[size : 2 * size]]) for size in (7, 8))

    assert kinds(searched([" ".join(said[:14])], [sevens])) == []
    assert kinds(searched([" ".join(said)], [eights])) == ["copied passages"]


def shared_phrases(shared: int, total: int) -> list[Leak]:
    """What is found when so many of the testing data's five-word phrases are in training text."""
    phrases = [" ".join(words(5, number * 5)) for number in range(total)]
    return list(searched(phrases, [f"so {phrase} then" for phrase in phrases[:shared]]).leaks)


def test_phrases_in_common_are_told_from_a_fifth_and_block_from_half() -> None:
    """No single recording leaks, but what is said in them is known."""
    assert shared_phrases(19, 100) == []
    (noted,) = shared_phrases(20, 100)
    assert (noted.kind, noted.blocks, noted.file) == ("shared phrases", False, "plain_text.txt")
    assert not shared_phrases(49, 100)[0].blocks
    assert shared_phrases(50, 100)[0].blocks


def test_few_phrases_prove_nothing() -> None:
    """Half of ten phrases is chance."""
    assert FEWEST_PHRASES == 100
    assert shared_phrases(99, 99) == []


def test_recordings_that_leak_whole_do_not_count_as_shared_phrases() -> None:
    """Once they are taken out the rest can be judged, so the rest is what the share is of."""
    rest = [" ".join(words(6, number * 6)) for number in range(100)]
    leaked = [" ".join(words(10, 10_000 + number * 10)) for number in range(200)]

    report = searched([*rest, *leaked], leaked)

    assert set(kinds(report)) == {"same text"}
    assert len(report.utterances) == 200


def test_texts_are_compared_as_they_are_scored() -> None:
    """Capitals, punctuation and digits make no other sentence."""
    report = searched(
        ["Meet me at 104 Elm, at the O’Neill house!"], ["meet me at one oh four elm at the O'Neill house"]
    )

    assert kinds(report) == ["same text"]


def test_similar_sentences_of_one_topic_are_no_leak() -> None:
    """Training text about the same service is what training text is for."""
    references = ["The bus for Kalba will leave in twenty minutes.", "Is there a gas station on the road to Kalba?"]
    lines = [
        "The bus for Khor Fakkan leaves in thirty minutes.",
        "At eight o'clock the bus for Mleiha will leave.",
        "Is there a bank on the way to the airport?",
        "The gas station is on the other side of the road.",
    ]

    assert searched(references, lines) == LeakReport(checked=("4 lines of plain_text.txt", "2 testing texts"))


@given(st.lists(st.text(max_size=60), max_size=5), st.lists(st.text(max_size=60), max_size=5))
def test_no_text_makes_the_search_fail_and_equal_data_give_equal_reports(said: list[str], lines: list[str]) -> None:
    """Whatever people have in their files gets an answer, always the same."""
    report = searched(said, lines)

    assert report == searched(said, lines)
    assert {leak.kind for leak in report.leaks} <= REMEDIES.keys()
    assert len(as_problems(report)) == sum(leak.blocks for leak in report.leaks)


@given(st.lists(st.sampled_from(words(8)), min_size=5, max_size=30), st.lists(st.sampled_from(words(9)), max_size=9))
def test_a_copy_is_found_whatever_stands_around_it(said: list[str], around: list[str]) -> None:
    """The line itself blocks; eight words and more are found inside any other line."""
    text = " ".join(said)

    assert "same text" in kinds(searched([text], [" ".join(around), text]))
    if len(said) >= 8:
        assert searched([text], [" ".join([*around, text, *around])]).outcome == "leaked"


def test_a_report_of_two_searches_tells_each_leak_once() -> None:
    """The current training data and those of the live model are often the same."""
    report = searched([EIGHT], [EIGHT])

    assert report + report == report
    assert (report + searched([EIGHT], ["one", "two"])).checked == (*report.checked, "2 lines of plain_text.txt")


def test_blocking_leaks_are_told_as_problems_of_the_data() -> None:
    """They stop a run like any other bad line does, with file, line, reason and remedy."""
    (problem,) = as_problems(searched([EIGHT, "yes"], ["x", EIGHT, "yes"]))

    assert str(problem).startswith(
        "plain_text.txt:2: the line is word for word what is said in the testing recording 'r1'"
    )
    assert problem.remedy


def test_chinese_is_compared_by_characters() -> None:
    """It has no spaces: as one word per sentence nothing would ever be near."""
    said = "今天下午三点我要去机场接我的朋友"

    assert kinds(searched([said], [said.replace("三", "四")], "zh-CN")) == ["near text"]
    assert kinds(searched(["我要去机场接他们吗"], ["我要去机场接他们吗"], "zh-CN")) == ["short text"]


def test_unknown_words_equal_nothing() -> None:
    """Two different words that no testing text has must not look alike."""
    book = Codebook(["a b"])

    assert book.code("a b") not in book.code("x a y")
    assert book.code("b z") == book.code("b") + UNKNOWN
    assert UNKNOWN not in book.code("a b")


def test_words_beyond_a_million_cost_nothing_but_precision() -> None:
    """A hostile file is searched, not refused with a traceback."""
    from domain.leakage import codes

    numbers = [0, 0xD7FD, 0xD7FE, 0x10F7FD, 0x10F7FE, 10**7]

    characters = [codes._character(number) for number in numbers]

    assert characters == ["\2", "\ud7ff", "\ue000", "\U0010ffff", "\1", "\1"]


def test_the_locale_decides_how_texts_are_compared() -> None:
    """English numbers are read out only in English."""
    lines = ["take the number one oh four bus home"]

    assert kinds(searched(["take the number 104 bus home"], lines, "en-GB")) == ["same text"]
    assert normaliser_for("en-GB") is not normaliser_for("fr-FR")
