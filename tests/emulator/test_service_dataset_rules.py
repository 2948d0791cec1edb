"""The rules of each kind of dataset, line by line, and which kinds a model can be trained with."""

import json
from pathlib import Path

import pytest

from emulator import archive, display_format, import_audio, import_text, structured_text
from emulator.display_format import Rewriter
from emulator.entities import DatasetKind
from emulator.lexicon import Lexicon
from emulator.structured_text import Reader
from tests.emulator.fake_engine import FakeRecogniser, wav
from tests.emulator.service_kit import Caller, judge, lines, path_of, recordings, zipped

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def speech_words() -> Lexicon:
    """A lexicon of two words."""
    return Lexicon({"my": ("M AY",), "cat": ("K AE T",)}, frozenset(), {}, pytest.fail)


async def report_of(speech: Caller, dataset: dict) -> dict:
    report: dict = json.loads((await speech.contents(dataset))["report.json"])
    return report


def reasons(report: dict) -> dict[int, str]:
    return {row["line"]: row["reason"] for row in report["rejectedLines"]}


def counts(dataset: dict) -> tuple[int, int]:
    return dataset["properties"]["acceptedLineCount"], dataset["properties"]["rejectedLineCount"]


# Plain text


@pytest.mark.parametrize("line", ["aaaa", "yeah yeah yeah yeah", "that's it That's it that's it that's it"])
async def test_more_than_three_repeats_are_rejected(speech: Caller, line: str) -> None:
    """Characters, words and groups of words; three of each are fine."""
    dataset = await speech.dataset("Language", lines(line, "aaa yeah yeah yeah", "that's it that's it that's it"))

    assert counts(dataset) == (2, 1)
    assert "repeated" in reasons(await report_of(speech, dataset))[1]


@pytest.mark.parametrize("line", ["see https://example.org", "ftp://example.org", "open ms-settings://x"])
async def test_uris_are_rejected(speech: Caller, line: str) -> None:
    """Whatever their scheme."""
    assert counts(await speech.dataset("Language", lines(line, "fine"))) == (1, 1)


async def test_control_characters_are_rejected(speech: Caller) -> None:
    """NUL and its kin would fail the training later without a reason."""
    content = b"nul \x00\nbell \x07\nnext line \xc2\x85\ntab\tis fine\n"

    assert counts(await speech.dataset("Language", content)) == (1, 3)


async def test_text_without_byte_order_mark_is_taken_with_a_warning(speech: Caller) -> None:
    """Microsoft asks for UTF-8 with BOM; one of its own samples has none."""
    with_mark = await report_of(speech, await speech.dataset("Language", BOM + lines("hello")))
    without = await report_of(speech, await speech.dataset("Language", lines("hello")))

    assert with_mark["warnings"] == []
    assert "byte order mark" in without["warnings"][0]


