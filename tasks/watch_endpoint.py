"""The live endpoint: is it there, has it the released model, and is it that model which answers?"""

from collections.abc import Mapping

from prefect import task

from domain.golden import LONGEST_SECONDS
from domain.normalise import normaliser_for
from domain.watch.canary import canary_finding, judged, telling_recordings
from domain.watch.commands import Commands
from domain.watch.endpoint import endpoint_gone, other_model
from domain.watch.findings import Finding, Part
from domain.wer import Scorecard
from speech_client import NotFound, SpeechClient
from tasks.blocks import load_speech, load_store
from tasks.retrying import REMOTE
from tasks.snapshots import read_recordings, short_recordings
from tasks.store import Store
from tasks.watch_records import Record, has_moved_on, measured_then

_FEWEST = 3
"""Recordings that are sent, whatever the track's settings for releases say."""


@task(name="check-endpoint", description="Does the live endpoint answer with the released model?", **REMOTE)
async def check_endpoint(speech: str, store: str, record: Record, commands: Commands) -> Part:
    """Look at the live endpoint, and send recordings through it that only the custom model gets right.

    Azure answers with the newest base model when a custom model has expired, and nothing in the answer says so. That base
    model is asked for the same recordings, so that the answers can be held against what it says today.
    """
    keep = await load_store(store)
    async with (await load_speech(speech)).client() as client:
        part = await _looked_at(client, record, commands) or await _listened_to(client, keep, record, commands)
    if part.findings and await has_moved_on(keep, record):
        return Part(name=part.name, told="another release came meanwhile; the next watch looks at it")
    return part


async def _looked_at(client: SpeechClient, record: Record, commands: Commands) -> Part | None:
    """What is wrong with the endpoint itself; None when it is there and has the model of the ledger."""
    release = record.release
    try:
        endpoint = await client.endpoints.get(release.endpoint)
    except NotFound:
        return _part("the live endpoint is gone", endpoint_gone(release, commands))
    serves = endpoint.model.id if endpoint.model else "none"
    if serves == release.model.rpartition("/")[2]:
        return None
    return _part(f"the live endpoint has the model {serves}", other_model(release, serves, commands))


async def _listened_to(client: SpeechClient, store: Store, record: Record, commands: Commands) -> Part:
    comparison, base = await measured_then(store, record)
    subject = record.ruling.subject
    short = await short_recordings(store, subject.testing, LONGEST_SECONDS)
    names = [name for name in telling_recordings(base.scorecard, comparison.candidate.scorecard) if name in short]
    most = max(_FEWEST, subject.track.release.golden_utterances)
    recordings = await read_recordings(store, subject.testing, names[:most])
    heard = await _heard(client, record.release.endpoint, recordings, subject.track.locale)
    today = _texts(base.scorecard) | await _heard(client, None, recordings, subject.track.locale)
    canary = judged({name: _texts(comparison.candidate.scorecard)[name] for name in recordings}, today, heard)
    if canary is None:
        return _part(
            "no recording tells the live model from today's newest base model, so nobody can tell which answers"
        )
    found = canary_finding(canary, record.release.model_name, subject.track.release.golden_tolerance_percent, commands)
    told = (
        f"{canary.recordings} recordings that only the custom model gets right: {canary.from_live} of {canary.words} words "
        f"differ from what it said at its release, {canary.from_base} from what the base model says"
    )
    return _part(told, found)


async def _heard(
    client: SpeechClient, endpoint: str | None, recordings: Mapping[str, bytes], locale: str
) -> dict[str, str]:
    normalise = normaliser_for(locale)
    asked = endpoint and endpoint.rpartition("/")[2]
    answers = {name: await client.recognise(asked, wav, locale=locale) for name, wav in recordings.items()}
    return {name: normalise(answer.lexical or "") for name, answer in answers.items()}


def _texts(card: Scorecard) -> dict[str, str]:
    return {one.id: one.hypothesis for one in card.utterances}


def _part(told: str, finding: Finding | None = None) -> Part:
    return Part(name="live endpoint", told=told, findings=(finding,) if finding else ())
