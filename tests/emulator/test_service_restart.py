"""The emulator survives its own end: SIGKILL at bad moments, with real processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.emulator.service_kit import Caller, Running, block_id, held, lines, path_of, recordings, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes in /proc")


def children_of(emulator: Running) -> list[int]:
    pid = emulator.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110  another process decides
        await asyncio.sleep(0.01)


async def start_training(speech: Caller, data: Path) -> dict:
    """A model whose training is under way (and held)."""
    dataset = await speech.dataset("Language", lines("hello"))
    references = [{"self": dataset["self"]}]
    model = await speech.post("/models", displayName="m", locale="en-US", datasets=references)
    await until((data / "cache" / "trainings.log").exists)
    assert (await speech.get(path_of(model)))["status"] == "Running"
    return model


async def test_a_training_that_was_killed_is_done_once_after_the_restart(tmp_path: Path) -> None:
    """The same model, one training counted, no worker left behind."""
    with held(tmp_path, "training"):
        async with running(tmp_path) as (emulator, speech):
            model = await start_training(speech, tmp_path)
            workers = children_of(emulator)
            emulator.kill()
            await until(lambda: not any(is_running(pid) for pid in workers))
    async with running(tmp_path) as (_, speech):
        model = await speech.final(await speech.get(path_of(model)))

        assert model["status"] == "Succeeded"
        assert (await speech.state())["trainings"] == 1


async def test_decodes_before_a_kill_are_kept(tmp_path: Path) -> None:
    """The evaluation goes on where it was: eight recordings were done, sixteen are left for two models."""
    spoken = [f"number {number}" for number in range(8)] + [f"slowly {number}" for number in range(4)]
    with held(tmp_path, "slowly"):
        async with running(tmp_path) as (emulator, speech):
            model = await speech.model(await speech.dataset("Language", lines("hello")))
            test = await speech.dataset("Acoustic", recordings(*spoken))
            evaluation = await speech.start_evaluation(await speech.base_model(), model, test)
            while (await speech.state())["decodes"] < 8:  # noqa: ASYNC110  another process decides
                await asyncio.sleep(0.01)
            emulator.kill()
    async with running(tmp_path) as (_, speech):
        evaluation = await speech.final(await speech.get(path_of(evaluation)))
        state = await speech.state()

        assert evaluation["properties"]["sentenceCount2"] == 12
        assert (state["decodes"], state["decode_cache_hits"], state["evaluations"]) == (24, 8, 1)


async def test_uploaded_blocks_survive_and_an_import_goes_on(tmp_path: Path) -> None:
    """An upload can be finished after a restart."""
    async with running(tmp_path, workers=0) as (emulator, speech):
        path = path_of(await speech.post("/datasets", displayName="x", locale="en-US", kind="Language"))
        await speech.call("PUT", f"{path}/blocks", query={"blockid": block_id(0)}, content=b"hello\n")
        emulator.kill()
    async with running(tmp_path, workers=0) as (_, speech):
        assert (await speech.get(path))["status"] == "NotStarted"
        await speech.call("POST", f"{path}/blocks:commit", json=[{"kind": "Latest", "id": block_id(0)}])
        assert (await speech.final(await speech.get(path)))["properties"]["acceptedLineCount"] == 1


async def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    """Its job is done by the next one; the server answers all the while."""
    async with running(tmp_path) as (emulator, speech):
        with held(tmp_path, "training"):
            model = await start_training(speech, tmp_path)
            for pid in children_of(emulator):
                os.kill(pid, signal.SIGKILL)
            log = tmp_path / "cache" / "trainings.log"
            await until(lambda: len(log.read_text().splitlines()) == 2)
        assert (await speech.final(model))["status"] == "Succeeded"


async def test_sigterm_ends_it_at_once_in_the_middle_of_a_job(tmp_path: Path) -> None:
    """Exit code 0, no process left, the job open for the next start."""
    with held(tmp_path, "training"):
        async with running(tmp_path) as (emulator, speech):
            model = await start_training(speech, tmp_path)
            workers = children_of(emulator)
            output = emulator.stop()
            assert emulator.process.returncode == 0, output
            assert "Traceback" not in output
            await until(lambda: not any(is_running(pid) for pid in workers))
    async with running(tmp_path) as (_, speech):
        assert (await speech.final(await speech.get(path_of(model))))["status"] == "Succeeded"


async def test_ctrl_c_is_a_clean_end_too(tmp_path: Path) -> None:
    """The terminal sends SIGINT to workers as well; nobody complains."""
    async with running(tmp_path) as (emulator, speech):
        await speech.dataset("Language", lines("hello"))
        for pid in (*children_of(emulator), emulator.process.pid):
            os.kill(pid, signal.SIGINT)
        output, _ = emulator.process.communicate(timeout=20)

        assert emulator.process.returncode == 0
        assert "Traceback" not in output


async def test_the_server_answers_while_it_decodes(tmp_path: Path) -> None:
    """The work is elsewhere, whatever it costs."""
    spoken = [f"slowly {number}" for number in range(40)]
    async with running(tmp_path, workers=2) as (_, speech):
        base = await speech.base_model()
        test = await speech.dataset("Acoustic", recordings(*spoken))
        with held(tmp_path, "slowly"):
            evaluation = await speech.start_evaluation(base, base, test)
            answers = await asyncio.gather(*(speech.call("GET", path_of(evaluation)) for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
        assert (await speech.final(evaluation))["status"] == "Succeeded"