async def test_characters_above_a1_are_warned_of(speech: Caller) -> None:
    """They are advised against, but barring them would bar most languages."""
    dataset = await speech.dataset("Language", BOM + "smørrebrød\nhello\n".encode())

    assert counts(dataset) == (2, 0)
    assert "1 lines have characters above U+00A1" in (await report_of(speech, dataset))["warnings"][0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
async def test_other_encodings_are_refused(speech: Caller, encoding: str) -> None:
    """NoUtf8WithBom when a byte order mark tells; else line by line."""
    dataset = await speech.dataset("Language", "naïve text\n".encode(encoding))
    error = dataset["properties"]["error"]

    assert dataset["status"] == "Failed"
    assert error["code"] == ("NoUtf8WithBom" if encoding == "utf-16" else "DataImportFailed")


async def test_ansi_is_fine_for_english_pronunciations(speech: Caller) -> None:
    """Windows-1252 without a byte order mark; with one, it is broken UTF-8."""
    row = "café\tcaff ay\n".encode("windows-1252")
    dataset = await speech.dataset("Pronunciation", row)
    broken = await speech.dataset("Pronunciation", BOM + row)

    assert (await speech.contents(dataset))["pronunciation_data.txt"] == "café\tcaff ay\n".encode()
    assert broken["status"] == "Failed"


async def test_a_text_has_a_largest_size(speech: Caller, monkeypatch) -> None:
    """200 MB of text; said before it is read."""
    assert import_text.MAX_TEXT_BYTES == 200 * 1024**2
    monkeypatch.setattr(import_text, "MAX_TEXT_BYTES", 1024**2)
    dataset = await speech.dataset("Language", lines("hello") * 200_000)

    assert "larger than 1 MB" in dataset["properties"]["error"]["message"]


# Recordings


async def test_recordings_of_more_than_two_hours_are_rejected(speech: Caller, monkeypatch) -> None:
    """Two hours at 16 kHz fit through everything before that check."""
    assert import_audio.MAX_AUDIO_SECONDS == 7200
    assert archive.MAX_ENTRY_BYTES > 7200 * 16_000 * 2 + 44
    monkeypatch.setattr(import_audio, "MAX_AUDIO_SECONDS", 1)
    files = {"long.wav": wav("long", seconds=1.1), "short.wav": wav("short")}
    rows = lines("long.wav\tlong", "short.wav\tshort")
    for dataset in (
        await speech.dataset("Acoustic", zipped({**files, "t.txt": rows})),
        await speech.dataset("AudioFiles", zipped(files)),
    ):
        assert counts(dataset) == (1, 1)
        assert "two hours" in reasons(await report_of(speech, dataset))[1]


@pytest.mark.parametrize("kind", ["Acoustic", "AudioFiles"])
async def test_an_archive_has_at_most_ten_thousand_files(speech: Caller, monkeypatch, kind: str) -> None:
    """And at most 2 GB."""
    assert (import_audio.MAX_FILES, import_audio.MAX_ARCHIVE_BYTES) == (10_000, 2 * 1024**3)
    content = recordings("one", "two")
    monkeypatch.setattr(import_audio, "MAX_FILES", 2)
    assert "more than 2 files" in (await speech.dataset(kind, content))["properties"]["error"]["message"]
    monkeypatch.setattr(import_audio, "MAX_ARCHIVE_BYTES", 100)
    assert "larger than 2 GB" in (await speech.dataset(kind, content))["properties"]["error"]["message"]


async def test_training_fails_when_all_recordings_are_longer_than_forty_seconds(speech: Caller) -> None:
    """One shorter recording saves it; the dataset's report warns."""
    rows = {"long.wav": wav("long", seconds=40.5), "t.txt": b"long.wav\tlong"}
    long = await speech.dataset("Acoustic", zipped(rows))
    short = await speech.dataset("Acoustic", recordings("short"))
    failed, trained = await speech.model(long), await speech.model(long, short)

    assert (failed["status"], trained["status"]) == ("Failed", "Succeeded")
    assert "40 seconds" in failed["properties"]["error"]["message"]
    assert "1 recordings are longer than 40 seconds" in (await report_of(speech, long))["warnings"][-1]


# Structured text

STRUCTURED = """// A comment
@ list food =
- ice cream // cold
- xalapeno

@ list pet=
- cat
@ speech:phoneticlexicon
- cat/k ae t
- xebra/z iy b r ax
#Sentences_1
- no class here
- my {@pet} likes {@ food }
"""


async def test_structured_text_trains_with_every_item_of_its_lists(speech: Caller) -> None:
    """Items, entries and sentences are the lines that count; comments and heads are not."""
    dataset = await speech.dataset("LanguageMarkdown", BOM + STRUCTURED.encode())
    model = await speech.model(dataset)
    test = await speech.dataset("Acoustic", recordings("my cat likes xalapeno"))
    evaluation = await speech.evaluation(model, await speech.base_model(), test)

    assert counts(dataset) == (7, 0)
    assert json.loads((await speech.contents(model))["report.json"])["sentences"] == 3
    assert evaluation["properties"]["wordErrorRate1"] == 0
    assert evaluation["properties"]["wordErrorRate2"] > 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- alone", "belongs to no list"),
        ("#My-Heading", "letters, digits and underscores"),
        ("nonsense", "neither"),
        ("#S\n- {@nobody} knows", "does not exist"),
        ("#S\n- see http://x.org", "URI"),
        ("@ list x =\n- aaaa", "repeated"),
        ("@ speech:phoneticlexicon\n- cat", "word, slash, phones"),
        ("@ speech:phoneticlexicon\n- cat/q q", "Universal Phone Set"),
        ("@ speech:phoneticlexicon\n- cat/k\n- cat/t\n- cat/p", "at most 2 pronunciations"),
        ("#S\n-", "nothing after the hyphen"),
    ],
)
def test_a_wrong_line_of_structured_text_is_named(text: str, reason: str) -> None:
    """The others are used."""
    reader = Reader(["x"], import_text.check_sentence)
    said = [why for line in [*text.split("\n"), "#Good", "- fine"] if (why := reader.read(line))]

    assert len(said) == 1
    assert reason in said[0]
    assert "fine" in reader.text.sentences


