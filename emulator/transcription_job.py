"""Batch transcription: each recording is fetched, heard and written down on its own, so that one may fail alone."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from emulator.artifacts import Shelf
from emulator.base_models import LOCALES, default_base_model, recipe_key_of
from emulator.containers import Container, blobs_of
from emulator.entities import FileKind, StoredFile, Transcription, id_in
from emulator.errors import JobFailure
from emulator.fetching import fetch
from emulator.languages import LanguageIdentificationMode
from emulator.presentation import Presentation, ProfanityFilterMode, PunctuationMode
from emulator.results import report
from emulator.service import Service
from emulator.store import Store
from emulator.transcribing import Listening, ResultOrder, transcribe

LONGEST_SECONDS = 240 * 60.0
"""Documented for recordings whose speakers are told apart; for all others it is ours."""
FETCHED_AT_ONCE = 4
LANGUAGE_ERRORS = ("NoLanguageIdentified", "MultipleLanguagesIdentified")
ALL_FAILED = "The recordings URI contains invalid data."
"""As Azure says it (cognitive-services-speech-sdk#1109, #1340: the report has the reasons)."""
INVALID_DATA = "InvalidData"
SECRETS = ("sig", "token", "key", "secret")
"""A query with such a name in it opens something: a SAS, and what others call theirs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recording of a batch."""

    name: str
    """Of its result file, without `.json`."""
    shown: str
    """What the result and the report call it."""
    url: str | None = None
    """Where it can be fetched; may hold a SAS."""
    content: str | None = None
    """Or where it lies in the data folder."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a recording: a result file and its seconds, or the reason why there is none."""

    source: Source
    file: StoredFile | None = None
    seconds: float = 0.0
    failure: JobFailure | None = None

    def detail(self) -> dict[str, str]:
        """Its line of the report."""
        if self.failure is None:
            return {"source": self.source.shown, "status": "Succeeded"}
        reason = {"errorKind": self.failure.code, "errorMessage": self.failure.message}
        return {"source": self.source.shown, "status": "Failed", **reason}


async def run(service: Service, transcription: Transcription) -> Callable[[Transcription], Transcription]:
    """Transcribe; the entity gets a result file per recording that could be recognised, and a report."""
    sources = await _sources(service, transcription)
    turns = asyncio.Semaphore(FETCHED_AT_ONCE)
    prepared = _prepared(service, transcription)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_try(service, transcription, number, source, prepared, turns))
            for number, source in enumerate(sources)
        ]
    outcomes = [task.result() for task in tasks]
    shelf = Shelf(service.data, transcription.id, service.clock())
    content = report([outcome.detail() for outcome in outcomes])
    files = [outcome.file for outcome in outcomes if outcome.file is not None]
    files.append(shelf.put_json("report.json", FileKind.TRANSCRIPTION_REPORT, content))
    if all(outcome.failure for outcome in outcomes):
        service.store.set_files(transcription.id, files)
        raise _common_failure(outcomes)
    return partial(_finished, service, files, sum(outcome.seconds for outcome in outcomes))


def _finished(service: Service, files: list[StoredFile], seconds: float, transcription: Transcription) -> Transcription:
    service.store.set_files(transcription.id, files)
    service.store.count("transcriptions")
    return transcription.with_properties(durationMilliseconds=round(1000 * seconds), error=None)


def _common_failure(outcomes: list[Outcome]) -> JobFailure:
    """The failure of a batch of which nothing is left."""
    codes = {outcome.failure.code for outcome in outcomes if outcome.failure}
    code = codes.pop() if len(codes) == 1 else INVALID_DATA
    if code in LANGUAGE_ERRORS and outcomes[0].failure:
        return outcomes[0].failure
    return JobFailure(INVALID_DATA, ALL_FAILED)


# What is transcribed


async def _sources(service: Service, transcription: Transcription) -> list[Source]:
    if transcription.dataset is not None:
        recordings = service.store.recordings(id_in(transcription.dataset))
        return [Source(one.name, one.name, content=one.content) for one in recordings]
    if transcription.content_container_url is not None:
        container = Container.at(transcription.content_container_url)
        addresses = [(name, container.address_of(name)) for name in await blobs_of(container, service.settings)]
        return [Source(name, without_signature(url), url) for name, url in addresses]
    urls = transcription.content_urls or []
    return [Source(f"contenturl_{number}", without_signature(url), url) for number, url in enumerate(urls)]


