"""The emulator's own controls: clock, list lag, slow answers, job speed, state, and the page for people."""

import asyncio
import base64
from datetime import UTC, datetime

import httpx
import pytest

from tests.emulator.service_kit import KEY, Caller, held, id_of, in_process, lines, path_of, served, settings_for

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = {"displayName": "x", "locale": "en-US", "kind": "Language"}


@pytest.fixture
async def speech(tmp_path):
    """An emulator whose time stands still until it is moved."""
    async with in_process(settings_for(tmp_path), clock=lambda: START) as caller:
        yield caller


async def control(speech: Caller, method: str, name: str, **body) -> httpx.Response:
    return await speech.http.request(method, f"/_emulator/{name}", json=body or None)


async def advance(speech: Caller, seconds: float) -> None:
    assert (await control(speech, "POST", "clock", advance_seconds=seconds)).status_code == 200


async def listed(speech: Caller, **query) -> set[str]:
    return {path_of(dataset) for dataset in (await speech.get("/datasets", **query))["values"]}


async def test_the_clock_can_be_moved_and_set_back(speech: Caller) -> None:
    """By seconds, or to an offset from the machine's time; what is created then has that date."""
    await advance(speech, 3600)
    await advance(speech, 0.5)
    dataset = await speech.post("/datasets", **BODY)
    assert dataset["createdDateTime"] == "2026-03-01T13:00:00Z"
    assert (await control(speech, "GET", "clock")).json() == {"now": "2026-03-01T13:00:00Z", "offset_seconds": 3600.5}

    back = await control(speech, "POST", "clock", offset_seconds=0)
    assert back.json() == {"now": "2026-03-01T12:00:00Z", "offset_seconds": 0}


@pytest.mark.parametrize(
    "move", [{}, {"advance_seconds": 1, "offset_seconds": 1}, {"advance_seconds": 1e300}, {"advance": 1}]
)
async def test_an_impossible_move_of_the_clock_is_refused(speech: Caller, move: dict) -> None:
    """And the time stays as it was."""
    await advance(speech, 60)

    assert (await speech.http.post("/_emulator/clock", json=move)).status_code == 400
    assert (await control(speech, "GET", "clock")).json()["offset_seconds"] == 60


async def test_moving_the_clock_makes_signed_addresses_expire(speech: Caller) -> None:
    """Without waiting twelve hours."""
    dataset = await speech.dataset("Language", lines("hello"))
    file = (await speech.get(f"{path_of(dataset)}/files"))["values"][0]["links"]["contentUrl"]

    assert (await speech.http.get(file)).status_code == 200
    await advance(speech, 12 * 3600 + 1)
    assert (await speech.http.get(file)).status_code == 403


@pytest.mark.parametrize("seconds", [0.5, 2.0])
async def test_with_list_lag_a_new_entity_is_found_by_id_but_not_listed_yet(speech: Caller, seconds: float) -> None:
    """To the fraction of a second; filters and pages hide it too."""
    old = await speech.post("/datasets", **BODY)
    await control(speech, "PUT", "list-lag", seconds=seconds)
    new = await speech.post("/datasets", **BODY)

    assert (await speech.get(path_of(new)))["self"] == new["self"]
    assert await listed(speech) == await listed(speech, filter="displayName eq 'x'") == {path_of(old)}
    await advance(speech, seconds - 0.1)
    assert (await control(speech, "GET", "list-lag")).json() == {"seconds": seconds, "hidden": 1}
    await advance(speech, 0.1)
    assert await listed(speech) == {path_of(old), path_of(new)}


async def test_a_list_lag_of_zero_shows_everything_at_once(speech: Caller) -> None:
    """A test can end the lag without moving the clock."""
    await control(speech, "PUT", "list-lag", seconds=600)
    new = await speech.post("/datasets", **BODY)
    await control(speech, "PUT", "list-lag", seconds=0)

    assert await listed(speech) == {path_of(new)}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_slow_answer_is_late_and_right(speech: Caller, when: str) -> None:
    """The fault changes when the answer comes, not what it says."""
    await speech.http.post("/_emulator/faults", json={"method": "POST", "kind": "slow", "seconds": 0.1, "when": when})
    started = asyncio.get_running_loop().time()
    dataset = await speech.post("/datasets", **BODY)

    assert asyncio.get_running_loop().time() - started >= 0.1
    assert await listed(speech) == {path_of(dataset)}


