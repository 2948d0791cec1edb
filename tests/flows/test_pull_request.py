"""A pull request is checked within seconds; its model is temporary, and nothing that is live is touched."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.pull_report import MARKER
from flows.pull_request import pull_request, why_not
from flows.training_update import training_update
from tasks.code_hosts import PullRequest
from tasks.git_block import GitData
from tasks.pull_data import compare
from tasks.temporary import remove_left
from tests.emulator.service_kit import held
from tests.flows.conftest import NAMES, SPOKEN, World
from tests.tasks.code_host_kit import BASE, HEAD, TOKEN, FakeGitHub, listening
from tests.tasks.git_kit import commit, git, repository
from tests.tasks.git_server_kit import GitServer, serving

KINDS = ("datasets", "models", "evaluations")


@dataclass
class Project:
    """A repository with pull request 7, its code host, and the block that leads to both."""

    world: World
    folder: Path
    host: FakeGitHub
    server: GitServer
    api: str

    async def save(self, token: str = TOKEN, **settings: Any) -> None:
        """Save the block `maps`."""
        secret = {"token": SecretStr(token), "api": f"{self.api}/api/v3"} if token else {}
        address = f"{self.server.address}/acme/speech" if token else str(self.folder)
        await GitData(address=address, **secret, **settings).asave("maps", overwrite=True)

    def push(self, files: dict[str, bytes | None] | None = None) -> str:
        """A new commit of the pull request: what the world has written, and these files."""
        head = commit(self.folder, files or {})
        git(self.folder, "update-ref", "refs/pull/7/head", head)
        self.host.head = head
        return head

    async def run(self, **changes: Any) -> Any:
        """Run the flow for pull request 7."""
        return await pull_request("maps", 7, **changes)

    @property
    def comment(self) -> str:
        """Our only comment."""
        (one,) = (one for one in self.host.comments if one["author"]["login"] == "speechops")
        return str(one["body"])

    def states(self, name: str) -> list[str]:
        """What a status went through."""
        return [one["state"] for one in self.host.statuses if one["context"] == f"speechops/{name}"]

    async def entities(self) -> list[str]:
        """The names of all that is on the service."""
        listed = [await self.world.entities(kind) for kind in (*KINDS, "endpoints")]
        return sorted(str(one["displayName"]) for kind in listed for one in kind)


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[tuple[GitServer, FakeGitHub, str]]:
    """A git server that wants a token, and a code host."""
    host = FakeGitHub()
    with serving(tmp_path / "git", TOKEN) as server, listening(host) as api:
        yield server, host, api


@pytest.fixture
async def project(world: World, sockets: tuple[GitServer, FakeGitHub, str]) -> Project:
    """The track of the world on the branch main; a pull request that changes nothing yet."""
    server, host, api = sockets
    folder = repository(world.folder / "git" / "acme" / "speech")
    git(folder, "config", "uploadpack.allowFilter", "true")
    world.data = folder / "data"
    world.write_track("nothing that helps\n")
    host.base = commit(folder, {})
    git(folder, "checkout", "--quiet", "-b", "topic")
    project = Project(world, folder, host, server, api)
    await project.save()
    return project


async def test_bad_data_are_told_with_file_and_line(project: Project) -> None:
    """All of them at once, and nothing has left for Azure."""
    lines = "".join(f"{name}\t{said}\n" for name, said in SPOKEN.items()).replace("\t", " ", 1)
    project.push(
        {"data/places/testing/trans.txt": lines.encode(), "data/places/training/pronunciation.txt": b"no tab\n"}
    )

    report = await project.run()

    assert not report.is_sound
    assert project.states("data") == ["pending", "failure"]
    assert "places/testing/trans.txt:1" in project.comment
    assert "places/training/pronunciation.txt:1" in project.comment
    assert "testing: 1 changed; training: 1 new" in project.comment
    assert await project.entities() == []
    assert await project.world.store.read("tracks/places/state.json") is None


async def test_sound_data_get_a_green_status_and_one_comment(project: Project) -> None:
    """However often somebody pushes; the comment tells what a merge would start."""
    project.world.write_track(NAMES)
    project.push()
    await project.run()
    project.world.write_track(NAMES + "and one more line\n")
    head = project.push()

    await project.run(delivery="github-1")

    assert project.states("data") == ["pending", "success"] * 2
    assert project.comment.startswith(MARKER)
    assert head[:12] in project.comment
    assert "training-update" in project.comment
    assert project.states("model") == []
    assert await project.entities() == []


async def test_a_pull_request_without_data_gets_a_green_status_and_no_comment(project: Project) -> None:
    """Most pull requests of a repository are about something else."""
    project.push({"README.md": b"x"})

    await project.run()

    assert project.states("data") == ["pending", "success"]
    assert project.host.comments == []


async def test_leaks_are_told_before_they_are_merged(project: Project) -> None:
    """A sentence of the testing data in the training data makes every figure worthless."""
    project.world.write_track(NAMES + SPOKEN["1.wav"] + "\n")
    project.push()

    report = await project.run()

    assert not report.is_sound
    assert project.states("data")[-1] == "failure"
    assert "plain\\_text.txt:2" in project.comment


async def test_only_what_the_pull_request_changes_is_looked_at(project: Project) -> None:
    """Others have merged something meanwhile: that is not its doing."""
    git(project.folder, "checkout", "--quiet", "main")
    project.host.base = commit(project.folder, {"data/bus/track.toml": b"locale = 'nowhere'\n"})
    git(project.folder, "checkout", "--quiet", "topic")
    project.world.write_track(NAMES)
    project.push()

    report = await project.run()

    assert [track.track for track in report.tracks] == ["places"]
    assert report.is_sound


async def test_without_a_token_the_run_tells_the_same(project: Project) -> None:
    """The pull request is found by git alone, and nothing is written anywhere."""
    await project.save(token="")
    project.world.write_track(NAMES + SPOKEN["1.wav"] + "\n")
    project.push()

    report = await project.run(wanted="model")

    assert not report.is_sound
    assert "this comes from a fork" in report.notes[-1]
    assert project.host.seen == []


async def test_a_temporary_model_is_judged_and_removed(project: Project) -> None:
    """With intervals in the comment, nothing in the ledger, and nothing left on the service."""
    project.world.write_track(NAMES)
    project.push()

    report = await project.run(wanted="model")

    assert report.tracks[0].outcome == "PASS"
    assert project.states("model") == ["pending", "success"]
    assert "95% interval" in project.comment
    assert "xanadu" not in project.comment
    assert await project.entities() == []
    assert (await project.world.speech.state())["trainings"] == 1
    assert await project.world.ledger.history() == []


async def test_words_of_testing_data_are_shown_when_the_block_says_so(project: Project) -> None:
    """A comment is as public as the repository. The model is one of a fork, whose commit somebody has looked at."""
    await project.save(words_in_comments=True)
    project.host.fork = True
    project.world.write_track(NAMES)
    approved = project.push()

    await project.run(wanted="model", head=approved)

    assert "Words that the candidate fixed" in project.comment
    assert "xanadu" in project.comment


@pytest.mark.slow
async def test_what_is_live_stays(project: Project) -> None:
    """The same data, released before: the track's datasets, model, evaluation and endpoint are as they were."""
    world = project.world
    world.write_track(NAMES)
    await training_update(**world.arguments)
    before, history = await project.entities(), await world.ledger.history()
    project.push()

    report = await project.run(wanted="model")

    assert report.tracks[0].outcome == "FAIL"
    assert await project.entities() == before
    assert await world.ledger.history() == history


