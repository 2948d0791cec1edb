"""Who is let in: callers that use a name of the service's own, and no web page of another origin."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.emulator.service_kit import KEY, in_process, running, settings_for

RESET = "/_emulator/faults"
BASE_MODELS = "/speechtotext/models/base?api-version=2024-11-15"


async def knock(settings, path: str, host: str, method: str = "GET", **headers: str) -> httpx.Response:
    """One request with the key, under this name."""
    async with in_process(settings) as speech:
        return await speech.http.request(method, path, headers={"Host": host, **headers})


@pytest.mark.parametrize("path", ["/", "/_emulator/state", "/_emulator/health", RESET, BASE_MODELS])
async def test_a_foreign_name_is_refused_everywhere(tmp_path: Path, path: str) -> None:
    """Whoever has a name lead to this machine gets nothing through somebody's browser, and is told what helps."""
    answer = await knock(settings_for(tmp_path), path, "evil.example:8765")

    assert answer.status_code == 400
    assert "--allowed-host" in answer.json()["message"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8765", "127.0.0.1:8765", "[::1]:8765", "192.0.2.7", "speech.test", "localhost."]
)
async def test_its_own_names_and_addresses_are_let_in(tmp_path: Path, host: str) -> None:
    """Nobody can have an address in figures lead elsewhere; other names are given with --allowed-host."""
    assert (await knock(settings_for(tmp_path), "/_emulator/state", host)).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.evil.example", "evil.example:127.0.0.1", "[::1", "@"]
)
async def test_a_name_that_only_looks_like_its_own_is_refused(tmp_path: Path, host: str) -> None:
    """The whole name counts, not its beginning."""
    assert (await knock(settings_for(tmp_path), "/_emulator/state", host)).status_code == 400


async def test_a_container_is_known_by_the_name_that_it_listens_on_and_those_that_it_is_given(tmp_path: Path) -> None:
    """`*` is for those who check the name elsewhere, such as in a proxy."""
    open_to_all = settings_for(tmp_path / "1", host="speech.example", allowed_hosts=("*",))
    named = settings_for(tmp_path / "2", host="speech.example", allowed_hosts=("emulator",))

    assert (await knock(open_to_all, "/_emulator/state", "any.example")).status_code == 200
    for host, status in {"speech.example": 200, "emulator:8765": 200, "evil.example": 400}.items():
        assert (await knock(named, "/_emulator/state", host)).status_code == status


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[", ""])
async def test_a_page_of_another_origin_changes_nothing(tmp_path: Path, origin: str) -> None:
    """Not by a simple POST either, which browsers send without asking; and it uses up no fault."""
    async with in_process(settings_for(tmp_path)) as speech:
        await speech.http.post(RESET, json={"kind": "500"})
        own = await speech.http.put(
            "/_emulator/speed", json={"speed": "poll"}, headers={"Origin": "http://speech.test"}
        )
        foreign = [
            await speech.http.request(method, path, headers={"Origin": origin, "Content-Type": "text/plain"})
            for method, path in (("DELETE", RESET), ("POST", RESET), ("GET", BASE_MODELS), ("OPTIONS", RESET))
        ]
        (fault,) = (await speech.http.get(RESET)).json()

    assert own.status_code == 200
    assert {answer.status_code for answer in foreign} == {403}
    assert not [name for answer in foreign for name in answer.headers if name.startswith("access-control-")]
    assert fault["fired"] == 0


async def test_further_names_come_from_the_command_line_and_what_is_kept_is_private(tmp_path: Path) -> None:
    """Audio, uploads and the database are for their owner alone, whatever the umask of who started it."""
    data = tmp_path / "data"
    async with running(data, "--allowed-host", "emulator", "--allowed-host", "speech", workers=0) as (_, speech):
        for host, status in {"emulator:80": 200, "speech": 200, "other": 400}.items():
            assert (await speech.http.get("/_emulator/state", headers={"Host": host})).status_code == status
        dataset = await speech.post("/datasets", displayName="d", locale="en-US", kind="Language")
        await speech.upload(dataset, b"one line\n")
        await speech.final(dataset)

    kept = [data, *data.rglob("*")]
    assert any(path.is_file() for path in kept if path.parent.name != "data")
    assert [path for path in kept if path.stat().st_mode & 0o077] == []


def test_the_environment_names_further_hosts(tmp_path: Path) -> None:
    """With spaces between them, as the command line's parser wants it."""
    code = "from emulator.settings import Settings; print(*Settings().allowed_hosts, sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"SPEECH_EMULATOR_ALLOWED_HOSTS": "emulator  speech.example"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "emulator|speech.example"
    assert KEY not in done.stdout


async def test_what_an_earlier_version_left_open_is_shut(tmp_path: Path) -> None:
    """Its folders and its database were made for everybody."""
    for name in ("audio", "uploads"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "emulator.sqlite3").touch(0o644)

    async with in_process(settings_for(tmp_path)):
        pass

    for name in ("audio", "uploads", "emulator.sqlite3"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