async def test_a_slow_request_takes_effect_although_the_caller_has_given_up(tmp_path) -> None:
    """The worst case for a client: it looks, finds nothing, and then the entity appears."""
    async with served(settings_for(tmp_path)) as speech:
        fault = {"method": "POST", "kind": "slow", "seconds": 0.3, "when": "before"}
        await speech.http.post("/_emulator/faults", json=fault)
        with pytest.raises(httpx.ReadTimeout):
            await speech.call("POST", "/datasets", json=BODY, timeout=0.05)

        found: set[str] = set()
        while not found:
            found = await listed(speech)
        assert len(found) == 1


async def statuses(speech: Caller, entity: dict) -> list[str]:
    seen = [entity["status"]]
    while seen[-1] not in ("Succeeded", "Failed"):
        seen.append((await speech.get(path_of(entity)))["status"])
    return seen


async def test_with_job_speed_poll_each_get_moves_a_job_one_state_on(speech: Caller) -> None:
    """So a test sees every state, however quick or slow the machine is."""
    data = await speech.dataset("Language", lines("hello"))
    await control(speech, "PUT", "speed", speed="poll")
    for fault, end in ((None, "Succeeded"), ({"job": "training"}, "Failed")):
        if fault:
            await speech.http.post("/_emulator/faults", json=fault)
        body = {"displayName": "m", "locale": "en-US", "datasets": [{"self": data["self"]}]}
        model = await speech.post("/models", **body)
        assert await statuses(speech, model) == ["NotStarted", "NotStarted", "Running", end]


async def test_with_job_speed_poll_a_get_waits_for_the_step_before_it(speech: Caller, tmp_path) -> None:
    """Otherwise a slow machine would show Running more than once."""
    data = await speech.dataset("Language", lines("hello"))
    await control(speech, "PUT", "speed", speed="poll")
    with held(tmp_path, "training"):
        model = await speech.post("/models", displayName="m", locale="en-US", datasets=[{"self": data["self"]}])
        assert [(await speech.get(path_of(model)))["status"] for _ in range(2)] == ["NotStarted", "Running"]
        third = asyncio.create_task(speech.get(path_of(model)))
        for _ in range(3):
            await control(speech, "GET", "clock")
    assert (await third)["status"] == "Succeeded"


async def test_with_job_speed_poll_a_list_moves_the_jobs_that_it_shows(speech: Caller) -> None:
    """Clients that wait by lists get on, and nothing else does."""
    await control(speech, "PUT", "speed", speed="poll")
    for name in ("a", "b"):
        await speech.post("/endpoints", displayName=name, locale="en-US")

    async def shown(**query) -> dict[str, str]:
        return {one["displayName"]: one["status"] for one in (await speech.get("/endpoints", **query))["values"]}

    only_a = {"filter": "displayName eq 'a'"}
    assert [await shown(**only_a) for _ in range(2)] == [{"a": "NotStarted"}, {"a": "Running"}]
    assert await shown() == {"a": "Succeeded", "b": "NotStarted"}


async def test_job_speed_can_be_changed_while_jobs_wait(speech: Caller) -> None:
    """A test that has seen enough lets the rest go."""
    await control(speech, "PUT", "speed", speed="poll")
    endpoint = await speech.post("/endpoints", displayName="e", locale="en-US")
    assert (await control(speech, "PUT", "speed", speed="instant")).json() == {"speed": "instant"}

    assert (await speech.final(endpoint))["status"] == "Succeeded"
    assert (await control(speech, "PUT", "speed", speed="quick")).status_code == 400