async def test_entities_that_only_look_temporary_stay(project: Project) -> None:
    """A track may be called places-pr7, and people name things as they like."""
    world = project.world
    for name, track in (
        ("places-pr7-language-1", "places-pr7"),
        ("places.pr7-by-hand", "places"),
        ("places-a", "places.pr7"),
    ):
        named = {"displayName": name, "customProperties": {"track": track}}
        await world.speech.post("/datasets", locale="en-US", kind="Language", **named)
    before = await project.entities()

    await remove_left("speechops", None, getLogger())

    assert len(before) == 3
    assert await project.entities() == before


async def test_a_model_that_cannot_be_trained_is_removed_too(project: Project) -> None:
    """The comment says that it failed, and no red tape is left on the service."""
    project.world.write_track(NAMES)
    project.push()
    await project.world.fault(job="training")

    report = await project.run(wanted="model")

    assert "it could not be tried" in report.tracks[0].note
    assert project.states("model") == ["pending", "failure"]
    assert await project.entities() == []
    assert TOKEN not in project.comment


async def test_a_fork_gets_checks_but_no_model(project: Project) -> None:
    """Anybody may open a pull request; training costs money, and models learn what they are given."""
    project.host.fork, project.host.labels = True, ["speechops: train"]
    project.world.write_track(NAMES)
    project.push()

    report = await project.run(wanted="model")

    assert project.states("data") == ["pending", "success"]
    assert report.tracks[0].outcome is None
    assert "this comes from a fork" in project.comment
    assert await project.entities() == []
    assert (await project.world.speech.state())["trainings"] == 0


