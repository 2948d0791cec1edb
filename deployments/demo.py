"""`speechops demo`: the whole loop on real audio, with nothing but this machine.

It starts the local stack, plays five commits to a track's data through the deployed flows, lets the live endpoint
transcribe a recording that the base model got wrong, pushes two more commits and watches what they start by themselves, takes
the last release back, and writes what happened to `summary.json`.
"""

import json
import tomllib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    temporary_settings,
)
from rich.console import Console

from deployments.demo_page import DemoPage
from deployments.demo_repository import TRACK, DemoRepository
from deployments.demo_steps import EXPECTED, LIVE, PUSH, STEPS, Played, Step, copied_page
from deployments.demo_undo import Undone, undo
from deployments.flow_runs import result_of, run_to_end, runs_for, update_since, watched
from deployments.home import private_files
from deployments.processes import shown
from deployments.stack import Stack, StackSettings, running_stack
from domain.mistakes import Mistake
from domain.ruling import Report, Work
from speech_client import KeyCredential, SpeechClient
from tasks.git_block import GitData
from tasks.store import LocalFolder
from tasks.vault import read_comparison

SOURCE = "demo"
"""The name of the block that leads to the demo's repository."""

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
        Mistake: the stack could not be started, a flow failed, or the story did not come true.
    """
    with private_files():
        await _demo(settings, console)


async def _demo(settings: StackSettings, console: Console) -> None:
    began, page = monotonic(), DemoPage(console)
    folder = settings.home / "demo"
    repository = DemoRepository(folder / "repository", settings.project / "data")
    async with running_stack(settings, page.starting) as stack:
        page.started(stack)
        with temporary_settings(_settings_of(stack)):
            async with stack.client() as client:
                theatre = _Theatre(repository, client, stack, page, folder / "reports")
                played, heard = await theatre.play(settings.project)
                _check(played)
                undone = await undo(client, stack, page)
    seconds = monotonic() - began
    summary = _summary(played, heard, undone, seconds)
    (folder / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page.closing(played, seconds, folder / "summary.json")


@dataclass(frozen=True, slots=True)
class _Theatre:
    repository: DemoRepository
    client: PrefectClient
    stack: Stack
    page: DemoPage
    reports: Path

    async def play(self, project: Path) -> tuple[list[Played], Heard]:
        played, heard = list[Played](), None
        for number, step in enumerate(STEPS):
            played.append(await self._play(number, step))
            report = played[-1].report
            if number == LIVE and report is not None:
                heard = await _listen(self.stack, report, project)
                self.page.heard(heard.reference, heard.base, heard.custom)
                await _words(self.stack, report, self.page)
        if heard is None:
            raise Mistake("no model went live, so there is no endpoint to listen to. See the verdict above.")
        return played, heard

    async def _play(self, number: int, step: Step) -> Played:
        self.page.step(step.title, step.commit(self.repository), step.flow)
        run, known = await (self._push() if step.flow == PUSH else self._run(step.flow))
        played = await self._outcome(step, run)
        if known and played.report:
            played = replace(played, report=_as_known(played.report))
        told = played.refusal or (played.report.page if played.report else "")
        played = replace(played, page=copied_page(self.stack.home.store, self.reports, number + 1, step, told))
        self.page.played(played)
        return played

    async def _run(self, flow: str) -> tuple[FlowRun, bool]:
        parameters = {"track": TRACK, "data": str(self.repository.data.resolve())}
        return await run_to_end(self.client, f"{flow}/{_SUITE}", parameters, self.page.task), False

    async def _push(self) -> tuple[FlowRun, bool]:
        """Push, start nothing, and watch what comes of it; the last run, and whether an earlier play had pushed this."""
        runs = await runs_for(self.client, SOURCE, self.repository.head)
        known = bool(runs) and all(run.state and run.state.is_final() for run in runs)
        if not known:
            runs = await self._pushed()
        for number, run in enumerate(runs):
            self.page.begun((await self.client.read_flow(run.flow_id)).name, run)
            runs[number] = await watched(self.client, run, self.page.task)
        return runs[-1], known

    async def _pushed(self) -> list[FlowRun]:
        """Push, wait for data-update, and return the runs that it started."""
        await GitData(address=self.repository.origin.as_uri(), folder=self.repository.tours.name).asave(
            SOURCE, overwrite=True
        )
        since = datetime.now(UTC)
        self.page.pushed(self.repository.push(self.stack.receiver_url, self.stack.home.hook_secret))
        update = await watched(self.client, await self._update(since), self.page.task)
        if update.state is None or not update.state.is_completed():
            raise Mistake(f"data-update ended as {update.state_name}: {update.state.message if update.state else ''}")
        runs = await runs_for(self.client, SOURCE, self.repository.head)
        if not runs:
            raise Mistake("the push started nothing. The Prefect UI shows what data-update found.")
        return runs

    async def _update(self, since: datetime) -> FlowRun:
        """The run of data-update that the push has started."""
        try:
            found = await update_since(self.client, SOURCE, since)
        except LookupError:
            raise Mistake(
                f"nobody started data-update for the push. See {shown(self.stack.home.logs)}/receiver.log."
            ) from None
        self.page.begun("data-update", found)
        return found

    async def _outcome(self, step: Step, run: FlowRun) -> Played:
        message = (run.state.message if run.state else "") or ""
        if EXPECTED[STEPS.index(step)] == "BLOCKED" and run.state and run.state.is_failed():
            return Played(step, str(run.id), None, refusal=message.rpartition("exception: ")[2])
        return Played(step, str(run.id), await result_of(run, Report))


def _as_known(report: Report) -> Report:
    """The report of a run that is looked at again: no work was done for it now."""
    decision = report.decision.model_copy(update={"work": Work(), "settled": True})
    return report.model_copy(update={"decision": decision})


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
    comparison = await read_comparison(LocalFolder(stack.home.store), ruling.comparison)
    page.words(comparison)


def _check(played: list[Played]) -> None:
    """The demo fails when the story does not come true."""
    told = tuple(one.outcome for one in played)
    live = played[LIVE].report
    if told != EXPECTED or live is None or not live.released:
        raise Mistake(
            f"the demo did not go as it should: {', '.join(one or 'measured' for one in told)} instead of "
            f"{', '.join(one or 'measured' for one in EXPECTED)}. "
            "If the sample data have been changed, remove the folder .speechops and run again."
        )


def _summary(played: list[Played], heard: Heard, undone: Undone, seconds: float) -> dict[str, object]:
    first, live = played[0].report, played[LIVE].report
    endpoint = live.endpoint if live else None
    return {
        "baseline_wer": first.base_wer if first else None,
        "steps": [_figures(one) for one in played],
        "endpoint": {"id": (endpoint or "").rpartition("/")[2], "url": live.address if live else None},
        "heard": asdict(heard),
        "rollback": {"live": undone.release.version, "taken_back": undone.version, "seconds": undone.seconds},
        "seconds": round(seconds, 1),
    }


def _figures(played: Played) -> dict[str, object]:
    report = played.report
    return {
        "flow": played.step.flow,
        "verdict": report.decision.ruling.verdict.outcome.value if report else played.outcome,
        "benchmark_wer": report.benchmark_wer if report else None,
        "candidate_wer": report.candidate_wer if report else None,
        "released": bool(report and report.released),
        "flow_run_id": played.flow_run,
        "report": str(shown(played.page)) if played.page else None,
    }


def _settings_of(stack: Stack) -> dict[object, object]:
    home = stack.home.prefect
    return {
        PREFECT_API_URL: stack.prefect_api_url, PREFECT_API_AUTH_STRING: stack.prefect_auth,
        PREFECT_HOME: home, PREFECT_LOCAL_STORAGE_PATH: home / "storage",
    }  # fmt: skip
