"""Datasets: import of each kind, what is rejected, and why."""

import json

import pytest

from tests.emulator.fake_engine import wav
from tests.emulator.service_kit import Caller, lines, path_of, recordings, zipped


async def report_of(speech: Caller, dataset: dict) -> dict:
    return json.loads((await speech.contents(dataset))["report.json"])


async def test_text_is_counted_by_lines_and_bad_lines_are_named(speech: Caller) -> None:
    """Empty lines do not count; a URI, wrong bytes and control characters are rejected with their line number."""
    content = b"\xef\xbb\xbfgood morning\r\n\r\nsee https://example.org\nsm\xf8rrebr\xf8d\nbell \x07\nlast line"
    dataset = await speech.dataset("Language", content)

    assert dataset["status"] == "Succeeded"
    assert dataset["properties"]["acceptedLineCount"] == 2
    assert dataset["properties"]["rejectedLineCount"] == 3
    assert [row["line"] for row in (await report_of(speech, dataset))["rejectedLines"]] == [3, 4, 5]
    assert (await speech.contents(dataset))["language_data.txt"] == b"good morning\nlast line\n"


async def test_a_pronunciation_needs_exactly_one_tab(speech: Caller) -> None:
    """`display<TAB>spoken`, both there."""
    dataset = await speech.dataset("Pronunciation", b"GoDrive\tgo drive\nSouq souk\nKalba\t\na\tb\tc\n")

    assert dataset["properties"]["acceptedLineCount"] == 1
    assert dataset["properties"]["rejectedLineCount"] == 3


async def test_recordings_are_found_flat_or_nested_by_their_bare_name(speech: Caller) -> None:
    """The transcript names files without their folder."""
    content = zipped({"audio/a.wav": wav("one"), "b.wav": wav("two"), "text/trans.txt": b"a.wav\tone\nb.wav\ttwo\n"})
    dataset = await speech.dataset("Acoustic", content)

    assert dataset["properties"]["acceptedLineCount"] == 2
    assert dataset["properties"]["durationMilliseconds"] == 1000


async def test_bad_rows_of_an_archive_are_rejected_with_a_reason(speech: Caller) -> None:
    """Missing, stereo, unlisted or twice-named audio, and rows without text, never reach an evaluation."""
    rows = "good.wav\tfine\nnone.wav\tlost\nstereo.wav\ttwo ears\ngood.wav\tagain\nempty.wav\t\nno tab\n"
    files = {"good.wav": wav("fine"), "stereo.wav": wav("two ears", channels=2), "empty.wav": wav("")}
    dataset = await speech.dataset("Acoustic", zipped({**files, "unlisted.wav": wav("x"), "t.tsv": rows.encode()}))

    report = await report_of(speech, dataset)
    assert (report["acceptedLineCount"], report["rejectedLineCount"]) == (1, 5)
    reasons = {row["line"]: row["reason"] for row in report["rejectedLines"]}
    assert "no such file" in reasons[2]
    assert "mono" in reasons[3]
    assert "earlier line" in reasons[4]
    assert "unlisted.wav" in report["unusedFiles"]


async def test_audio_alone_is_accepted_file_by_file(speech: Caller) -> None:
    """AudioFiles has no transcript; its recordings are files of the dataset."""
    dataset = await speech.dataset("AudioFiles", zipped({"a.wav": wav("one"), "b.wav": wav("two")}))

    files = (await speech.get(f"{path_of(dataset)}/files", filter="kind eq 'Audio'"))["values"]
    assert sorted(file["name"] for file in files) == ["a.wav", "b.wav"]
    assert files[0]["properties"]["durationMilliseconds"] == 500


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("Language", b"", "empty"),
        ("Language", zipped({"a.txt": b"text"}), "zip"),
        ("Language", b"http://only.example\n", "All 1 lines were rejected"),
        ("Pronunciation", b"a\tb\n" * 300_000, "larger than 1 MB"),
        ("Acoustic", b"not a zip", "not a readable zip"),
        ("Acoustic", zipped({"a.wav": b"RIFF"}), "exactly one .txt or .tsv"),
        ("Acoustic", zipped({"a.txt": b"a.wav\ta", "b.txt": b""}), "exactly one .txt or .tsv"),
        ("Acoustic", zipped({"a.wav": b"no audio", "t.txt": b"a.wav\ta"}), "not a RIFF WAV"),
        ("Acoustic", zipped({"../a.wav": wav("a"), "t.txt": b"a.wav\ta"}), "points outside"),
    ],
)
async def test_data_without_a_usable_line_fail_with_the_reason(
    speech: Caller, kind: str, content: bytes, reason: str
) -> None:
    """The dataset ends as Failed, and says why in properties.error."""
    dataset = await speech.dataset(kind, content)

    assert dataset["status"] == "Failed"
    assert dataset["properties"]["error"]["code"] == "DataImportFailed"
    assert reason in dataset["properties"]["error"]["message"]


