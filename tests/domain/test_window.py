"""Release windows: open when the wall clock says so, in every time zone, on the days when clocks change as well."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.mistakes import Mistake
from domain.track import parse_track
from domain.window import WindowSettings, next_opening, stricter

BERLIN = "Europe/Berlin"
OFFICE = WindowSettings(timezone=BERLIN, days=("Mon", "Tue", "Wed", "Thu", "Fri"), hours="09:00-16:00")
NIGHT = WindowSettings(timezone=BERLIN, days=("Fri",), hours="22:00-04:00")


def at(text: str, zone: str = BERLIN, fold: int = 0) -> datetime:
    """A moment on the wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def opening(window: WindowSettings, now: datetime) -> str:
    """The next opening on the window's wall clock."""
    found = next_opening(window, now)
    assert found
    assert found.tzinfo is UTC
    return found.astimezone(ZoneInfo(window.timezone)).isoformat()


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00:00+01:00"),  # a Monday: open already
        ("2026-11-23T15:59:59", "2026-11-23T15:59:59+01:00"),
        ("2026-11-23T16:00", "2026-11-24T09:00:00+01:00"),
        ("2026-11-23T08:59:59", "2026-11-23T09:00:00+01:00"),
        ("2026-11-27T16:00", "2026-11-30T09:00:00+01:00"),  # over the weekend
        ("2026-03-27T17:00", "2026-03-30T09:00:00+02:00"),  # over a change of clocks
    ],
)
def test_office_hours_are_those_of_the_wall_clock(now: str, opens: str) -> None:
    """From, and until before."""
    assert opening(OFFICE, at(now)) == opens


def test_without_settings_it_is_always_open() -> None:
    """Most tracks have no window."""
    now = at("2026-12-24T23:59:59.5")

    assert next_opening(WindowSettings(), now) == now
    assert not WindowSettings(timezone=BERLIN).is_limited


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-28T03:59", "2026-11-28T03:59:00+01:00"),  # Friday's night goes on on Saturday
        ("2026-11-28T04:00", "2026-12-04T22:00:00+01:00"),
        ("2026-11-27T02:00", "2026-11-27T22:00:00+01:00"),  # Thursday's night does not count
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(now: str, opens: str) -> None:
    """`22:00-04:00` on Fridays ends on Saturday morning."""
    assert opening(NIGHT, at(now)) == opens


def test_nothing_goes_live_on_frozen_dates() -> None:
    """Both ends count, and a night is cut at midnight."""
    window = OFFICE.model_copy(update={"freeze": ("2026-12-20..2027-01-02", "2027-01-04")})
    frozen_friday = NIGHT.model_copy(update={"freeze": ("2026-11-27",)})

    assert opening(window, at("2026-12-18T16:00")) == "2027-01-05T09:00:00+01:00"
    assert opening(frozen_friday, at("2026-11-27T23:00")) == "2026-11-28T00:00:00+01:00"


def test_an_hour_that_the_clocks_skip_does_not_come() -> None:
    """On 29 March 2026 the wall clock jumps from 02:00 to 03:00."""
    half_past_two = WindowSettings(timezone=BERLIN, hours="02:30-03:15")
    within = WindowSettings(timezone=BERLIN, hours="02:10-02:50")

    assert opening(half_past_two, at("2026-03-29T01:00")) == "2026-03-29T03:00:00+02:00"
    assert opening(within, at("2026-03-29T01:00")) == "2026-03-30T02:10:00+02:00"


def test_an_hour_that_the_clocks_repeat_comes_twice() -> None:
    """On 25 October 2026 the wall clock shows 02:00 to 03:00 twice."""
    window = WindowSettings(timezone=BERLIN, hours="02:10-02:50")

    assert opening(window, at("2026-10-25T01:00")) == "2026-10-25T02:10:00+02:00"
    assert opening(window, at("2026-10-25T02:50", fold=0)) == "2026-10-25T02:10:00+01:00"
    assert opening(window, at("2026-10-25T02:50", fold=1)) == "2026-10-26T02:10:00+01:00"


@given(
    zone=st.sampled_from([BERLIN, "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]),
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    days=st.sets(st.sampled_from(OFFICE.days), min_size=2),
    now=st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),
)
def test_the_opening_is_the_first_open_minute(
    zone: str, start: int, length: int, days: set[str], now: datetime
) -> None:
    """Looking at each minute finds none before it; so it is with any zone, any hours, and any change of clocks."""
    end = (start + length) % 1440
    hours = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    window = WindowSettings(timezone=zone, days=tuple(sorted(days)), hours=hours)
    now = now.replace(second=0, microsecond=0)

    found = next_opening(window, now)

    assert found
    assert window.is_open(found)
    minutes = int((found - now).total_seconds() // 60)
    looked = range(max(0, minutes - 2000), minutes)
    assert not any(window.is_open(now + timedelta(minutes=minute)) for minute in looked)


def test_one_that_never_opens_is_none() -> None:
    """Rather than to search for ever."""
    assert next_opening(WindowSettings(freeze=("2026-01-01..2050-01-01",)), at("2026-11-21T12:00")) is None


def test_the_stricter_window_counts() -> None:
    """Limits that are new hold for a verdict that is older; those it had cannot be taken away."""
    assert stricter(WindowSettings(), OFFICE) == stricter(OFFICE, NIGHT) == OFFICE


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('timezone = "Europe/Atlantis"', "knows no time zone 'Europe/Atlantis'"),
        ('timezone = "../../etc/passwd"', "knows no time zone"),
        ('timezone = "Europe"', "knows no time zone"),
        ("days = []", "at least 1 item"),
        ('days = ["Monday"]', "'Mon'"),
        ('hours = "9-16"', "are no hours. Write them as '09:00-16:00'"),
        ('hours = "09:00-24:30"', "a day ends at 24:00"),
        ('hours = "09:00-09:00"', "is no time at all"),
        ('freeze = ["24.12.2026"]', "is no date"),
        ('freeze = ["2026-12-24..2026-12-20"]', "ends before it begins"),
        ('zone = "UTC"', "zone"),
    ],
)
def test_a_wrong_setting_is_refused_when_it_is_read(setting: str, told: str) -> None:
    """With the file and the field, long before anything is released."""
    text = f'locale = "en-US"\n[release.window]\n{setting}\n'.encode()

    with pytest.raises(Mistake) as refused:
        parse_track("taxi", text, "track.toml")
    assert told in str(refused.value)
    assert "`release.window." in str(refused.value)
