"""Recognition of one short recording (at most 60 seconds) by a live endpoint.

Source: "Speech to text REST API for short audio"; host rules: "Use Speech service through a private endpoint".
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from speech_client.answers import Call
from speech_client.connection import Connection
from speech_client.entities import AzureObject, Known
from speech_client.links import AZURE_DOMAINS, Which, endpoint_of, id_of

PATH = "/speech/recognition/conversation/cognitiveservices/v1"
CONTENT_TYPE = "audio/wav; codecs=audio/pcm; samplerate={rate}"
USUAL_RATE = 16_000
"""In Hz; told of audio whose header cannot be read, which the service then refuses with its own reason."""

Format: TypeAlias = Literal["simple", "detailed"]
"""Whether the answer holds the display text alone, or the n best readings in all forms."""

_SPEECH_DOMAINS = {
    ".api.cognitive.microsoft.com": ".stt.speech.microsoft.com",
    ".api.cognitive.microsoft.us": ".stt.speech.azure.us",
    ".api.cognitive.azure.cn": ".stt.speech.azure.cn",
}


class RecognitionStatus(StrEnum):
    """Whether words were understood. Silence and noise are results, not errors."""

    SUCCESS = "Success"
    NO_MATCH = "NoMatch"
    INITIAL_SILENCE_TIMEOUT = "InitialSilenceTimeout"
    BABBLE_TIMEOUT = "BabbleTimeout"
    ERROR = "Error"


class _Pascal(AzureObject):
    model_config = ConfigDict(alias_generator=to_pascal)


class Reading(_Pascal):
    """One of the n best readings; confidence is between 0 and 1."""

    confidence: float | None = None
    lexical: str
    itn: Annotated[str | None, Field(alias="ITN")] = None
    masked_itn: Annotated[str | None, Field(alias="MaskedITN")] = None
    display: str | None = None


class Recognition(_Pascal):
    """What the endpoint understood. Offset and duration are in ticks of 100 nanoseconds."""

    recognition_status: Known[RecognitionStatus]
    display_text: str | None = None
    offset: int | None = None
    duration: int | None = None
    n_best: tuple[Reading, ...] | None = None

    @property
    def text(self) -> str:
        """The text as people write it; empty when nothing was understood."""
        best = self.n_best[0].display if self.n_best else None
        return best or self.display_text or ""

    @property
    def lexical(self) -> str | None:
        """The words as spoken; None in format `simple`, which does not tell them."""
        return self.n_best[0].lexical if self.n_best else None


def recognition_url_of(endpoint: str) -> str:
    """Return where the Speech service at `endpoint` recognises speech.

    >>> recognition_url_of("https://westus.api.cognitive.microsoft.com")
    'https://westus.stt.speech.microsoft.com'
    >>> recognition_url_of("https://my-speech.cognitiveservices.azure.com")
    'https://my-speech.cognitiveservices.azure.com/stt'
    >>> recognition_url_of("http://127.0.0.1:8765")
    'http://127.0.0.1:8765'
    """
    endpoint = endpoint_of(endpoint)
    host = urlsplit(endpoint).hostname or ""
    for region_domain, custom_domain in AZURE_DOMAINS:
        if host.endswith(region_domain):
            return f"https://{host.removesuffix(region_domain)}{_SPEECH_DOMAINS[region_domain]}"
        if host.endswith(custom_domain):
            return f"{endpoint}/stt"
    return endpoint


def address(base: str, endpoint: Which | None, *, locale: str, format: Format) -> str:  # noqa: A002  # Azure's word
    """Return where to POST a recording for `endpoint` (None: the newest base model of the locale)."""
    cid = {"cid": id_of(endpoint)} if endpoint else {}
    return f"{base}{PATH}?{urlencode({**cid, 'language': locale, 'format': format})}"


async def recognise(connection: Connection, address: str, audio: bytes) -> Recognition:
    """POST the recording to `address`. It creates nothing, so it is repeated like a GET when it fails for a moment."""
    headers = {"Content-Type": CONTENT_TYPE.format(rate=_sample_rate(audio)), "Accept": "application/json"}
    call = Call(method="POST", url=address, headers=headers, content=audio, repeatable=True)
    return (await connection.send(call)).parse(Recognition)


def _sample_rate(wav: bytes) -> int:
    """Return the rate in Hz that the first chunk named "fmt " tells."""
    position = 12  # after RIFF, its size, and WAVE
    while position + 16 <= len(wav):
        name, size, rate = struct.unpack_from("<4sI4xI", wav, position)
        if name == b"fmt ":
            return int(rate)
        position += 8 + size + size % 2
    return USUAL_RATE
