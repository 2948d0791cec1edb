"""What operators see and do in the Prefect UI, in a real browser, after a training update that went live."""

import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from prefect_azure import AzureBlobStorageCredentials

from deployments.flow_runs import update_since, watched
from tasks.blob_data import BlobData
from tests.azurite_kit import ACCOUNT, Azurite
from tests.browser.conftest import (
    EVENT_GRID_SECRET,
    KEY,
    RECORDINGS,
    REVISION,
    TRACK,
    PrefectUI,
    write_small_track,
)
from tests.deployments.receiver.hook_kit import event_grid, payload

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        ("testing-update", "re-tests the benchmark model"),
        ("training-update", "deploys it only when the verdict is PASS"),
        ("deploy", "or puts the old model back"),
        ("data-update", "starts testing-update and training-update for the tracks that it concerns"),
    ],
)
async def test_every_deployment_is_listed_and_says_what_it_does(ui: PrefectUI, flow: str, says: str) -> None:
    """A newcomer finds out in the UI what to start."""
    await ui.open_deployment(flow)

    await ui.page.get_by_role("tab", name="Description").click()

    await expect(ui.page.get_by_role("tabpanel")).to_contain_text(says)


async def test_the_form_explains_every_parameter(ui: PrefectUI) -> None:
    """Only the track must be told; the blocks are filled in, and each parameter has its line of explanation."""
    await ui.open_form("training-update")

    form = ui.page.locator("form")
    for name, value, says in [
        ("track", "", "a folder with a track.toml"),
        ("revision (Optional)", "", "left empty, the git commit"),
        ("data (Optional)", "data", "Folder that holds the tracks"),
        ("speech (Optional)", "speechops", "Name of the Speech Resource block"),
        ("store (Optional)", "speechops", "Name of the store's block"),
    ]:
        await expect(form.get_by_label(name)).to_have_value(value)
        await expect(form).to_contain_text(says)


async def test_the_run_is_called_by_track_and_revision_and_says_what_it_came_to(ui: PrefectUI) -> None:
    """One look at the list of runs tells whose run it was, and that a model went live."""
    await ui.open_run("Details")

    header = ui.page.locator("main")
    await expect(header).to_contain_text(f"{TRACK} @ {REVISION}")
    await expect(header).to_contain_text("Released")
    await expect(header).to_contain_text(re.compile(r"is live: WER fell from \d\d\.\d% to \d\.\d%"))


async def test_the_run_shows_its_tasks(ui: PrefectUI) -> None:
    """Their names tell the story."""
    await ui.open_run("Task Runs")

    tasks = ui.page.get_by_role("tabpanel")
    for name in ("take-snapshot", "await-datasets", "start-model", "await-evaluation", "judge", "report-verdict"):
        await expect(tasks).to_contain_text(name)


async def test_the_run_leads_to_the_release(ui: PrefectUI) -> None:
    """Going live is a subflow, named after the model."""
    await ui.open_release("Task Runs")

    tasks = ui.page.get_by_role("tabpanel")
    for name in ("start-staging-endpoint", "start-live-endpoint", "record-release"):
        await expect(tasks).to_contain_text(name)


async def test_the_verdict_page_answers_whether_it_is_better_and_why(ui: PrefectUI) -> None:
    """Verdict, reasons, word error rates, rules, words and evidence, as a rendered page."""
    await ui.open_run("Artifacts")
    await ui.open_artifact(f"Markdown {TRACK}-verdict")

    page = ui.page.locator("main")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("PASS: the candidate is better")
    for title in ("Word error rates", "Rules", "Words that the candidate fixed", "Words still missed", "Evidence"):
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
    await expect(page.get_by_role("row", name=f"candidate {TRACK}-model-")).to_contain_text(re.compile(r"\d\.\d%"))
    report = page.get_by_role("link", name="The whole report, with charts")
    await expect(report).to_have_attribute(
        "href", re.compile(rf"^{ui.site.stack.reports_url}/[0-9a-f]{{64}}/report.html$")
    )
    await expect(page.get_by_role("row", name="minimum gain")).to_contain_text("PASS")
    await expect(page).to_contain_text("kalba")
    await expect(page.get_by_role("row", name="revision")).to_contain_text(REVISION)


async def test_the_wer_table_has_both_models(ui: PrefectUI) -> None:
    """Beside each other, with the errors of which the rates consist."""
    await ui.open_run("Artifacts")
    await ui.open_artifact(f"Table {TRACK}-wer")

    table = ui.page.get_by_role("table")
    await expect(table.get_by_role("row", name="candidate")).to_contain_text(f"{TRACK}-model-")
    await expect(table.get_by_role("row", name="candidate")).to_contain_text(re.compile(r"\d/\d/\d"))
    await expect(table.get_by_role("row", name="benchmark")).to_contain_text(re.compile(r"\d\d\.\d%"))