@pytest.mark.parametrize(
    ("fork", "head", "trains"),
    [(False, "", True), (False, HEAD[:7], True), (False, BASE, False), (True, HEAD, True), (True, HEAD[:39], False)],
)
def test_a_commit_of_a_fork_must_be_named_in_full(fork: bool, head: str, trains: bool) -> None:
    """Another commit whose id begins alike is made within minutes."""
    assert (why_not(PullRequest(7, HEAD, BASE, from_fork=fork), head) == "") is trains


async def test_a_commit_that_replaced_the_approved_one_gets_no_model(project: Project) -> None:
    """Somebody looked at the first commit, not at what was pushed a second later."""
    project.host.fork = True
    project.world.write_track(NAMES)
    approved = project.push()
    project.world.write_track(NAMES + "and something else\n")
    project.push()

    report = await project.run(wanted="model", head=approved)

    assert report.tracks[0].outcome is None
    assert "a newer commit came" in project.comment
    assert (await project.world.speech.state())["trainings"] == 0


async def test_hostile_files_of_a_fork_read_nothing_of_this_machine(project: Project, tmp_path: Path) -> None:
    """Links to a folder, to a file and to nothing are told alike, and no name behind them; so is a zip bomb as a problem."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/canary-of-this-machine.wav").write_bytes(b"x")
    testing = project.folder / "data/places/testing"
    (testing / "trans.txt").unlink()
    (testing / "trans.txt").symlink_to(tmp_path / "secret/canary-of-this-machine.wav")
    (testing / "gone.wav").symlink_to(tmp_path / "nowhere")
    (project.folder / "data/places/training/audio").symlink_to(tmp_path / "secret")
    (project.folder / "data/evil").symlink_to(tmp_path)
    project.push({"data/odd/track.toml": b'locale = "en-US"\n', "data/odd/testing/<img src=x>@team.zip": b"PK"})

    report = await project.run()

    links = {(one.file, one.reason) for track in report.tracks for one in track.problems if track.track != "odd"}
    assert links == {
        ("evil", "it is a symbolic link"),
        ("places/testing/gone.wav", "it is a symbolic link"),
        ("places/testing/trans.txt", "it is a symbolic link"),
        ("places/training/audio", "it is a symbolic link"),
    }
    assert not report.is_sound
    assert "canary" not in project.comment
    assert str(tmp_path) not in project.comment
    assert "@team" not in project.comment
    assert "<img" not in project.comment.replace("\\<img", "")


async def test_a_link_in_the_place_of_all_data_is_told(project: Project, tmp_path: Path) -> None:
    """Else all tracks would be gone, and nobody would know why."""
    shutil.rmtree(project.folder / "data")
    (project.folder / "data").symlink_to(tmp_path)
    project.push()

    report = await project.run()

    assert [one.reason for track in report.tracks for one in track.problems] == ["it is a symbolic link"]
    assert project.states("data")[-1] == "failure"


@pytest.mark.parametrize(
    ("limits", "file"),
    [
        ({"check_disk_megabytes": 1}, "testing/large.wav"),
        ({"check_files": 3}, "testing/small.wav"),
        ({"check_minutes": 1e-4}, "testing/small.wav"),
    ],
)
async def test_data_over_a_limit_are_not_judged(project: Project, limits: dict[str, Any], file: str) -> None:
    """That is told as it is: neither sound nor wrong, and never green."""
    await project.save(**limits)
    size = 3_000_000 if "large" in file else 10
    project.push({f"data/places/{file}": bytes(size)})

    report = await project.run()

    assert not report.is_sound
    assert all(track.not_judged and not track.problems for track in report.tracks)
    assert project.states("data")[-1] == "failure"
    assert "not judged" in project.host.statuses[-1]["description"]
    assert "Nobody knows whether these data are sound" in project.comment


async def test_settings_that_blow_up_are_refused_at_once(project: Project) -> None:
    """Forty kilobytes of dotted keys took Python's TOML reader 14 seconds and 2.9 gigabytes."""
    project.push({"data/places/track.toml": b'locale = "en-US"\n' + b"a." * 20_000 + b"a = 1\n"})

    report = await project.run()

    (problem,) = report.tracks[0].problems
    assert "track.toml:2: the line has more than 100 dots" in problem.reason


