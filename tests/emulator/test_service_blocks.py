"""Upload in blocks."""

import pytest

from tests.emulator.service_kit import Caller, block_id, lines, path_of


async def new_dataset(speech: Caller) -> str:
    return path_of(await speech.post("/datasets", displayName="x", locale="en-US", kind="Language"))


async def put(speech: Caller, path: str, name: str, content: bytes):
    return await speech.call("PUT", f"{path}/blocks", query={"blockid": name}, content=content)


async def test_blocks_are_joined_in_the_order_of_the_list(speech: Caller) -> None:
    """Not in the order of their arrival; the last block of a name counts."""
    path = await new_dataset(speech)
    for number, content in ((1, b"morning\n"), (0, b"wrong"), (0, b"good "), (2, b"unused")):
        assert (await put(speech, path, block_id(number), content)).status_code == 201
    blocks = [{"kind": "Uncommitted", "id": block_id(0)}, {"kind": "Latest", "id": block_id(1)}]
    assert (await speech.call("POST", f"{path}/blocks:commit", json=blocks)).status_code == 200
    dataset = await speech.final(await speech.get(path))

    assert (await speech.contents(dataset))["language_data.txt"] == b"good morning\n"


async def test_blocks_can_be_listed_before_and_after_the_commit(speech: Caller) -> None:
    """So that an upload can be resumed."""
    path = await new_dataset(speech)
    await put(speech, path, block_id(0), b"hello")
    block = {"name": block_id(0), "size": 5}
    assert await speech.get(f"{path}/blocks") == {"committedBlocks": [], "uncommittedBlocks": [block]}

    await speech.call("POST", f"{path}/blocks:commit", json=[{"kind": "Latest", "id": block_id(0)}])
    assert await speech.get(f"{path}/blocks") == {"committedBlocks": [block], "uncommittedBlocks": []}


async def test_a_dataset_waits_for_its_commit(speech: Caller) -> None:
    """NotStarted with the three block links, Retry-After, and deletable."""
    path = await new_dataset(speech)
    answer = await speech.call("GET", path)

    assert answer.json()["status"] == "NotStarted"
    assert {"uploadBlocks", "listBlocks", "commitBlocks"} <= set(answer.json()["links"])
    assert answer.headers["Retry-After"] == "0"
    assert (await speech.call("DELETE", path)).status_code == 204


async def test_a_repeated_commit_imports_once_and_another_list_is_refused(speech: Caller) -> None:
    """The first answer may have been lost."""
    path = await new_dataset(speech)
    await put(speech, path, block_id(0), lines("hello"))
    for _ in range(2):
        answer = await speech.call("POST", f"{path}/blocks:commit", json=[{"kind": "Latest", "id": block_id(0)}])
        assert answer.status_code == 200
    await speech.final(await speech.get(path))

    assert (await speech.state())["imports"] == 1
    await speech.refused("POST", f"{path}/blocks:commit", 409, json=[{"kind": "Latest", "id": block_id(1)}])
    assert (await put(speech, path, block_id(1), b"late")).status_code == 409


@pytest.mark.parametrize("name", ["", "not base64!", "A" * 120, "AAA="])
async def test_a_block_id_is_base64_of_one_length(speech: Caller, name: str) -> None:
    """At most 64 bytes, and as long as the others."""
    path = await new_dataset(speech)
    await put(speech, path, block_id(0), b"first")

    assert (await put(speech, path, name, b"second")).status_code == 400


async def test_a_block_of_more_than_8_mib_is_refused(speech: Caller) -> None:
    """And leaves nothing behind."""
    path = await new_dataset(speech)
    answer = await put(speech, path, block_id(0), b"x" * (8 * 1024**2 + 1))

    assert answer.status_code == 413
    assert (await speech.get(f"{path}/blocks"))["uncommittedBlocks"] == []


@pytest.mark.parametrize("blocks", [[], [{"kind": "Latest", "id": "AAAB"}], [{"kind": "Odd", "id": "AAAA"}]])
async def test_a_block_list_names_blocks_that_are_there(speech: Caller, blocks: list) -> None:
    """An empty list, an unknown block or an unknown kind is refused."""
    path = await new_dataset(speech)
    await put(speech, path, "AAAA", b"first")

    await speech.refused("POST", f"{path}/blocks:commit", 400, json=blocks)