async def test_data_can_come_from_an_address(speech: Caller, shelf) -> None:
    """contentUrl is read by plain GET and shown again; no block links then."""
    url = shelf.put("plain.txt", lines("good morning"))
    dataset = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language", contentUrl=url)
    dataset = await speech.final(dataset)

    assert dataset["status"] == "Succeeded"
    assert dataset["contentUrl"] == url
    assert set(dataset["links"]) == {"files"}


async def test_an_unreadable_address_fails_without_repeating_its_signature(speech: Caller, shelf, caplog) -> None:
    """The SAS of a contentUrl is in neither the error nor the log."""
    url = shelf.put("there.txt", b"").replace("there", "gone") + "?sig=canary"
    with caplog.at_level("INFO", logger="emulator"):
        dataset = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language", contentUrl=url)
        dataset = await speech.final(dataset)

    assert dataset["status"] == "Failed"
    assert "404" in dataset["properties"]["error"]["message"]
    assert "canary" not in json.dumps(dataset["properties"])
    assert "canary" not in "".join(record.getMessage() for record in caplog.records if record.name != "httpx")


async def test_an_address_that_nobody_answers_fails_the_import(speech: Caller) -> None:
    """With the kind of the problem."""
    url = "http://127.0.0.1:1/plain.txt"
    dataset = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language", contentUrl=url)
    error = (await speech.final(dataset))["properties"]["error"]

    assert error["message"] == "The contentUrl cannot be read: ConnectError."


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "nonsense"])
async def test_only_web_addresses_are_fetched(speech: Caller, url: str) -> None:
    """The emulator's own disk is not to be read through it."""
    body = {"displayName": "x", "locale": "en-US", "kind": "Language", "contentUrl": url}
    error = await speech.refused("POST", "/datasets", 400, json=body)

    assert error["target"] == "contentUrl"


async def test_a_locale_without_a_recogniser_is_refused(speech: Caller) -> None:
    """Only en-US can be emulated."""
    body = {"displayName": "x", "locale": "de-DE", "kind": "Language"}
    error = await speech.refused("POST", "/datasets", 400, json=body)

    assert error["innerError"]["code"] == "InvalidLocale"


async def test_a_dataset_can_be_renamed_and_its_properties_merged(speech: Caller) -> None:
    """PATCH replaces what it names; null removes; the rest stays."""
    dataset = await speech.dataset("Language", lines("hi"), description="old", customProperties={"a": "1", "b": "2"})
    body = {"displayName": "new", "description": None, "customProperties": {"b": None, "c": "3"}}
    for content_type in ("application/json", "application/merge-patch+json"):
        answer = await speech.call(
            "PATCH", path_of(dataset), content=json.dumps(body), headers={"Content-Type": content_type}
        )
        assert answer.status_code == 200, answer.text

    changed = answer.json()
    assert changed["displayName"] == "new"
    assert "description" not in changed
    assert changed["customProperties"] == {"a": "1", "c": "3"}


async def test_a_dataset_in_use_stays(speech: Caller) -> None:
    """A model was trained with it: delete the model first. Unknown ids are no error."""
    dataset = await speech.dataset("Language", lines("hi"))
    model = await speech.model(dataset)

    error = await speech.refused("DELETE", path_of(dataset), 409)
    assert error["innerError"]["code"] == "InUseViolation"
    for path in (path_of(model), path_of(dataset), path_of(dataset)):
        assert (await speech.call("DELETE", path)).status_code == 204
    assert (await speech.call("GET", path_of(dataset))).status_code == 404


async def test_deleted_recordings_leave_the_disk_unless_another_dataset_has_them(speech: Caller, tmp_path) -> None:
    """Deleting data deletes them."""
    first = await speech.dataset("Acoustic", recordings("one", "two"))
    second = await speech.dataset("Acoustic", recordings("one"))
    assert len(list((tmp_path / "audio").iterdir())) == 2

    await speech.call("DELETE", path_of(first))
    assert len(list((tmp_path / "audio").iterdir())) == 1
    await speech.call("DELETE", path_of(second))
    assert list((tmp_path / "audio").iterdir()) == []
    assert list((tmp_path / "files").iterdir()) == []
