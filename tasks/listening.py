"""Listening: golden utterances go through an endpoint, and what comes back is held against the evaluation."""

from collections.abc import Mapping
from time import monotonic

from prefect import task
from prefect.logging import get_run_logger

from domain.golden import Golden, Hearing, compare
from domain.latency import Latency
from domain.mistakes import Mistake
from domain.normalise import normaliser_for
from domain.ruling import Ruling
from speech_client import RequestRejected, SpeechClient
from tasks.blocks import load_speech, load_store
from tasks.entities import Remote
from tasks.retrying import REMOTE
from tasks.snapshots import read_recordings

_REFUSALS = (400, 413, 415)
"""Statuses that are about the recording: what it is, how long, of which type."""


class Verified(Remote):
    """An endpoint that answers as it must, and what it made of the golden utterances."""

    hearing: Hearing = Hearing()


@task(
    name="listen", description="Send golden utterances through the endpoint and compare with the evaluation.", **REMOTE
)
async def listen(speech: str, store: str, ruling: Ruling, endpoint: Remote, golden: Mapping[str, Golden]) -> Hearing:
    """Ask the endpoint for the texts of recordings that the evaluation heard; `Hearing.complaint` judges the answers.

    Args:
        speech: name of the Speech Resource block.
        store: name of the store's block.
        ruling: whose candidate should answer.
        endpoint: which endpoint to ask.
        golden: what was said and heard, by recording.
    """
    if not golden:
        get_run_logger().warning("No testing recording is short enough to verify '%s' with", endpoint.name)
        return Hearing()
    subject = ruling.subject
    recordings = await read_recordings(await load_store(store), subject.testing, golden)
    async with (await load_speech(speech)).client() as client:
        said = {name: await ask(client, endpoint, name, wav, subject.track.locale) for name, wav in recordings.items()}
    latency = Latency.of([seconds for _, seconds in said.values()], where=endpoint.name)
    hearing = compare(golden, {name: text for name, (text, _) in said.items()}, latency)
    _tell(endpoint, hearing)
    return hearing


async def ask(client: SpeechClient, endpoint: Remote, name: str, wav: bytes, locale: str) -> tuple[str, float]:
    """What the endpoint says, normalised, and the seconds until the answer was there, with all that had to be sent again.

    Raises:
        Mistake: it refuses this recording.
    """
    begun = monotonic()
    try:
        answer = await client.recognise(endpoint.id, wav, locale=locale)
    except RequestRejected as error:
        if error.status not in _REFUSALS:
            raise
        raise Mistake(
            f"'{endpoint.name}' refuses the testing recording '{name}': {error}. Record it again, or remove it."
        ) from error
    return normaliser_for(locale)(answer.lexical or ""), monotonic() - begun


def _tell(endpoint: Remote, hearing: Hearing) -> None:
    if hearing.latency and hearing.text_difference is not None:
        get_run_logger().info(
            "'%s' answers %d golden utterances: text %.1f %% from the evaluation's, median %.3f s, 95 of 100 within %.3f s",
            endpoint.name, hearing.recordings, 100 * hearing.text_difference,
            hearing.latency.median, hearing.latency.percentile_95,
        )  # fmt: skip