async def test_the_state_shows_everything_but_secrets(tmp_path) -> None:
    """Entities, jobs, faults, quota, clock, settings; no key, token, signature or transcript."""
    settings = settings_for(tmp_path, entra_tokens="user=a-canary-token")
    async with in_process(settings, clock=lambda: START) as speech:
        secret_url = "http://127.0.0.1:1/data?sig=a-canary-signature"
        await speech.final(await speech.post("/datasets", **BODY, contentUrl=secret_url))
        await speech.dataset("Language", lines("a canary transcript"), displayName="mine")
        await speech.http.post("/_emulator/faults", json={"job": "training"})
        await control(speech, "PUT", "speed", speed="poll")
        endpoint = await speech.post("/endpoints", displayName="waits", locale="en-US")
        answer = await speech.http.get("/_emulator/state")
        state, page = answer.json(), (await speech.http.get("/")).text

    assert [(one["display_name"], one["status"]) for one in state["latest"]["datasets"]] == [
        ("mine", "Succeeded"),
        ("x", "Failed"),
    ]
    assert [(job["id"], job["status"]) for job in state["jobs"]] == [(id_of(endpoint), "NotStarted")]
    assert state["entities"]["datasets"] == {"Failed": 1, "Succeeded": 1}
    assert state["counters"]["imports"] == 1
    assert (state["clock"]["now"], state["speed"], state["settings"]["tier"]) == ("2026-03-01T12:00:00Z", "poll", "S0")
    assert state["settings"]["entra_roles"] == ["user"]
    assert state["faults"][0]["job"] == "training"
    for text in (answer.text, page):
        assert not [secret for secret in (KEY, "canary", "sig=") if secret in text]


async def test_the_page_shows_what_happens_and_escapes_names(speech: Caller) -> None:
    """Resources, jobs, quota, faults, clock; a name with markup is text; no script runs."""
    await speech.post("/datasets", **{**BODY, "displayName": "<script>x</script>"})
    await speech.http.post("/_emulator/faults", json={"path": "/<b>", "kind": "429"})
    await advance(speech, 7200)
    page = await speech.http.get("/")

    assert "<script" not in page.text
    for text in ("&lt;script&gt;x&lt;/script&gt;", "429 before * /&lt;b&gt;", "moved by 2 h", "0 of 100", "NotStarted"):
        assert text in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_looking_at_the_page_uses_up_no_fault(speech: Caller) -> None:
    """It reloads every few seconds while a person waits for the fault to strike."""
    await speech.http.post("/_emulator/faults", json={"kind": "500"})
    assert (await speech.http.get("/", headers={"Ocp-Apim-Subscription-Key": "none needed here"})).status_code == 200

    assert (await speech.http.get("/_emulator/faults")).json()[0]["fired"] == 0


async def test_others_see_the_page_and_the_controls_with_the_key_only(tmp_path) -> None:
    """A browser may send it as a password; nothing else opens them."""
    async with in_process(settings_for(tmp_path, host="192.0.2.1")) as speech:

        async def ask(path: str, **headers: str) -> httpx.Response:
            return await speech.http.get(path, headers={"Ocp-Apim-Subscription-Key": "wrong", **headers})

        password, wrong = (base64.b64encode(f"me:{key}".encode()).decode() for key in (KEY, "x"))
        for path in ("/", "/_emulator/state", "/_emulator/clock"):
            assert (await ask(path, Authorization=f"Basic {password}")).status_code == 200
            for headers in ({}, {"Authorization": f"Basic {wrong}"}, {"Authorization": "Basic %%%"}):
                assert (await ask(path, **headers)).status_code == 401
        assert "Basic" in (await ask("/")).headers["WWW-Authenticate"]
        await speech.refused(
            "GET",
            "/datasets",
            401,
            headers={
                "Ocp-Apim-Subscription-Key": "wrong",
                "Authorization": f"Basic {password}",
            },
        )


async def test_a_newer_base_model_can_be_brought_out(speech: Caller) -> None:
    """As Microsoft does a few times a year: whoever names none gets it from now on, and models can be trained from it."""
    before = await speech.base_model()

    released = await speech.http.post("/_emulator/base-models", json={"name": "20270115"})

    assert released.status_code == 201
    newest = await speech.base_model()
    assert (newest["displayName"], id_of(newest)) == ("20270115", released.json()["id"])
    assert newest["displayName"] > before["displayName"]
    assert await speech.get(path_of(newest)) == newest
    model = await speech.model(await speech.dataset("Language", lines("xanadu")))
    assert model["baseModel"]["self"] == newest["self"]


@pytest.mark.parametrize("name", ["20260115", "20271301", "newest"])
async def test_a_base_model_that_cannot_be_is_refused(speech: Caller, name: str) -> None:
    """One that is there already, or whose name is no date."""
    count = len((await speech.get("/models/base"))["values"])

    assert (await speech.http.post("/_emulator/base-models", json={"name": name})).status_code == 400
    assert len((await speech.get("/models/base"))["values"]) == count
