"""Data of tracks in a git repository: real git, real servers, real Git LFS."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from domain.mistakes import Mistake
from domain.problems import DataRejected
from tasks.git_address import parse_address
from tasks.git_block import GitData
from tasks.git_copy import GitCopy
from tasks.git_source import GitSource
from tests.tasks.git_kit import SETTINGS, ZEROS, commit, git, many_commits, repository, track, write
from tests.tasks.git_server_kit import needs_lfs, serving

TOKEN = "canary-token-0123456789"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with two tracks; it lets clients leave out the files."""
    folder = repository(tmp_path / "work")
    git(folder, "config", "uploadpack.allowFilter", "true")
    commit(folder, track("taxi") | track("bus"))
    return folder


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def source(address: Path | str, **settings: object) -> GitSource:
    """The source of a block."""
    return GitData(**{"address": str(address), **settings}).source("maps")


async def contents(data: GitSource, revision: str, name: str = "taxi") -> dict[str, bytes]:
    """The files of a track, by their paths below the data folder."""
    async with data.opened(revision, name) as opened:
        return {
            path.relative_to(opened.data).as_posix(): path.read_bytes()
            for path in opened.data.rglob("*")
            if path.is_file()
        }


def head(folder: Path) -> str:
    """The newest commit."""
    return git(folder, "rev-parse", "HEAD")


async def test_the_newest_commit_of_branch_and_tag_is_found(work: Path) -> None:
    """An annotated tag counts as the commit that it names, and a name that only ends alike does not count."""
    git(work, "tag", "-a", "baseline/taxi", "-m", "x")
    git(work, "branch", "x/refs/heads/main")
    tagged = head(work)
    newer = commit(work, {"README.md": b"x"})

    assert await source(work).newest() == newer
    assert await source(work).newest("refs/tags/baseline/taxi") == tagged
    with pytest.raises(Mistake, match=r"has no refs/heads/topic. Push it, or correct the branch"):
        await source(work, branch="topic").newest()
    with pytest.raises(Mistake, match=r"is not the full name"):
        await source(work).newest("--upload-pack=touch")


async def test_a_plan_is_made_of_two_commits_without_the_files(work: Path) -> None:
    """Its runs carry the full commit, and only settings that differ decide what else has to run."""
    before = head(work)
    weight = SETTINGS + b"[model]\nweight_percent = 9\n"
    after = commit(work, track("taxi", {"testing/b.wav": b"b", "track.toml": weight}))

    plan = await source(work).plan(before, after)

    assert [(run.track, run.flow.value, run.revision) for run in plan.runs] == [
        ("taxi", "testing-update", after),
        ("taxi", "training-update", after),
    ]
    assert str(plan.runs[1].reasons[0]) == "track.toml: model.weight_percent"
    assert (await source(work).plan(before, after, "again")).runs[0].key != plan.runs[0].key
    assert (await source(work).plan(after, after)).runs == ()


@pytest.mark.parametrize("before", ["", ZEROS, "1" * 40, "gone"])
async def test_a_state_before_that_is_gone_counts_as_nothing(work: Path, before: str) -> None:
    """After a forced push everything is looked at again."""
    assert len((await source(work).plan(before, head(work))).runs) == 4


async def test_a_tag_asks_for_a_new_test_of_its_track(work: Path) -> None:
    """With another key on another occasion."""
    plans = [await source(work).plan_retest(head(work), "baseline/taxi", occasion) for occasion in ("", "2")]

    assert [(run.track, run.revision) for run in plans[0].runs] == [("taxi", head(work))]
    assert plans[0].runs[0].key != plans[1].runs[0].key


async def test_one_track_is_opened_byte_by_byte(work: Path) -> None:
    """No other track is written, and no attribute of the repository changes a byte."""
    lines = b"a\nb $Id$\n"
    asked = b"*.txt text eol=crlf ident\n*.toml working-tree-encoding=UTF-16\n"
    commit(work, track("taxi", {"training/plain_text.txt": lines}))
    write(work, {".gitattributes": asked})
    git(work, "add", ".gitattributes")
    git(work, "commit", "--quiet", "--message", "m")
    old = head(work)
    git(work, "rm", "--quiet", ".gitattributes")
    commit(work, track("taxi", {"testing/a.wav": b"newer"}))

    async with source(work).opened(old, "taxi") as opened:
        assert opened.revision == old[:12]
        assert [path.name for path in opened.data.iterdir()] == ["taxi"]
        assert (opened.data / "taxi/training/plain_text.txt").read_bytes() == lines
        assert (opened.data / "taxi/track.toml").read_bytes() == SETTINGS
        assert (opened.data / "taxi/testing/a.wav").read_bytes() == b"a"
    assert not opened.data.exists()


