"""`speechops replay`: what was decided, decided again from a folder alone."""

import asyncio
import json
from pathlib import Path

import pytest

from domain.gate import decide
from domain.policy import GatePolicy
from tasks.ledger import Ledger
from tasks.store import LocalFolder
from tests.deployments.plain_kit import Run, runner
from tests.tasks.vault_kit import COMPARISON, ruled, told

STORE = Path(".speechops/store")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


def verdict_of(track: str = "places", **changes: object) -> str:
    """A verdict in the default store, with its place in the history; its digest."""

    async def made() -> str:
        store = LocalFolder(STORE)
        digest = await ruled(store, **changes)
        await told(store, digest, track)
        return digest

    return asyncio.run(made())


def test_an_honest_verdict_is_identical(run: Run) -> None:
    """Exit code 0, and the first digits are enough."""
    digest = verdict_of()
    shown = run("replay", digest[:8])

    assert shown.code == 0
    assert shown.out.endswith("1 of 1 identical, byte by byte\n")
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_verdict_that_does_not_follow_from_its_evidence_is_shown(run: Run) -> None:
    """Exit code 4, with what differs."""
    passed = decide(COMPARISON, GatePolicy(suspicious_relative_gain_percent=100))
    digest = verdict_of(verdict=passed)
    shown = run("replay", digest)

    assert shown.code == 4
    assert f"{digest[:8]} differs:" in shown.out
    assert "outcome was PASS, now INCONCLUSIVE" in shown.out
    assert "0 of 1 identical" in shown.out


def test_another_policy_is_asked_about_all_verdicts(run: Run) -> None:
    """Before a team changes its policy: which candidates would have gone live?"""
    digest = verdict_of()
    Path("strict.toml").write_text("target_wer_percent = 1\n")
    done = run("replay", "--all", "--policy", "strict.toml", "--json")
    answer = json.loads(done.out)

    assert done.code == 0
    assert [(one["verdict"], one["then"], one["now"]) for one in answer["verdicts"]] == [
        (digest, "INCONCLUSIVE", "FAIL")
    ]
    assert "1 of 1 would have come to another outcome" in run("replay", "--all", "--policy", "strict.toml").out


def test_all_verdicts_are_replayed_although_one_cannot_be(run: Run) -> None:
    """One damaged bundle does not hide the others; exit code 1 tells of it."""
    verdict_of()
    lost = verdict_of(measurement="another")
    (STORE / "evidence" / lost / "ruling.json").write_bytes(b"{}")
    done = run("replay", "--all")

    assert done.code == 1
    assert f"{lost[:8]} cannot be replayed: the evidence {lost[:12]}… (ruling.json) is not what was stored" in " ".join(
        done.out.split()
    )
    assert "1 of 2 identical" in done.out


def test_a_track_is_replayed_on_its_own(run: Run) -> None:
    """A store holds many tracks."""
    verdict_of()
    other = verdict_of("taxi", measurement="another")

    assert [one["verdict"] for one in json.loads(run("replay", "--track", "taxi", "--json").out)["verdicts"]] == [other]
    assert "has no track 'bus' (known: places, taxi)" in run("replay", "--track", "bus").err


def test_a_history_that_was_changed_is_not_believed(run: Run) -> None:
    """Taking an entry out, or changing one, breaks the chain."""
    verdict_of()
    verdict_of(measurement="another")
    entry = STORE / "tracks/places/ledger/000001.json"
    entry.write_text(entry.read_text().replace("abc", "abd"))

    assert "the history of track 'places' has been changed: entry 2" in run("replay", "--all").err


@pytest.mark.parametrize("damage", [b"{}", b"no json"])
def test_a_head_that_cannot_be_read_is_told(run: Run, damage: bytes) -> None:
    """Not a traceback, whatever the file holds."""
    verdict_of()
    (STORE / "tracks/places/state.json").write_bytes(damage)

    told = run("replay", "--all").err
    assert "the head of track 'places'" in told
    assert "cannot be read" in told


@pytest.mark.parametrize("digest", ["../../../secret", 7])
def test_a_history_that_names_no_verdict_is_not_followed(run: Run, digest: object) -> None:
    """What stands in the history is never taken for a path."""
    asyncio.run(told(LocalFolder(STORE), digest))

    assert "an entry names a verdict that cannot be one" in run("replay", "--all").err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name one verdict by its digest, or ask for many with --all or --track."),
        (("abcd", "--all"), "name one verdict by its digest, or ask for many with --all or --track."),
        (("../../x",), "is not the digest of a verdict"),
        (("abcd",), "has no verdict abcd"),
        (("--all",), "tells of no verdict. Name the store with --store."),
        (("abcd", "--policy", "nothing.toml"), "nothing.toml: there is no such file."),
    ],
)
def test_a_wrong_call_is_one_clear_line(run: Run, words: tuple[str, ...], message: str) -> None:
    """And nothing is made on the way."""
    done = run("replay", *words)

    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert message in done.err
    assert not STORE.exists()


async def test_the_history_stays_as_it_is(tmp_path: Path) -> None:
    """A replay only reads."""
    store = LocalFolder(tmp_path)
    await told(store, await ruled(store))
    before = {key: (await store.read(key)).data for key in await store.keys("")}
    assert len(await Ledger(store, "places").history()) == 1

    from deployments.replaying import replay_verdicts

    await replay_verdicts("", "", True, tmp_path, None)

    assert {key: (await store.read(key)).data for key in await store.keys("")} == before
