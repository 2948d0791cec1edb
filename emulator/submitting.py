"""Checks of `Transcriptions_Submit`: from a request's body to the transcription that is to be made."""

from typing import Any
from urllib.parse import urlsplit

from emulator.base_models import LOCALES, BaseModel, default_base_model
from emulator.bodies import LanguageIdentification, NewTranscription, ReferenceBody, TranscriptionOptions
from emulator.calls import Call, require_locale
from emulator.entities import CustomModel, DatasetKind, Transcription
from emulator.errors import invalid
from emulator.evaluations import require_model
from emulator.languages import LanguageIdentificationMode, check_candidates
from emulator.models import require_dataset

MAX_URLS = 1000
TIME_TO_LIVE_HOURS = (6, 31 * 24)
CHANNELS = (0, 1)
TRANSCRIBABLE = (DatasetKind.ACOUSTIC, DatasetKind.AUDIO_FILES)
MAPPING = "properties.languageIdentification.speechModelMapping"


def transcription_of(call: Call, body: NewTranscription) -> Transcription:
    """The transcription that a request asks for.

    Raises:
        ServiceError: the request cannot be met.
    """
    _check_options(body.properties)
    identification = body.properties.language_identification
    mapping = _identifying(call, body.locale, identification) if identification else {}
    if not identification:
        require_locale(body.locale)
    model = _model(call, body)
    return call.new(
        Transcription,
        body,
        model=model.path if model else None,
        properties=_properties(body.properties, mapping),
        submitted=True,
        **_source(call, body),
    )


def _check_options(options: TranscriptionOptions) -> None:
    least, most = TIME_TO_LIVE_HOURS
    if not least <= options.time_to_live_hours <= most:
        message = f"timeToLiveHours must be between {least} and {most} (31 days)."
        raise invalid("InvalidTimeToLive", message, "properties.timeToLiveHours")
    check_channels(options.channels, "properties.channels")
    if options.destination_container_url is not None:
        message = "This service keeps results itself: it writes to no destinationContainerUrl."
        raise invalid("InaccessibleCustomerStorage", message, "properties.destinationContainerUrl")


def check_channels(channels: tuple[int, ...], target: str) -> None:
    """Raise when a request asks for channels that no recording can have."""
    if not set(channels) & set(CHANNELS):
        raise invalid("InvalidChannelSpecification", "At least one of the channels 0 and 1 must be selected.", target)
    if not set(channels) <= set(CHANNELS) or len(channels) != len(set(channels)):
        raise invalid("InvalidChannels", "Only the channels 0 and 1 can be selected, each once.", target)


def _identifying(call: Call, main: str, asked: LanguageIdentification) -> dict[str, str]:
    """The path of the model for each mapped locale, once the request is found to be right."""
    check_candidates(main, asked.candidate_locales, asked.mode)
    if asked.mode is LanguageIdentificationMode.CONTINUOUS and not {main, *asked.candidate_locales} & set(LOCALES):
        message = f"This service recognises {', '.join(LOCALES)} only: it must be the locale or a candidate."
        raise invalid("InvalidLocale", message, "locale")
    others = set(asked.speech_model_mapping) - set(asked.candidate_locales)
    if others:
        raise invalid("InvalidLocale", f"{min(others)!r} is mapped, but is no candidate.", MAPPING)
    mapping = asked.speech_model_mapping.items()
    return {locale: _able(call, reference, locale, MAPPING).path for locale, reference in mapping}


def _model(call: Call, body: NewTranscription) -> BaseModel | CustomModel | None:
    """The model for the main locale; None when that has no recogniser (which is then only for unidentified speech)."""
    if body.model is not None:
        return _able(call, body.model, body.locale, "model")
    return default_base_model(call.store, body.locale) if body.locale in LOCALES else None


def _able(call: Call, reference: ReferenceBody, locale: str, target: str) -> BaseModel | CustomModel:
    model = require_model(call, reference, locale, target)
    if not model.properties["features"]["supportsTranscriptionsSubmit"]:
        raise invalid("InvalidModel", f"The model {model.id} does not support batch transcription.", target)
    return model


def _source(call: Call, body: NewTranscription) -> dict[str, Any]:
    given = [body.content_urls, body.content_container_url, body.dataset]
    if sum(one is not None for one in given) != 1:
        message = "Exactly one of contentUrls, contentContainerUrl and dataset is needed."
        raise invalid("OnlyOneOfUrlsOrContainerOrDataset", message)
    if body.dataset is not None:
        return {"dataset": _dataset(call, body.dataset, body.locale)}
    if body.content_container_url is not None:
        _check_address(body.content_container_url, "contentContainerUrl")
        return {"content_container_url": body.content_container_url}
    urls = body.content_urls or []
    if len(urls) > MAX_URLS:
        message = f"At most {MAX_URLS} contentUrls are allowed."
        raise invalid("ExceededNumberOfRecordingsUris", message, "contentUrls")
    if not urls:
        raise invalid("InvalidRecordingsUri", "contentUrls must not be empty.", "contentUrls")
    for url in urls:
        _check_address(url, "contentUrls")
    return {"content_urls": urls}


def _dataset(call: Call, reference: ReferenceBody, locale: str) -> str:
    dataset = require_dataset(call, reference, "dataset")
    if dataset.kind not in TRANSCRIBABLE or dataset.locale != locale:
        message = f"A transcription needs a dataset of audio (Acoustic or AudioFiles) in {locale}."
        raise invalid("InvalidDataset", message, "dataset")
    return dataset.path


def _check_address(url: str, target: str) -> None:
    """Raise for what is no address; the message does not quote it, for it may hold a SAS."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise invalid("InvalidRecordingsUri", f"{target} needs absolute http or https addresses.", target)


def _properties(options: TranscriptionOptions, mapping: dict[str, str]) -> dict[str, Any]:
    properties = options.model_dump(mode="json", by_alias=True, exclude_none=True)
    if options.language_identification is not None:
        identification = properties["languageIdentification"]
        del identification["speechModelMapping"]
        if mapping:
            identification["speechModelMapping"] = {locale: {"self": path} for locale, path in mapping.items()}
    return properties