def without_signature(url: str) -> str:
    """The address as it may be shown: what opens it is left out.

    >>> without_signature("https://a.blob.core.windows.net/c/one.wav?sv=1&sig=secret")
    'https://a.blob.core.windows.net/c/one.wav'
    >>> without_signature("https://user:password@example.com/one.wav?take=2")
    'https://example.com/one.wav?take=2'
    """
    parts = urlsplit(url)
    names = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    is_signed = any(secret in name for name in names for secret in SECRETS)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "" if is_signed else parts.query, ""))


# How it is transcribed


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is the same for all recordings of a batch."""

    recipe_key: str | None
    channels: tuple[int, ...]
    is_diarized: bool
    is_one_language: bool
    shown: Presentation


def _prepared(service: Service, transcription: Transcription) -> _Prepared:
    options = transcription.properties
    locale, model = language_of(service.store, transcription)
    identification = options.get("languageIdentification")
    is_diarized = options.get("diarization", {}).get("enabled", False)
    shown = Presentation(
        words=options["wordLevelTimestampsEnabled"],
        display_words=options["displayFormWordLevelTimestampsEnabled"],
        punctuation=PunctuationMode(options["punctuationMode"]),
        profanity=ProfanityFilterMode(options["profanityFilterMode"]),
        locale=locale if identification else None,
        speaker=1 if is_diarized else None,  # the recogniser cannot tell voices apart
    )
    return _Prepared(
        recipe_key=recipe_key_of(service.store, model) if model else None,
        channels=tuple(options["channels"]),
        is_diarized=is_diarized,
        is_one_language=_is_single(identification),
        shown=shown,
    )


def language_of(store: Store, transcription: Transcription) -> tuple[str | None, str | None]:
    """The locale in which speech is recognised, and the path of the model; None when no language is identified."""
    identification = transcription.properties.get("languageIdentification")
    if identification is None:
        return transcription.locale, transcription.model
    for locale in identification["candidateLocales"]:
        if locale in LOCALES:
            mapped = identification.get("speechModelMapping", {}).get(locale)
            return locale, mapped["self"] if mapped else default_base_model(store, locale).path
    return (None, None) if _is_single(identification) else (transcription.locale, transcription.model)


def _is_single(identification: Mapping[str, Any] | None) -> bool:
    return identification is not None and identification["mode"] == LanguageIdentificationMode.SINGLE


async def _try(
    service: Service,
    transcription: Transcription,
    number: int,
    source: Source,
    prepared: _Prepared,
    turns: asyncio.Semaphore,
) -> Outcome:
    folder = service.upload_of(transcription.id)
    async with turns:
        try:
            audio = await _fetched(service, source, folder / str(number))
            file, seconds = await _transcribed(service, transcription, source, audio, prepared)
        except JobFailure as failure:
            return Outcome(source, failure=failure)
        finally:
            (folder / str(number)).unlink(missing_ok=True)
    return Outcome(source, file, seconds)


async def _fetched(service: Service, source: Source, target: Path) -> Path:
    if source.content is not None:
        return service.data / source.content
    assert source.url is not None  # noqa: S101  one of the two is there
    try:
        await fetch(source.url, target, service.settings)
    except JobFailure as failure:
        raise JobFailure("InvalidRecordingsUri", failure.message) from failure
    return target


async def _transcribed(
    service: Service, transcription: Transcription, source: Source, audio: Path, prepared: _Prepared
) -> tuple[StoredFile, float]:
    listening = Listening(
        audio,
        prepared.recipe_key,
        prepared.channels,
        LONGEST_SECONDS,
        is_diarized=prepared.is_diarized,
        is_one_language=prepared.is_one_language,
    )
    order = ResultOrder(transcription.id, f"{source.name}.json", source.shown, prepared.shown, service.clock())
    return await service.pool.run(transcribe, service.place, listening, order)