async def test_no_more_are_checked_at_once_than_the_block_says(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever number strangers open; whoever waits is checked when another is done, though that one's run goes on."""
    await project.save(checks_at_once=1)
    project.push()
    busy, most = 0, 0

    async def gauged(source: str, pull: PullRequest) -> Any:
        nonlocal busy, most
        busy, most = busy + 1, max(most, busy + 1)
        try:
            await asyncio.sleep(0.2)
            return await compare(source, pull)
        finally:
            busy -= 1

    monkeypatch.setattr("flows.pull_request.compare", gauged)

    await asyncio.gather(*(pull_request("maps", number) for number in (7, 8, 9)))

    assert most == 1


async def test_data_that_cannot_be_compared_do_not_stay_pending(project: Project) -> None:
    """The commit is gone from the server: the status says so, and the run fails with a reason."""
    project.push()
    project.host.head = "c" * 40

    with pytest.raises(Exception, match="pull request 7"):
        await project.run()

    assert project.states("data") == ["pending", "failure"]


async def test_a_run_that_goes_on_keeps_its_model_and_a_cancelled_one_removes_it(project: Project) -> None:
    """Another pull request's run ends meanwhile: it must not take away what is in use."""
    world = project.world
    world.write_track(NAMES)
    project.push()
    await world.fault(method="POST", path=".*/evaluations", kind="503", times=50)
    running = asyncio.create_task(project.run(wanted="model"))
    while not any(one["status"] == "Succeeded" for one in await world.entities("models")):
        assert not running.done()
        await asyncio.sleep(0.05)
    before = await project.entities()

    await remove_left("speechops", None, getLogger())
    meanwhile = await project.entities()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert meanwhile == before
    assert await project.entities() == []


async def test_what_a_dead_run_left_behind_is_removed_by_the_next(project: Project) -> None:
    """A running evaluation cannot be deleted; once it is over, the run of any pull request clears up."""
    world = project.world
    world.write_track(NAMES)
    project.push()
    with held(world.folder / "emulator", "decoding"):
        running = asyncio.create_task(project.run(wanted="model"))
        while not any(one["status"] == "Running" for one in await world.entities("evaluations")):
            assert not running.done()
            await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        left = await project.entities()
    (evaluation,) = await world.entities("evaluations")
    await world.speech.final(evaluation)

    await pull_request("maps", 8)

    assert len(left) == 4
    assert await project.entities() == []
