"""What a contentUrl may name: anything while only this machine can ask, public addresses once others can."""

import gzip
from pathlib import Path

import httpx
import pytest

from emulator.errors import JobFailure
from emulator.fetching import PublicOnly
from tests.emulator.service_kit import Caller, in_process, lines, settings_for

EXPOSED = "0.0.0.0"  # noqa: S104  what these tests are about
CLOSED = "http://127.0.0.1:9"


async def imported(speech: Caller, url: str) -> dict:
    """A dataset that was told to fetch this address."""
    dataset = await speech.post("/datasets", displayName="x", locale="en-US", kind="Language", contentUrl=url)
    return await speech.final(dataset)


def reason_of(dataset: dict) -> str:
    assert dataset["status"] == "Failed"
    return dataset["properties"]["error"]["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_others_cannot_read_this_machine_through_the_emulator(tmp_path: Path, shelf, host: str) -> None:
    """However the address is spelled; the service behind it is not even asked."""
    url = shelf.put("secret", b"token\n").replace("127.0.0.1", host)
    async with in_process(settings_for(tmp_path, host=EXPOSED)) as speech:
        reason = reason_of(await imported(speech, url))

    assert "not public" in reason
    assert "--allow-private-urls" in reason
    assert shelf.asked == []


async def test_whoever_trusts_the_callers_may_allow_it(tmp_path: Path, shelf) -> None:
    """Such as in a container beside Azurite."""
    async with in_process(settings_for(tmp_path, host=EXPOSED, allow_private_urls=True)) as speech:
        assert (await imported(speech, shelf.put("a.txt", lines("good morning"))))["status"] == "Succeeded"


async def test_on_loopback_redirects_are_followed(speech: Caller, shelf) -> None:
    """Only who is on this machine already can ask."""
    url = shelf.redirect("first", shelf.redirect("second", shelf.put("a.txt", lines("good morning"))))

    assert (await imported(speech, url))["status"] == "Succeeded"


async def test_redirects_end(speech: Caller, shelf) -> None:
    """After five."""
    assert "TooManyRedirects" in reason_of(await imported(speech, shelf.redirect("a", shelf.address_of("a"))))
    assert len(shelf.asked) == 6


async def test_a_proxy_is_not_asked_for_this_machine(speech: Caller, shelf, monkeypatch) -> None:
    """A company's proxy cannot reach our loopback."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, CLOSED)

    assert (await imported(speech, shelf.put("a.txt", lines("good morning"))))["status"] == "Succeeded"


async def test_a_download_that_never_ends_is_given_up(tmp_path: Path, shelf) -> None:
    """It would hold a job's slot for ever."""
    async with in_process(settings_for(tmp_path, download_seconds=0.05)) as speech:
        reason = reason_of(await imported(speech, shelf.stall("endless.txt")))

    assert reason == "The contentUrl cannot be read: it took longer than 0.05 seconds."


async def test_a_download_has_a_largest_size(tmp_path: Path, shelf) -> None:
    """The disk is not for whoever has the key to fill."""
    async with in_process(settings_for(tmp_path, download_bytes=2 * 1024**2)) as speech:
        reason = reason_of(await imported(speech, shelf.put("a.txt", b"x" * 1024 * 2049)))

    assert reason == "The data are larger than 2 MB."


async def test_a_packed_download_is_not_unpacked(speech: Caller, shelf) -> None:
    """A thousand bytes, packed twice, would be a gigabyte in memory before anybody could count."""
    url = shelf.put("bomb.txt", gzip.compress(gzip.compress(lines("good morning"))))
    shelf.encodings["/bomb.txt"] = "gzip, gzip"

    assert "DecodingError" in reason_of(await imported(speech, url))


@pytest.mark.parametrize("host", ["xn--", "xn--a.example"])
async def test_a_host_that_is_no_name_is_unreadable(speech: Caller, host: str) -> None:
    """Not a failure of the emulator."""
    assert "cannot be read" in reason_of(await imported(speech, f"http://{host}/a.txt"))


class Web:
    """Public servers with names, as far as the emulator can tell."""

    def __init__(self, names: dict[str, list[str]], answers: dict[str, httpx.Response]) -> None:
        self.names, self.answers = names, answers
        self.asked: list[httpx.Request] = []

    async def resolve(self, host: str, _: int) -> list[str]:
        return self.names[host]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers[request.headers["Host"]]

    async def get(self, url: str) -> httpx.Response:
        transport = PublicOnly(httpx.MockTransport(self.answer), self.resolve)
        async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
            return await http.get(url)


async def test_the_address_that_was_checked_is_the_one_that_is_asked() -> None:
    """A name that resolves differently a moment later gains nothing; TLS still checks the name."""
    web = Web({"files.example": ["93.184.215.14"]}, {"files.example": httpx.Response(200, text="fine")})

    assert (await web.get("https://files.example/a?sig=1")).text == "fine"
    [request] = web.asked
    assert str(request.url) == "https://93.184.215.14/a?sig=1"
    assert request.extensions["sni_hostname"] == "files.example"


async def test_a_relative_redirect_stays_with_the_name() -> None:
    """The address stands in for the name on the wire only."""
    web = Web({"files.example": ["2606:2800::1"]}, {})
    web.answers["files.example"] = httpx.Response(302, headers={"Location": "/b"})
    with pytest.raises(httpx.TooManyRedirects):
        await web.get("http://files.example/a")

    assert {request.headers["Host"] for request in web.asked} == {"files.example"}


async def test_a_public_server_cannot_send_the_emulator_inside() -> None:
    """Each redirect is checked like the first address."""
    inside = httpx.Response(302, headers={"Location": "http://intranet.example/secret"})
    web = Web({"files.example": ["93.184.215.14"], "intranet.example": ["10.0.0.7"]}, {"files.example": inside})
    with pytest.raises(JobFailure, match="not public"):
        await web.get("http://files.example/a")

    assert len(web.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "127.8.8.8",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.168.1.1",
        "224.0.0.1",
        "::",
        "::1",
        "::10.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::1",
        "fd00::1",
        "fec0::1",
        "fe80::1%eth0",
    ],
)
async def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Loopback, private, link-local, carrier-grade NAT, Azure's own host service, and IPv4 in IPv6's clothes."""
    web = Web({"files.example": ["93.184.215.14", address]}, {})
    with pytest.raises(JobFailure, match="not public"):
        await web.get("http://files.example/a")
