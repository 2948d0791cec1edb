"""Manifests: the files of a model, to run it elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from emulator import engine
from emulator.training import BASE
from tests.emulator.service_kit import Caller, id_of, in_process, judge, lines, path_of, settings_for


async def manifest_of(speech: Caller, model: dict, minutes: int = 60) -> dict:
    answer = await speech.call("GET", f"{path_of(model)}/manifest", query={"sasLifetimeMinutes": minutes})
    assert answer.status_code == 200, answer.text
    judge(answer)
    return answer.json()


async def download(speech: Caller, url: str | httpx.URL) -> httpx.Response:
    return await speech.http.get(url, headers={"Ocp-Apim-Subscription-Key": ""})


async def trained(speech: Caller) -> dict:
    return await speech.model(await speech.dataset("Language", lines("we went to xanadu")))


async def test_the_files_of_a_custom_model_can_be_downloaded(speech: Caller) -> None:
    """By plain GET, without a key; the manifest names its model."""
    model = await trained(speech)
    manifest = await manifest_of(speech, model)
    [file] = manifest["modelFiles"]

    assert manifest["model"] == {"self": model["self"]}
    assert (await download(speech, file["contentUrl"])).text == "we went to xanadu"


async def test_a_base_model_has_a_manifest_too(speech: Caller) -> None:
    """Under its own path; as a custom model its id is unknown."""
    base = await speech.base_model()
    manifest = await manifest_of(speech, base)

    assert manifest["model"] == {"self": base["self"]}
    assert (await download(speech, manifest["modelFiles"][0]["contentUrl"])).status_code == 200
    await speech.refused("GET", f"/models/{id_of(base)}/manifest", 404, query={"sasLifetimeMinutes": 60})


@pytest.mark.parametrize("minutes", [{}, {"sasLifetimeMinutes": 0}, {"sasLifetimeMinutes": -1}])
async def test_a_manifest_needs_a_lifetime_that_is_not_zero(speech: Caller, minutes: dict) -> None:
    """Unlike lists of files, where twelve hours are the default."""
    error = await speech.refused("GET", f"{path_of(await speech.base_model())}/manifest", 400, query=minutes)

    assert error["target"] == "sasLifetimeMinutes"
    assert error["innerError"]["code"] in ("InvalidSasValidityDuration", "InvalidParameterValue")


async def test_the_addresses_of_a_manifest_end(tmp_path: Path) -> None:
    """After the minutes that were asked for."""
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with in_process(settings_for(tmp_path), clock=lambda: now[0]) as speech:
        url = (await manifest_of(speech, await trained(speech), 10))["modelFiles"][0]["contentUrl"]
        now[0] += timedelta(minutes=9)
        assert (await download(speech, url)).status_code == 200
        now[0] += timedelta(minutes=2)
        assert (await download(speech, url)).status_code == 403


async def test_a_signature_opens_only_its_file(speech: Caller) -> None:
    """Not another model's, not another name, and nothing once the model is deleted."""
    model, other = await trained(speech), await speech.base_model()
    url = httpx.URL((await manifest_of(speech, model))["modelFiles"][0]["contentUrl"])
    for path in (url.path.replace(id_of(model), id_of(other)), f"{url.path}x", url.path + "/../../../emulator.sqlite3"):
        assert (await download(speech, url.copy_with(path=path))).status_code in (400, 403)

    await speech.call("DELETE", path_of(model))
    assert (await download(speech, url)).status_code == 403


async def test_a_model_that_is_not_trained_has_no_manifest(speech: Caller) -> None:
    """InvalidModel."""
    model = await speech.model(await speech.dataset("Language", lines("123")))
    error = await speech.refused("GET", f"{path_of(model)}/manifest", 400, query={"sasLifetimeMinutes": 60})

    assert error["innerError"]["code"] == "InvalidModel"


def test_the_real_engine_names_all_that_the_decoder_loads(model_cache: Path) -> None:
    """Language model, dictionary, and the acoustic model; every file exists."""
    files = engine.files(BASE, model_cache)

    assert {"base/lm.bin", "base/words.dict", "en-us/mdef", "en-us/means"} <= set(files)
    assert all(path.is_file() for path in files.values())
