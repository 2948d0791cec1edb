"""Lists: filters, pages, and the address of the next page."""

import contextlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import ServiceError
from emulator.filters import OF_DATASETS, OF_FILES, parse_filter
from tests.emulator.service_kit import Caller, in_process, path_of, settings_for

ENTITY = {
    "displayName": "It's a (test) and more",
    "kind": "Language",
    "status": "Running",
    "createdDateTime": "2022-02-01T11:00:00Z",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, True),
        ("", True),
        ("displayName eq 'It''s a (test) and more'", True),
        ("displayName ne 'other'", True),
        ("displayName eq 'it''s a (test) and more'", False),
        ("description eq null", True),
        ("description eq 'x'", False),
        ("not status eq 'Running'", False),
        ("not (status eq 'Failed')", True),
        ("not not status eq 'Running'", True),
        ("status eq 'NotStarted' or status eq 'Running'", True),
        ("status eq 'Failed' and kind eq 'Acoustic' or kind eq 'Language'", True),
        ("status eq 'Failed' and (kind eq 'Acoustic' or kind eq 'Language')", False),
        ("not status eq 'Failed' and kind eq 'Acoustic'", False),
        ("createdDateTime gt 2022-02-01T10:59:59Z", True),
        ("createdDateTime gt 2022-02-01T11:00:00Z", False),
        ("createdDateTime ge 2022-02-01T11:00:00Z", True),
        ("createdDateTime lt 2022-02-01T12:00:00+01:00", False),
        ("createdDateTime le 2022-02-01T12:00:00+01:00", True),
        ("createdDateTime ge 2022-02-01 and (createdDateTime lt 2022-02-02)", True),
        ("kind eq 'Language'and status eq 'Running'", True),
    ],
)
def test_filters_mean_what_odata_says(text: str | None, expected: bool) -> None:
    """`not` before `and` before `or`; a quote is doubled; dates are compared as times."""
    assert parse_filter(text, OF_DATASETS)(ENTITY) is expected


@pytest.mark.parametrize(
    "text",
    [
        "customProperties eq 'x'",
        "displayName",
        "displayName eq",
        "displayName eq x",
        "displayName gt 'a'",
        "displayName eq 'open",
        "createdDateTime eq '2022-02-01'",
        "createdDateTime gt 2022-13-45",
        "status eq 'a' status eq 'b'",
        "status eq 'a' and",
        "(status eq 'a'",
        "status eq 'a')",
        "status like 'a'",
        "contains(displayName, 'a')",
        "not " * 60 + "status eq 'a'",
        "(" * 3000 + "status eq 'a'" + ")" * 3000,
        "status eq '" + "a" * 5000 + "'",
    ],
)
def test_other_filters_are_refused(text: str) -> None:
    """With UnsupportedFilter, never with a traceback."""
    with pytest.raises(ServiceError) as error:
        parse_filter(text, OF_DATASETS)

    assert (error.value.status, error.value.detail, error.value.target) == (400, "UnsupportedFilter", "filter")


def test_every_noun_has_its_own_properties() -> None:
    """Files have no displayName."""
    with pytest.raises(ServiceError, match="displayName"):
        parse_filter("displayName eq 'x'", OF_FILES)


@given(st.text(alphabet="()'eqnandorot ge2022-01T:Z", max_size=60))
def test_no_filter_text_breaks_the_service(text: str) -> None:
    """Any text is understood or refused."""
    with contextlib.suppress(ServiceError):
        assert parse_filter(text, OF_DATASETS)(ENTITY) in (True, False)


async def add(speech: Caller, count: int) -> None:
    for number in range(count):
        await speech.post("/datasets", displayName=f"d{number % 2}", locale="en-US", kind="Language")


async def test_pages_follow_each_other_and_keep_the_filter(speech: Caller) -> None:
    """Every entity once; api-version, filter and top are in @nextLink, and it ends."""
    await add(speech, 9)
    seen, answer = [], await speech.get("/datasets", top=2, filter="displayName eq 'd0' or displayName eq 'x y'")
    while True:
        seen += [path_of(dataset) for dataset in answer["values"]]
        if "@nextLink" not in answer:
            break
        following = httpx.URL(answer["@nextLink"])
        assert following.params["api-version"] == "2024-11-15"
        answer = (await speech.http.get(following)).json()

    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("query", [{"skip": -1}, {"top": 0}, {"top": -5}, {"skip": "x"}, {"top": 2**40}])
async def test_impossible_pages_are_refused(speech: Caller, query: dict) -> None:
    """Instead of being guessed."""
    await speech.refused("GET", "/datasets", 400, query=query)


async def test_a_page_beyond_the_end_is_empty(speech: Caller) -> None:
    """That is no error."""
    await add(speech, 1)

    assert await speech.get("/datasets", skip=5) == {"values": []}


async def test_a_list_is_not_in_the_order_of_creation(tmp_path) -> None:
    """Azure documents no order, so nobody may take the last for the latest."""
    minute = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(100))
    async with in_process(settings_for(tmp_path), clock=lambda: next(minute)) as speech:
        await add(speech, 12)
        dates = [dataset["createdDateTime"] for dataset in (await speech.get("/datasets"))["values"]]

        assert dates != sorted(dates)
        late = await speech.get("/datasets", filter="createdDateTime gt 2026-01-01T00:10:00Z")
        assert 0 < len(late["values"]) < 12


async def test_deleting_while_paging_skips_some(speech: Caller) -> None:
    """Microsoft warns of it: collect first, delete afterwards."""
    await add(speech, 12)
    seen, answer = [], await speech.get("/datasets", top=4)
    while True:
        page = [path_of(dataset) for dataset in answer["values"]]
        for path in page:
            await speech.call("DELETE", path)
        seen += page
        if "@nextLink" not in answer:
            break
        answer = (await speech.http.get(answer["@nextLink"])).json()

    left = [path_of(dataset) for dataset in (await speech.get("/datasets"))["values"]]
    assert (len(seen), len(left)) == (8, 4)
    assert not set(seen) & set(left)


async def test_the_order_of_a_list_stays_while_its_pages_are_read(speech: Caller) -> None:
    """Whatever the order is: without changes every page run gives each entity once, whatever its page size."""
    await add(speech, 7)
    whole = [path_of(dataset) for dataset in (await speech.get("/datasets"))["values"]]
    for top in (1, 3):
        pages = [await speech.get("/datasets", skip=skip, top=top) for skip in range(0, 7, top)]
        assert [path_of(dataset) for page in pages for dataset in page["values"]] == whole


@pytest.mark.parametrize(("top", "shown"), [(1, 1), (1000, 3), (1001, 3), (2**31 - 1, 3)])
async def test_a_page_has_at_most_top_entities(speech: Caller, top: int, shown: int) -> None:
    """More than a thousand are never given at once, and asking for more is no error."""
    await add(speech, 3)

    assert len((await speech.get("/datasets", top=top))["values"]) == shown