async def test_rejected_lines_of_structured_text_are_in_the_report(speech: Caller) -> None:
    """With their number in the file."""
    dataset = await speech.dataset("LanguageMarkdown", BOM + b"#S\n- {@nobody} knows\n\n- see http://x.org\n- fine\n")

    assert counts(dataset) == (1, 2)
    assert list(reasons(await report_of(speech, dataset))) == [2, 4]


def test_structured_text_has_limits(monkeypatch) -> None:
    """20 lists, 35,000 items in each, 15,000 entries of the lexicon."""
    limits = (structured_text.MAX_LISTS, structured_text.MAX_ITEMS, structured_text.MAX_ENTRIES)
    assert limits == (20, 35_000, 15_000)
    for name in ("MAX_LISTS", "MAX_ITEMS", "MAX_ENTRIES"):
        monkeypatch.setattr(structured_text, name, 1)
    text = ["@ list a =", "- x", "- y", "@ list b =", "- x", "@ speech:phoneticlexicon", "- p/p", "- t/t"]
    reader = Reader(["a", "b"])
    refused = [line for line in text if reader.read(line)]

    assert refused == ["- y", "@ list b =", "- x", "- t/t"]


def test_lists_that_multiply_are_written_out_within_a_bound(monkeypatch) -> None:
    """20 slots with 35,000 items each have no number; still every item has its turn."""
    monkeypatch.setattr(structured_text, "MOST_SENTENCES", 10)
    reader = Reader(["a", "b"])
    for line in ["@ list a =", *(f"- a{n}" for n in range(5)), "@ list b =", *(f"- b{n}" for n in range(7)), "#S"]:
        assert reader.read(line) is None
    reader.read("- {@a} and {@b}")
    sentences = list(reader.text.expanded())

    assert len(sentences) == 10
    assert {word for sentence in sentences for word in sentence.split()} >= {"a4", "b6", "and"}


def test_phones_say_how_a_word_is_said(speech_words: Lexicon) -> None:
    """The lexicon's phones come first, before the dictionary's."""
    pronounced = speech_words.pronounce(["my", "cat"], [], {"cat": ("D AO G",)})

    assert pronounced == {"cat": ("D AO G", "K AE T")}


async def test_pronunciation_cannot_be_combined_with_structured_text(speech: Caller) -> None:
    """InvalidAdaptationMapping: its words belong into the phonetic lexicon."""
    datasets = [
        await speech.dataset("LanguageMarkdown", BOM + STRUCTURED.encode()),
        await speech.dataset("Pronunciation", b"Xeres\tsherry\n"),
    ]
    body = {"displayName": "m", "locale": "en-US", "datasets": [{"self": one["self"]} for one in datasets]}
    error = await speech.refused("POST", "/models", 400, json=body)

    assert error["innerError"]["code"] == "InvalidAdaptationMapping"


async def test_structured_text_needs_the_latest_base_model(speech: Caller) -> None:
    """Each base model says what it can be adapted with; the others refuse."""
    newest, older = await speech.base_model(), "20250415"
    found = (await speech.get("/models/base", filter=f"displayName eq '{older}'"))["values"][0]
    dataset = await speech.dataset("LanguageMarkdown", BOM + STRUCTURED.encode())
    references = {"datasets": [{"self": dataset["self"]}], "baseModel": {"self": found["self"]}}
    body = {"displayName": "m", "locale": "en-US", **references}
    error = await speech.refused("POST", "/models", 400, json=body)

    assert error["innerError"]["code"] == "UnsupportedClassBasedAdaptation"
    assert "LanguageMarkdown" in newest["properties"]["features"]["supportsAdaptationsWith"]
    assert "LanguageMarkdown" not in found["properties"]["features"]["supportsAdaptationsWith"]


# Display text

FORMATTING = """// a comment
#itn
\\d-\\l
#rewrite
xylo phone.\tXyloPhone
# profanity
fakeprofanity
#test
Mask the fakeprofanity word\tMask the ************* word
"""