async def test_the_live_endpoint_is_a_link(ui: PrefectUI) -> None:
    """Its address is what clients send recordings to."""
    await ui.open_release("Artifacts")
    await ui.open_artifact(f"Markdown {TRACK}-endpoint")

    link = ui.page.get_by_role("link", name=f"{TRACK}-live")

    await expect(link).to_have_attribute("href", re.compile(rf"^{ui.site.stack.emulator_url}/speech/.*[?&]cid="))
    await expect(ui.page.locator("main")).to_contain_text(f"Release 1 of track '{TRACK}'")


async def test_an_operator_starts_a_testing_update_by_hand(ui: PrefectUI) -> None:
    """A transcript is corrected, the form filled in, and the run ends as Recorded with the new benchmark WER."""
    transcripts = ui.site.data / TRACK / "testing" / "trans.txt"
    transcripts.write_text(transcripts.read_text().replace("palm leaves", "palm fronds"))
    await ui.open_form("testing-update")

    await ui.page.get_by_label("track").fill(TRACK)
    await ui.page.get_by_label("revision (Optional)").fill("by-hand")
    await ui.page.get_by_label("data (Optional)").fill(str(ui.site.data))
    await ui.submit()

    await expect(ui.page.locator("main")).to_contain_text("Recorded")
    await expect(ui.page.locator("main")).to_contain_text(f"{TRACK} @ by-hand")
    await ui.page.get_by_role("tab", name="Details").click()
    await expect(ui.page.get_by_role("tabpanel")).to_contain_text(re.compile(r"benchmark WER \d+\.\d%"))


async def test_an_upload_starts_its_test_and_can_be_followed(ui: PrefectUI, azurite: Azurite, tmp_path: Path) -> None:
    """Event Grid tells of a new recording: data-update says what it started and why, and its link leads to the WER."""
    write_small_track(tmp_path / "night-bus", RECORDINGS[:2], "training")
    container = azurite.container()
    async with ui.site.stack.client() as client:
        credentials = AzureBlobStorageCredentials(connection_string=azurite.connection_string)
        block = BlobData(credentials=credentials, container=container.name, prefix="tracks")
        await block.asave("uploads", client=client)
    since = datetime.now(UTC)
    with azurite.client(container) as blobs:
        for file in filter(Path.is_file, tmp_path.rglob("*")):
            blobs.upload_blob(f"tracks/{file.relative_to(tmp_path).as_posix()}", file.read_bytes())

    sent = event_grid(blob_created(ACCOUNT, container.name, "tracks/night-bus/testing/awb-06.wav"), EVENT_GRID_SECRET)
    async with httpx.AsyncClient(base_url=ui.site.stack.receiver_url) as sender:
        answer = await sender.post(sent.path, content=sent.body, headers=sent.headers)

    assert answer.status_code == 202, answer.text
    async with ui.site.stack.client() as client:
        run = await watched(client, await update_since(client, "uploads", since), lambda task, state: None)
        assert run.state_name == "Started"
    await ui.open_named_run("uploads", "Artifacts")
    await expect(ui.page.locator("main")).to_contain_text("Started")
    await ui.open_artifact("Markdown uploads-changes")
    await expect(ui.page.locator("main")).to_contain_text(re.compile(r"testing: .*awb-06\.wav"))
    await ui.page.get_by_role("link", name="testing-update night-bus @ ").click()
    await expect(ui.page.locator("main")).to_contain_text("Recorded")


def blob_created(account: str, container: str, blob: str) -> object:
    """Event Grid's word of a blob."""
    (event,) = payload("eventgrid-blob-created")
    topic = re.sub(r"[^/]+$", account, event["topic"])
    return [event | {"topic": topic, "subject": f"/blobServices/default/containers/{container}/blobs/{blob}"}]


async def test_neither_the_key_nor_a_sentence_is_shown(ui: PrefectUI) -> None:
    """Not by the block that holds the key, not in the logs, nor on any page on which the tests before ended."""
    await ui.page.get_by_role("link", name="Blocks").click()
    await ui.page.get_by_role("row").filter(has_text="Speech Resource").get_by_role("link", name="speechops").click()
    await expect(ui.page.locator("main")).to_contain_text(ui.site.stack.emulator_url)
    await ui.look()
    for open_logs in (ui.open_run, ui.open_release):
        await open_logs("Logs")
        await expect(ui.page.get_by_role("log")).to_contain_text("Beginning")
        await ui.look()

    seen = "\n".join(ui.seen).lower()

    assert ui.site.stack.emulator_url in seen
    assert [secret for secret in (KEY, EVENT_GRID_SECRET, *ui.site.sentences) if secret in seen] == []


async def test_the_browser_has_nothing_to_complain_about(ui: PrefectUI) -> None:
    """No script failed and no request was refused on any page so far, but for what Prefect's UI lacks itself."""
    await ui.open_run("Artifacts")
    await ui.open_artifact(f"Markdown {TRACK}-verdict")

    assert ui.complaints == [], "\n".join(ui.complaints)