async def test_all_tracks_are_opened_together(work: Path) -> None:
    """Such as for the checks of a pull request."""
    async with source(work).opened(head(work)) as opened:
        assert {path.name for path in opened.data.iterdir()} == {"taxi", "bus"}


async def test_tracks_may_lie_at_the_top_or_deeper(tmp_path: Path) -> None:
    """The folder is a setting."""
    top = repository(tmp_path / "top")
    commit(top, {"taxi/track.toml": SETTINGS, "taxi/testing/a.wav": b"a"})
    deep = repository(tmp_path / "deep")
    commit(deep, {"speech data/x/taxi/track.toml": SETTINGS, "speech data/x/taxi/testing/a.wav": b"a"})

    files = {"taxi/track.toml": SETTINGS, "taxi/testing/a.wav": b"a"}
    assert await contents(source(top, folder=""), head(top)) == files
    assert await contents(source(deep, folder="/speech data/x/"), head(deep)) == files
    assert len((await source(top, folder="").plan("", head(top))).runs) == 1


async def test_repositories_with_sha256_work(tmp_path: Path) -> None:
    """Git's newer kind."""
    folder = repository(tmp_path / "work", "--object-format=sha256")
    after = commit(folder, track("taxi"))

    assert len((await source(folder).plan("", after)).runs) == 2
    assert (await contents(source(folder), after))["taxi/testing/a.wav"] == b"a"


