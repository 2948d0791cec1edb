"""`speechops demo`: the whole loop on real audio, with nothing but this machine.

It starts the local stack, plays four commits to a track's data through the deployed flows, lets the live endpoint
transcribe a recording that the base model got wrong, and writes what happened to `summary.json`.
"""

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOCAL_STORAGE_PATH, temporary_settings
from rich.console import Console

from deployments.demo_page import DemoPage
from deployments.demo_repository import TRACK, DemoRepository
from deployments.flow_runs import result_of, run_to_end
from deployments.stack import Stack, StackSettings, running_stack
from domain.mistakes import Mistake
from domain.ruling import Report
from speech_client import KeyCredential, SpeechClient
from tasks.rulings import read_comparison
from tasks.store import LocalFolder

_TESTING, _TRAINING = "testing-update", "training-update"
_SUITE = "speechops"


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording: what was said, what the base model hears, what the live endpoint hears."""

    reference: str
    base: str
    custom: str


async def demo(settings: StackSettings, console: Console) -> None:
    """Play the demo and write `demo/summary.json` in the stack's home.

    Raises:
        Mistake: the stack could not be started, or a flow failed.
    """
    began, page = monotonic(), DemoPage(console)
    folder = settings.home / "demo"
    repository = DemoRepository(folder / "repository", settings.project / "data")
    async with running_stack(settings, page.starting) as stack:
        page.started(stack)
        with temporary_settings(_settings_of(stack)):
            async with PrefectClient(api=stack.prefect_api_url) as client:
                reports, heard = await _play(repository, client, stack, page, settings.project)
    _check(reports)
    seconds = monotonic() - began
    summary = _summary(reports, heard, seconds)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page.closing(reports, seconds, folder / "summary.json")


async def _play(
    repository: DemoRepository, client: PrefectClient, stack: Stack, page: DemoPage, project: Path
) -> tuple[list[Report], Heard]:
    async def push(flow: str, commit: str, title: str) -> Report:
        page.step(title, commit, flow)
        parameters = {"track": TRACK, "data": str(repository.data.resolve())}
        run = await run_to_end(client, f"{flow}/{_SUITE}", parameters, page.task)
        report = await result_of(run, Report)
        page.report(report)
        return report

    reports = [
        await push(_TESTING, repository.start(), "How well does the base model do?"),
        await push(_TRAINING, repository.train(), "Teach it the names of places and services"),
    ]
    heard = await _listen(stack, reports[-1], project)
    page.heard(heard.reference, heard.base, heard.custom)
    await _words(stack, reports[-1], page)
    reports += [
        await push(
            _TRAINING,
            repository.update("dinosaurs", "Add texts about dinosaurs"),
            "Train on something that does not help",
        ),
        await push(
            _TESTING, repository.update("more-recordings", "More recordings to test with"), "Test on new recordings"
        ),
    ]
    return reports, heard


async def _listen(stack: Stack, report: Report, project: Path) -> Heard:
    """Let the base model and the live endpoint transcribe the sample track's showcase recording."""
    sample = project / "data" / TRACK
    recording = sample / tomllib.loads((sample / "corpus.toml").read_text("utf-8"))["showcase"]
    rows = (line.split("\t", 1) for line in (recording.parent / "trans.txt").read_text("utf-8-sig").split("\n") if line)
    references = dict(rows)
    if report.endpoint is None:
        raise Mistake("no model went live, so there is no endpoint to listen to. See the verdict above.")
    async with SpeechClient(stack.emulator_url, KeyCredential(stack.emulator_key)) as speech:
        base = await speech.recognise(None, recording.read_bytes(), locale="en-US")
        custom = await speech.recognise(report.endpoint, recording.read_bytes(), locale="en-US")
    return Heard(reference=references[recording.name].strip(), base=base.text, custom=custom.text)


async def _words(stack: Stack, report: Report, page: DemoPage) -> None:
    ruling = report.decision.ruling
    comparison = await read_comparison(LocalFolder(stack.home.store), ruling.subject, ruling.measurement)
    page.words(comparison)


def _check(reports: list[Report]) -> None:
    """The demo fails when the story does not come true."""
    good, useless = reports[1], reports[2]
    if not good.released or useless.released:
        raise Mistake(
            "the demo did not go as it should: the good update must go live, the useless one must not. "
            "If the sample data have been changed, remove the folder .speechops and run again."
        )


def _summary(reports: list[Report], heard: Heard, seconds: float) -> dict[str, object]:
    live = reports[1]
    return {
        "baseline_wer": reports[0].base_wer,
        "steps": [
            {
                "flow": report.flow,
                "verdict": report.decision.ruling.verdict.outcome.value,
                "benchmark_wer": report.benchmark_wer,
                "candidate_wer": report.candidate_wer,
                "released": report.released,
                "flow_run_id": report.flow_run,
            }
            for report in reports
        ],
        "endpoint": {"id": (live.endpoint or "").rpartition("/")[2], "url": live.address},
        "heard": asdict(heard),
        "seconds": round(seconds, 1),
    }


def _settings_of(stack: Stack) -> dict[object, object]:
    home = stack.home.prefect
    return {PREFECT_API_URL: stack.prefect_api_url, PREFECT_HOME: home, PREFECT_LOCAL_STORAGE_PATH: home / "storage"}
