"""Files: signed addresses, their end, and what they give."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.emulator.service_kit import Caller, in_process, lines, path_of, settings_for


async def first_file(speech: Caller, **query) -> dict:
    dataset = await speech.dataset("Language", lines("good morning"))
    return (await speech.get(f"{path_of(dataset)}/files", filter="kind eq 'LanguageData'", **query))["values"][0]


async def test_a_content_address_works_by_plain_get(speech: Caller) -> None:
    """Without key and version, also in parts."""
    file = await first_file(speech)
    del speech.http.headers["Ocp-Apim-Subscription-Key"]
    url = file["links"]["contentUrl"]

    whole = await speech.http.get(url)
    assert (whole.status_code, whole.content) == (200, b"good morning\n")
    part = await speech.http.get(url, headers={"Range": "bytes=5-11"})
    assert (part.status_code, part.content) == (206, b"morning")
    assert file["properties"]["size"] == len(whole.content)


@pytest.mark.parametrize("change", [{"sig": "0" * 64}, {"sig": ""}, {"se": "2099-01-01T00:00:00Z"}, {"sig": "é"}])
async def test_a_changed_signature_opens_nothing(speech: Caller, change: dict) -> None:
    """403, in the blob service's words."""
    url = httpx.URL((await first_file(speech))["links"]["contentUrl"]).copy_merge_params(change)
    answer = await speech.http.get(url)

    assert answer.status_code == 403
    assert "AuthenticationFailed" in answer.text


async def test_a_content_address_ends(tmp_path) -> None:
    """After the minutes that were asked for; twelve hours without."""
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with in_process(settings_for(tmp_path), clock=lambda: now[0]) as speech:
        short = (await first_file(speech, sasLifetimeMinutes=10))["links"]["contentUrl"]
        usual = (await first_file(speech))["links"]["contentUrl"]
        now[0] += timedelta(minutes=11)
        assert (await speech.http.get(short)).status_code == 403
        now[0] += timedelta(hours=11)
        assert (await speech.http.get(usual)).status_code == 200
        now[0] += timedelta(hours=1)
        assert (await speech.http.get(usual)).status_code == 403


async def test_one_file_can_be_asked_for(speech: Caller) -> None:
    """By its own self; not through another entity."""
    file = await first_file(speech)
    other = await speech.dataset("Language", lines("hello"))
    path = path_of(file)

    assert (await speech.get(path))["name"] == "language_data.txt"
    file_id = path.rsplit("/", 1)[-1]
    await speech.refused("GET", f"{path_of(other)}/files/{file_id}", 404)


@pytest.mark.parametrize("minutes", [0, -1, 10**7])
async def test_a_lifetime_without_sense_is_refused(speech: Caller, minutes: int) -> None:
    """InvalidSasValidityDuration."""
    dataset = await speech.dataset("Language", lines("hello"))
    error = await speech.refused("GET", f"{path_of(dataset)}/files", 400, query={"sasLifetimeMinutes": minutes})

    assert error["innerError"]["code"] == "InvalidSasValidityDuration"


async def test_a_deleted_entity_takes_its_files_along(speech: Caller) -> None:
    """Their addresses open nothing any more."""
    file = await first_file(speech)
    await speech.call("DELETE", path_of(file).split("/files")[0])

    assert (await speech.http.get(file["links"]["contentUrl"])).status_code == 403