@pytest.mark.parametrize("filters", ["true", "false"])
async def test_an_older_server_gives_the_branch_instead_of_a_commit(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: str
) -> None:
    """Git's first protocol serves only what has a name; some servers cannot leave files out either."""
    git(work, "config", "uploadpack.allowFilter", filters)
    settings = tmp_path / "gitconfig"
    settings.write_text("[protocol]\nversion = 0\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    old = head(work)
    commit(work, track("taxi", {"testing/a.wav": b"newer"}))
    if filters == "true":
        git(work, "config", "uploadpack.allowAnySHA1InWant", "true")

    assert (await contents(source(work), old))["taxi/testing/a.wav"] == b"a"
    assert len((await source(work).plan(old, head(work))).runs) == 1
    with pytest.raises(Mistake, match=r"does not have the commit"):
        await contents(source(work), "1" * 40)


@pytest.mark.parametrize(
    ("revision", "name", "told"),
    [
        ("1" * 40, "taxi", "does not have the commit 1{40} .any more.. Run again for the newest"),
        ("abc123", "taxi", "'abc123' is not the full id of a commit"),
        ("--all", "taxi", "is not the full id"),
        ("", "tram", "there is no track 'tram' in file://.* .known: bus, taxi.. Correct the name"),
        ("", "../taxi", "there is no track"),
    ],
)
async def test_what_is_not_there_is_told(work: Path, revision: str, name: str, told: str) -> None:
    """With what to do about it."""
    with pytest.raises(Mistake, match=told):
        await contents(source(work), revision or head(work), name)


async def test_a_commit_that_is_shown_but_not_given_yet_is_worth_another_try(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machines of a large server need a moment after a push to agree."""

    async def lags(copy: GitCopy, commit: str) -> bool:
        return False

    monkeypatch.setattr(GitCopy, "fetch", lags)

    with pytest.raises(ConnectionError, match="but does not give it yet"):
        await contents(source(work), head(work))
    with pytest.raises(Mistake, match="does not have the commit"):
        await contents(source(work), "1" * 40)


async def test_the_files_of_a_track_come_in_one_answer(work: Path, tmp_path: Path) -> None:
    """Thousands of recordings are no thousands of requests; those of other tracks do not come."""
    git(work, "config", "uploadpack.allowAnySHA1InWant", "true")
    files = {f"testing/{number}.wav": os.urandom(2000) for number in range(100)}
    revision = commit(work, track("taxi", files) | track("bus", {"testing/b.wav": os.urandom(500_000)}))

    with serving(tmp_path) as server:
        found = await contents(source(f"{server.address}/work"), revision)
        asked = [path for method, path, _ in server.seen if path.endswith("git-upload-pack") and method == "POST"]

    assert len([path for path in found if path.endswith(".wav")]) == 101
    assert len(asked) <= 4
    assert server.sent < 400_000


@pytest.mark.parametrize(
    ("place", "folder", "target"),
    [
        ("data/taxi/testing/trans.txt", "data", "/etc/passwd"), ("data/taxi/training/audio", "data", "/etc"),
        ("data/taxi/testing.zip", "data", "/nowhere"), ("data/taxi/.hidden", "data", ".hidden"), ("data/taxi", "data", "bus"),
        ("data", "data", "/etc"), ("data", "data/deeper", "../.."), ("taxi", "", "data/taxi"),
    ],
)  # fmt: skip
async def test_a_link_is_refused_before_anything_is_written(work: Path, place: str, folder: str, target: str) -> None:
    """Whoever may push must not read the worker's files, nor learn which there are: all targets are told alike."""
    revision = commit_linked(work, place, target)

    with pytest.raises(DataRejected) as told:
        await contents(source(work, folder=folder), revision)

    (problem,) = told.value.problems
    assert problem.reason == "it is a symbolic link"
    assert place.endswith(problem.file)


async def test_a_link_of_another_track_holds_up_nobody(work: Path) -> None:
    """Its own runs are refused, also when all tracks are opened together."""
    revision = commit_linked(work, "data/bus/testing/a.wav", "/etc/passwd")

    assert (await contents(source(work), revision))["taxi/testing/a.wav"] == b"a"
    with pytest.raises(DataRejected):
        await contents(source(work), revision, "")


async def test_a_submodule_is_refused(work: Path, tmp_path: Path) -> None:
    """It would be another repository, from anywhere."""
    other = repository(tmp_path / "other")
    commit(other, track("taxi"))
    git(work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "data/taxi/testing/more")

    with pytest.raises(DataRejected, match="taxi/testing/more: it is a submodule"):
        await contents(source(work), commit(work, {}))


async def test_hidden_files_are_not_written(work: Path) -> None:
    """No flow reads them, and programs might; git itself refuses some of them again and again."""
    commit(work, track("taxi", {".gitattributes": b"* -text\n", "testing/.lfsconfig": b"[lfs]\n"}))
    for path in ("testing/.GIT/x.wav", "testing/.g\u200cit/x", "testing/../../x"):
        revision = commit_raw(work, path)
        git(work, "update-ref", "refs/heads/main", revision)

    assert sorted(await contents(source(work), revision)) == [
        "taxi/testing/a.wav", "taxi/track.toml", "taxi/training/plain_text.txt"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "testing/GIT~1/x", "testing/\u200c.git/x", "testing/a\\b.wav", "testing/c:x", "testing/\u202ex.wav", "testing/A.wav",
        "x/" * 16 + "y", "testing/" + "n" * 256,
    ],
)  # fmt: skip
async def test_a_name_that_could_lead_elsewhere_is_refused(work: Path, path: str) -> None:
    """Git takes some of these on this system, and another system would write over other files."""
    revision = commit_raw(work, path)

    with pytest.raises(DataRejected, match="taxi/"):
        await contents(source(work), revision)


async def test_nested_folders_are_refused_and_leave_nothing(work: Path, tmp_path: Path, scratch: Path) -> None:
    """Thousands of them once made Python's own clearing up fail."""
    revision = many_commits(work, ["data/taxi/" + "x/" * 1500 + "y"])

    with pytest.raises(DataRejected, match="in more than 15 folders"):
        await contents(source(work), revision)

    assert list(scratch.iterdir()) == []


async def test_no_hook_and_no_filter_of_this_machine_runs(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository could choose among them by its attributes."""
    canary = tmp_path / "canary"
    write(tmp_path, {"hooks/post-checkout": f"#!/bin/sh\ntouch {canary}\n".encode()})
    (tmp_path / "hooks/post-checkout").chmod(0o700)
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[core]\nhooksPath = {tmp_path}/hooks\n[filter "canary"]\nsmudge = touch {canary}; cat\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    revision = commit(work, {".gitattributes": b"* filter=canary\n"})

    assert (await contents(source(work), revision))["taxi/testing/a.wav"] == b"a"
    assert not canary.exists()


async def test_a_token_opens_the_server_and_shows_nowhere(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a repr, a command line, a file or an error."""
    commands: list[str] = []
    run = asyncio.create_subprocess_exec

    async def watched(*words: str, **options: object) -> asyncio.subprocess.Process:
        commands.extend(words)
        return await run(*words, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    with serving(tmp_path, TOKEN) as server:
        data = source(f"{server.address}/work/.git", token=SecretStr(TOKEN))
        async with data.opened(await data.newest(), "taxi") as opened:
            files = [path for path in opened.data.parent.rglob("*") if path.is_file()]
            assert not any(TOKEN.encode() in path.read_bytes() for path in files)
            assert (opened.data / "taxi/testing/a.wav").read_bytes() == b"a"
        wrong = source(f"{server.address}/work/.git", token=SecretStr(f"{TOKEN}-wrong"))
        with pytest.raises(Mistake, match=r"it does not let us in. Correct the token") as told:
            await wrong.newest()
    assert TOKEN not in f"{data!r}{told.value!r}{commands}"
    assert "Basic" not in f"{data!r}{told.value!r}{commands}"


async def test_settings_are_compared_behind_a_token_as_well(work: Path, tmp_path: Path) -> None:
    """Git would load them one by one, and without the token."""
    before = head(work)
    git(work, "config", "uploadpack.allowAnySHA1InWant", "true")
    after = commit(work, track("taxi", {"track.toml": SETTINGS + b"[model]\nweight_percent = 9\n"}))

    with serving(tmp_path, TOKEN) as server:
        plan = await source(f"{server.address}/work/.git", token=SecretStr(TOKEN)).plan(before, after)

    assert [str(reason) for run in plan.runs for reason in run.reasons] == ["track.toml: model.weight_percent"]


async def test_a_token_follows_no_redirect(work: Path, tmp_path: Path) -> None:
    """A server that was taken over could send us to another."""
    with serving(tmp_path) as thief, serving(tmp_path, TOKEN) as server:
        server.moved = thief.address
        with pytest.raises(Mistake, match=r"another address"):
            await source(f"{server.address}/work/.git", token=SecretStr(TOKEN)).newest()

    assert thief.seen == []


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_server_in_trouble_is_worth_another_try(work: Path, tmp_path: Path, status: int) -> None:
    """The task repeats a `ConnectionError`, and no mistake."""
    with serving(tmp_path) as server:
        server.status = status
        with pytest.raises(ConnectionError, match=rf"`git ls-remote` failed for http://127.0.0.1.*{status}"):
            await source(f"{server.address}/work/.git").newest()
        address = server.address
    with pytest.raises(ConnectionError, match=r"Failed to connect|Couldn't connect"):
        await source(f"{address}/work/.git").newest()


async def test_a_repository_that_is_not_there_is_told(work: Path, tmp_path: Path) -> None:
    """By a server, and as a folder."""
    with serving(tmp_path) as server, pytest.raises(Mistake, match=r"it has no such repository, or hides it"):
        await source(f"{server.address}/nothing.git").newest()
    with pytest.raises(Mistake, match=r"it has no such repository"):
        await source(tmp_path / "nothing").newest()


async def test_a_server_that_never_answers_is_given_up(
    work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Git and all that it started end together."""
    monkeypatch.setattr("tasks.git_source.ASKING", 0.0)

    with pytest.raises(ConnectionError, match=r"did not finish `git ls-remote` within 0 s"):
        await source(work).newest()


@needs_lfs
async def test_files_of_git_lfs_are_fetched_for_the_track_only(work: Path, tmp_path: Path) -> None:
    """With a token as well; another server that the repository names gets nothing."""
    revision = with_lfs(work)
    with serving(tmp_path) as thief, serving(tmp_path, TOKEN) as server:
        config = f"[lfs]\nurl = {thief.address}/x.git/info/lfs\nfetchexclude = *\n"
        revision = commit(work, {".lfsconfig": config.encode()})
        data = source(f"{server.address}/work/.git", token=SecretStr(TOKEN))
        files = await contents(data, revision)
        loaded = [path for _, path, _ in server.seen if path.startswith("/lfs/")]

    assert files["taxi/testing/a.wav"] == b"large" * 1000
    assert files["taxi/testing/plain.wav"] == b"plain"
    assert len(loaded) == 1
    assert thief.seen == []


@needs_lfs
async def test_files_of_git_lfs_come_from_a_local_repository(work: Path) -> None:
    """No server of Git LFS is needed there."""
    files = await contents(source(work), with_lfs(work))

    assert files["taxi/testing/a.wav"] == b"large" * 1000


@needs_lfs
async def test_a_lost_file_of_git_lfs_is_told(work: Path, tmp_path: Path) -> None:
    """It was never pushed, so that another try does not help."""
    revision = with_lfs(work)
    for file in (work / ".git/lfs/objects").rglob("*"):
        if file.is_file():
            file.unlink()

    with serving(tmp_path) as server, pytest.raises(Mistake, match=r"lacks a file of Git LFS. Push it"):
        await contents(source(f"{server.address}/work/.git"), revision)


async def test_a_pointer_that_stays_is_told(work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether Git LFS is switched off, or not installed."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n"
    revision = commit(work, track("taxi", {"testing/a.wav": pointer}))

    with pytest.raises(Mistake, match=r"data/taxi/testing/a.wav in .* is a Git LFS pointer.*Switch `lfs` on"):
        await contents(source(work, lfs=False), revision)
    monkeypatch.setattr("tasks.git_copy.shutil.which", lambda program: program if program == "git" else None)
    with pytest.raises(Mistake, match=r"git-lfs is not installed. Install it"):
        await contents(source(work), revision)


def commit_linked(work: Path, place: str, target: str) -> str:
    """Commit a link in the place of whatever is there."""
    path = work / place
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return commit(work, {})


def commit_raw(work: Path, path: str, content: bytes = b"x") -> str:
    """Add a file to the track taxi in a new commit, whatever git thinks of its path: trees are written as bytes."""
    child = ("100644", bytes.fromhex(git(work, "hash-object", "-w", "--stdin", stdin=content)))
    for at, word in reversed(list(enumerate(path.split("/")))):
        place = "/".join(["HEAD:data/taxi", *path.split("/")[:at]])
        child = ("40000", _tree(work, place, word.encode(), *child))
    for name, place in ((b"taxi", "HEAD:data"), (b"data", "HEAD^{tree}")):
        child = ("40000", _tree(work, place, name, *child))
    return git(work, "commit-tree", child[1].hex(), "-m", "m", "-p", "HEAD")


def _tree(work: Path, place: str, name: bytes, mode: str, content: bytes) -> bytes:
    try:
        listed = git(work, "-c", "core.quotePath=false", "ls-tree", place)
    except subprocess.CalledProcessError:
        listed = ""
    lines = (line.partition("\t") for line in listed.splitlines())
    entries = {
        known.encode(): (head.split()[0].lstrip("0"), bytes.fromhex(head.split()[2])) for head, _, known in lines
    }
    entries[name] = (mode, content)
    ordered = sorted(entries.items(), key=lambda one: one[0] + (b"/" if one[1][0] == "40000" else b""))
    tree = b"".join(b"%s %s\0%s" % (kind.encode(), known, found) for known, (kind, found) in ordered)
    return bytes.fromhex(git(work, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=tree))


def with_lfs(work: Path) -> str:
    """Commit large files of both tracks as Git LFS does it."""
    git(work, "config", "lfs.url", work.as_uri())
    for name, value in {"clean": "git-lfs clean -- %f", "smudge": "git-lfs smudge -- %f", "required": "true"}.items():
        git(work, "config", f"filter.lfs.{name}", value)
    attributes = {"data/.gitattributes": b"a.wav filter=lfs diff=lfs merge=lfs -text\n"}
    return commit(
        work,
        attributes
        | track("taxi", {"testing/a.wav": b"large" * 1000, "testing/plain.wav": b"plain"})
        | track("bus", {"testing/a.wav": b"other" * 1000}),
    )


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x", "ext::touch", "--upload-pack=touch", "-u", "", " /work", "https://host/a b",
        "ssh://-oProxyCommand=touch/x", "-oProxyCommand=x:path", "user@-oProxyCommand=x:path", "ssh://-x@host/p",
        "https://me:secret-canary@host/x", "https://host/x?y=z", "ftp://host/x", "https://", "https://host", "fd::17",
        "relative/folder", "file://host/x", "https://host:99999999/x", "https://ho\x00st/x", "host:\n/x", "http::https://x/y",
    ],
)  # fmt: skip
def test_an_address_that_could_be_anything_else_is_refused(address: str) -> None:
    """No option, no program, no password; the message repeats none of it."""
    with pytest.raises(Mistake) as told:
        parse_address(address)
    assert "canary" not in str(told.value)
    with pytest.raises(ValidationError):
        GitData(address=address)


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("https://github.com/acme/speech", "https://github.com/Acme/speech.git"),
        ("git@github.com:acme/speech.git", "https://github.com/acme/speech.git"),
        ("ssh://git@gitlab.example:22/a/b/c.git", "https://gitlab.example/a/b/c"),
        ("https://acme@dev.azure.com/acme/maps/_git/speech", "https://dev.azure.com/acme/maps/_git/speech"),
        ("git@ssh.dev.azure.com:v3/acme/maps/speech", "https://acme.visualstudio.com/maps/_git/speech"),
        (
            "https://dev.azure.com/acme/my%20maps/_git/s",
            "https://acme.visualstudio.com/DefaultCollection/my%20maps/_git/s",
        ),
        ("/srv/git/speech.git", "file:///srv/git/speech"),
        ("/srv/speech/.git", "/srv/speech"),
        ("https://host:443/x", "https://host/x"),
    ],
)
def test_one_repository_has_many_addresses(address: str, other: str) -> None:
    """A git server may tell another one than the operator configured."""
    assert source(address).is_repository(other)
    assert source(other).is_repository(address)


@pytest.mark.parametrize(
    "other",
    ["https://github.com/acme/speech2", "https://github.com.evil.org/acme/speech", "https://evil/?https://github.com/acme/speech",
     "/acme/speech", "", "https://github.com:8443/acme/speech", "https://[x/y"],
)  # fmt: skip
def test_another_repository_is_another(other: str) -> None:
    """Whatever it looks like."""
    assert not source("https://github.com/acme/speech").is_repository(other)
    assert not source("https://github.com/acme/speech").holds_blob("a", "b", "c")


@pytest.mark.parametrize(
    "change",
    [
        {"branch": "-x"}, {"branch": "a..b"}, {"branch": ""}, {"branch": "a*"}, {"folder": "../x"}, {"folder": "a//b"},
        {"folder": "a*"}, {"folder": ".git"}, {"folder": "a/.."}, {"folder": "a\nb"},
        {"address": "http://host/x", "token": SecretStr("t")}, {"address": "git@host:x", "token": SecretStr("t")},
        {"address": "http://localhost.evil/x", "token": SecretStr("t")},
    ],
)  # fmt: skip
def test_settings_are_checked_as_they_are_given(change: dict[str, object]) -> None:
    """A token goes over https only."""
    with pytest.raises(ValidationError):
        GitData(**{"address": "https://host/x", **change})


def test_the_rules_name_the_branch_and_the_tags() -> None:
    """What the receiver looks at."""
    rules = source("https://host/x", branch="refs/heads/release/1").rules

    assert (rules.branches, rules.retest_tags) == (("release/1",), ("baseline/*",))


def test_git_is_recent_enough() -> None:
    """Settings by environment came with 2.31; without them a token would not be used, and a hook would run."""
    said = subprocess.run(["git", "version"], capture_output=True, text=True, check=True, env=os.environ).stdout
    assert tuple(map(int, said.split()[2].split(".")[:2])) >= (2, 31)