async def test_display_text_is_rewritten(speech: Caller) -> None:
    """Together with other data, or alone: then the words are the base model's."""
    rules = await speech.dataset("OutputFormatting", BOM + FORMATTING.encode())
    model = await speech.model(rules)
    test = await speech.dataset("Acoustic", recordings("a xylo phone"))
    text = await speech.dataset("Language", lines("a xylo phone"))
    evaluation = await speech.evaluation(model, await speech.model(text, rules), test)
    results = [
        json.loads((await speech.contents(await speech.get(path_of(evaluation[name]))))["0.wav.json"])
        for name in ("transcription1", "transcription2")
    ]

    assert counts(rules) == (4, 0)
    assert model["status"] == "Succeeded"
    shown = [result["combinedRecognizedPhrases"][0]["display"] for result in results]
    assert shown == ["A uh phone.", "A XyloPhone."]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#poems", "a section is one of"),
        ("#rewrite\nonly one", "TAB"),
        ("#rewrite\na\tb\tc", "TAB"),
        ("#test\nno expectation", "TAB"),
        ("#itn\n(\\d", "bracket"),
        ("#profanity\nwhat, where", "punctuation"),
    ],
)
def test_a_wrong_rule_for_display_text_is_named(line: str, reason: str) -> None:
    """The others are used."""
    reader = display_format.Reader()
    [said] = [why for one in [*line.split("\n"), "#rewrite", "old\tnew"] if (why := reader.read(one))]

    assert reason in said
    assert reader.rules["rewrite"] == ["old\tnew"]


@pytest.mark.parametrize(("section", "limit"), [("itn", 200), ("rewrite", 1000), ("profanity", 1000)])
def test_rules_for_display_text_have_limits(section: str, limit: int) -> None:
    """Lines beyond are rejected one by one."""
    reader, rule = display_format.Reader(), "a\tb" if section == "rewrite" else "rule"
    reader.read(f"#{section}")
    said = [reader.read(rule) for _ in range(limit + 2)]

    assert said[:limit] == [None] * limit
    assert said[limit:] == [f"#{section} has at most {limit} lines"] * 2


@pytest.mark.parametrize(
    ("heard", "shown"),
    [
        ("Covered 19 is a virus.", "COVID-19 is a virus."),
        ("He has covered   19.", "He has COVID-19."),
        ("Uncovered 195.", "Uncovered 195."),
        ("Covered 19 alpha.", "Omicron."),
    ],
)
def test_the_longest_phrase_is_rewritten_in_any_case(heard: str, shown: str) -> None:
    """Whole words only; the sentence still begins with a capital."""
    rewriter = Rewriter(FakeRecogniser(set(), Path()), [("covered 19", "COVID-19"), ("covered 19 alpha", "omicron")])

    assert rewriter.rewritten(heard) == shown


@pytest.mark.parametrize("kind", ["LanguageMarkdown", "OutputFormatting"])
async def test_markdown_must_have_a_byte_order_mark(speech: Caller, kind: str) -> None:
    """NoUtf8WithBom: "the text encoding must be UTF-8 BOM"."""
    dataset = await speech.dataset(kind, b"#rewrite\nold\tnew\n")

    assert dataset["properties"]["error"]["code"] == "NoUtf8WithBom"


# All kinds


async def test_every_kind_has_its_locales_and_its_file(speech: Caller) -> None:
    """`/datasets/locales` names all six kinds; each import leaves a file of its kind, as declared."""
    answer = await speech.call("GET", "/datasets/locales")
    judge(answer)
    assert answer.json() == {kind.value: ["en-US"] for kind in DatasetKind}
    for kind, content, file_kind in (
        ("LanguageMarkdown", BOM + STRUCTURED.encode(), "LanguageData"),
        ("OutputFormatting", BOM + FORMATTING.encode(), "OutputFormattingData"),
    ):
        dataset = await speech.dataset(kind, content)
        files = await speech.call("GET", f"{path_of(dataset)}/files")
        judge(files)
        assert sorted(file["kind"] for file in files.json()["values"]) == ["DatasetReport", file_kind]


@pytest.mark.parametrize("noun", ["models", "evaluations", "endpoints"])
async def test_locales_of_other_nouns_are_a_list(speech: Caller, noun: str) -> None:
    """As declared; only en-US has a recogniser."""
    answer = await speech.call("GET", f"/{noun}/locales")
    judge(answer)

    assert answer.json() == ["en-US"]


async def test_custom_properties_have_limits_in_an_update_too(speech: Caller) -> None:
    """10 entries after the merge, keys of 64 and values of 256 characters."""
    dataset = await speech.post(
        "/datasets", displayName="x", locale="en-US", kind="Language", customProperties=dict.fromkeys("abcdefghij", "v")
    )
    for properties in ({"k": "v"}, {"k" * 65: "v"}, {"a": "v" * 257}, {"": "v"}):
        error = await speech.refused("PATCH", path_of(dataset), 400, json={"customProperties": properties})
        assert error["target"].startswith("customProperties")
