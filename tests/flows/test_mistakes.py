"""Whatever is wrong, the run ends with one clear error that says what to do, and without a traceback."""

import shutil
from collections.abc import Awaitable, Callable

import pytest
from prefect.blocks.core import Block
from prefect.states import State
from pydantic import SecretStr

from flows.testing_update import testing_update
from flows.training_update import training_update
from tests.emulator.service_kit import free_port
from tests.flows.conftest import World

Run = Callable[..., Awaitable[State]]


async def told(run: Run, world: World, logged: Callable[[], str], **arguments: str) -> str:
    """Run a flow that must fail; its message. The log must hold it and no traceback."""
    state = await run(**{**world.arguments, **arguments}, return_state=True)
    assert state.is_failed()
    message = str(state.message).removeprefix("Flow run encountered an exception: ")
    assert "Traceback" not in logged()
    print(message)  # what people read, with -s
    return message


async def test_an_unknown_track_is_named_with_the_known_ones(world: World, logged: Callable[[], str]) -> None:
    """A typing mistake is seen at once."""
    message = await told(training_update, world, logged, track="place")

    assert "there is no track 'place'" in message
    assert "known: places" in message
    assert "speechops init place" in message


async def test_a_missing_block_is_named(world: World, logged: Callable[[], str]) -> None:
    """The operator learns which block to make, and where."""
    message = await told(training_update, world, logged, speech="westeurope")

    assert "there is no Speech Resource block named 'westeurope'" in message
    assert "Prefect UI" in message


async def test_a_missing_key_is_told(world: World, logged: Callable[[], str]) -> None:
    """A block without a key is no reason for a riddle."""
    await world.save_blocks(key=None)

    message = await told(training_update, world, logged)

    assert "the Speech Resource block has no key" in message
    assert "use_entra_id" in message


async def test_a_wrong_key_is_told_without_showing_it(world: World, logged: Callable[[], str]) -> None:
    """Which setting to correct; the key itself appears nowhere."""
    await world.save_blocks(key=SecretStr("not-the-key-0123456789"))

    message = await told(training_update, world, logged)

    assert "401" in message
    assert "key" in message
    assert "not-the-key" not in logged() + message


async def test_an_unreachable_service_is_told_with_its_address(world: World, logged: Callable[[], str]) -> None:
    """A forgotten emulator, or a wrong endpoint, is told within seconds."""
    address = f"http://127.0.0.1:{free_port()}"
    await world.save_blocks(endpoint=address)

    message = await told(training_update, world, logged)

    assert address in message
    assert "Unreachable" in message


async def test_a_locale_without_a_base_model_is_told(world: World, logged: Callable[[], str]) -> None:
    """Which setting to correct, in which file."""
    world.write_track(settings='locale = "de-DE"\n')

    message = await told(training_update, world, logged)

    assert "no base model for locale 'de-DE'" in message
    assert "track.toml" in message


async def test_bad_rows_are_told_before_anything_is_uploaded(world: World, logged: Callable[[], str]) -> None:
    """Every problem at once, with file, line, reason and remedy; testing and training data alike."""
    folder = world.data / world.track
    (folder / "testing" / "trans.txt").write_text("1.wav\ttake me\n2.wav no tab\nmissing.wav\thello\n")
    (folder / "training" / "pronunciation.txt").write_text("Xanadu zan a doo\n")

    message = await told(training_update, world, logged)

    assert "testing/trans.txt:2:" in message
    assert "tab" in message
    assert "missing.wav" in message
    assert "training/pronunciation.txt:1:" in message
    assert await world.entities("datasets") == []


async def test_a_wrong_recording_is_told_with_its_remedy(world: World, logged: Callable[[], str]) -> None:
    """The service would refuse it without a reason; we give the command that mends it."""
    from tests.emulator.fake_engine import wav

    (world.data / world.track / "testing" / "1.wav").write_bytes(wav("take me", rate=44_100))

    message = await told(testing_update, world, logged)

    assert "testing/1.wav" in message
    assert "44" in message
    assert "sox" in message
    assert await world.entities("datasets") == []


async def test_missing_training_data_are_told(world: World, logged: Callable[[], str]) -> None:
    """A track that can only be tested is fine for a testing update."""
    shutil.rmtree(world.data / world.track / "training")

    assert "there are no training data" in await told(training_update, world, logged)
    assert (await testing_update(**world.arguments)).benchmark_wer is not None


@pytest.mark.parametrize(
    ("job", "noun"),
    [
        ("dataset", "Dataset"),
        pytest.param("training", "Model", marks=pytest.mark.slow),
        pytest.param("evaluation", "Evaluation", marks=pytest.mark.slow),
        ("endpoint", "Endpoint"),
    ],
)
async def test_a_job_that_fails_is_told_with_the_reason(
    world: World, logged: Callable[[], str], job: str, noun: str
) -> None:
    """Azure's code and message, and what to do next. A run after that tries anew, under a new name."""
    await world.fault(job=job, code="InvalidData", message="Something is odd.")

    message = await told(training_update, world, logged)

    assert f"{noun} '" in message
    assert "InvalidData: Something is odd" in message
    assert "run again" in message
    assert (await world.ledger.state()).release is None
    report = await training_update(**world.arguments)
    assert report.released


async def test_evidence_that_is_invalid_ends_the_run_as_invalid(world: World, logged: Callable[[], str]) -> None:
    """References without words measure nothing; nothing is recorded."""
    world.write_track(spoken={"1.wav": "take me to xanadu"})
    (world.data / world.track / "testing" / "trans.txt").write_text("1.wav\t...\n")

    message = await told(testing_update, world, logged)

    assert message
    assert (await world.ledger.state()).benchmark is None


async def test_no_key_and_no_transcript_gets_into_the_logs(world: World, logged: Callable[[], str]) -> None:
    """Keys, signed addresses and what people said stay where they belong."""
    block = await Block.aload("speech-resource/speechops")
    await training_update(**world.arguments)

    log = logged()
    assert block.key.get_secret_value() not in log
    assert "sig=" not in log
    for said in ("take me to xanadu", "xerxes street is near"):
        assert said not in log


async def test_a_testing_recording_that_the_service_refuses_ends_the_run_before_training(
    world: World, logged: Callable[[], str]
) -> None:
    """A model that has not heard all testing recordings gets no verdict: to train it would cost money for nothing."""
    folder = world.data / world.track / "testing"
    rows = (folder / "trans.txt").read_text().splitlines()
    (folder / "trans.txt").write_text("\n".join([f"{rows[0]} {'on ' * 22_000}", *rows[1:]]))  # the emulator takes 64 kB

    message = await told(training_update, world, logged)

    assert "refused 1 lines" in message
    assert "(7 accepted)" in message
    assert await world.entities("models") == []
