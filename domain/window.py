"""When a model may go live: days and hours on the wall clock of a time zone, and dates on which nothing changes.

It goes by what the clock on the wall shows: an hour that the clocks skip in spring does not come, and one that they
repeat in autumn comes twice.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from domain.settings import Settings

Day = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

_DAYS: Final[tuple[Day, ...]] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_WHOLE_DAY: Final = 24 * 60
"""Minutes."""

_HORIZON: Final = 5 * 366
"""Days to look ahead."""


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"this machine knows no time zone {name[:60]!a}. Give a name of the IANA data base, such as 'Europe/Berlin' or "
            "'UTC'; if it is one, `pip install tzdata`."
        ) from None
    return name


def _checked_hours(hours: str) -> str:
    start, end = _minutes(hours)
    if start in (end, _WHOLE_DAY):
        raise ValueError(f"'{hours}' is no time at all. Give begin and end, such as '09:00-16:00', or '22:00-04:00'.")
    return hours


def _checked_dates(given: tuple[str, ...]) -> tuple[str, ...]:
    for dates in given:
        first, last = _range(dates)
        if last < first:
            raise ValueError(f"'{dates}' ends before it begins. Put the earlier date first.")
    return given


class WindowSettings(Settings):
    """When a model may go live: section `[release.window]`. What is left out is no limit."""

    timezone: Annotated[str, AfterValidator(_checked_zone)] = "UTC"
    """A name of the IANA data base."""

    days: tuple[Day, ...] = Field(default=_DAYS, min_length=1)
    """The days of the week on which the hours begin."""

    hours: Annotated[str, AfterValidator(_checked_hours)] = "00:00-24:00"
    """From, and until before; `22:00-04:00` goes on after midnight."""

    freeze: Annotated[tuple[str, ...], AfterValidator(_checked_dates)] = ()
    """Dates on which nothing goes live, such as `2026-12-24`, or from the first to the last: `2026-12-20..2027-01-02`."""

    @property
    def is_limited(self) -> bool:
        """Whether it is ever closed."""
        return self != WindowSettings(timezone=self.timezone)

    def is_open(self, moment: datetime) -> bool:
        """Whether a model may go live at a moment, which has a time zone of its own."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        start, end = _minutes(self.hours)
        minute = local.hour * 60 + local.minute
        began_yesterday = end < start and minute < end
        inside = (start <= minute and (minute < end or end < start)) or began_yesterday
        day = local.date() - timedelta(days=began_yesterday)
        return inside and _DAYS[day.weekday()] in self.days and not self._is_frozen(local.date())

    def _is_frozen(self, day: date) -> bool:
        return any(first <= day <= last for first, last in map(_range, self.freeze))


def next_opening(window: WindowSettings, now: datetime) -> datetime | None:
    """The first moment, from now on, at which a model may go live.

    Args:
        window: the settings.
        now: a moment with a time zone.

    Returns:
        In UTC: `now` itself while the window is open; None when it does not open within five years.

    >>> office = WindowSettings(timezone="Europe/Berlin", days=("Mon",), hours="09:00-16:00")
    >>> print(next_opening(office, datetime(2026, 11, 21, tzinfo=UTC)))
    2026-11-23 08:00:00+00:00
    """
    now = now.astimezone(UTC)
    if window.is_open(now):
        return now
    today = now.astimezone(ZoneInfo(window.timezone)).date()
    for ahead in range(-1, _HORIZON):
        beginnings = _beginnings(window, today + timedelta(days=ahead))
        openings = [one for one in beginnings if one > now and window.is_open(one)]
        if openings:
            return min(openings)
    return None


def stricter(one: WindowSettings, other: WindowSettings) -> WindowSettings:
    """The first that is a limit at all."""
    return one if one.is_limited else other


def _beginnings(window: WindowSettings, day: date) -> Iterator[datetime]:
    """The moments of a day at which the window may open: the hour itself, midnight after a freeze, a change of clocks."""
    zone = ZoneInfo(window.timezone)
    hour, minute = divmod(_minutes(window.hours)[0], 60)
    for wall in (time(hour, minute), time()):
        for fold in (0, 1):
            yield datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC)
    midnight = datetime.combine(day, time(), zone).astimezone(UTC)
    yield from _clock_changes(zone, midnight, midnight + timedelta(hours=26))


def _clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The moment (UTC) at which the clocks are changed between two others, to the second."""
    before = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return
    while end - start > timedelta(seconds=1):
        middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
        start, end = (middle, end) if middle.astimezone(zone).utcoffset() == before else (start, middle)
    yield end


def _minutes(hours: str) -> tuple[int, int]:
    """Begin and end, in minutes since midnight."""
    found = _HOURS.fullmatch(hours)
    if not found:
        raise ValueError(f"{hours[:60]!a} are no hours. Write them as '09:00-16:00'.")
    start, start_minute, end, end_minute = map(int, found.groups())
    if max(start * 60 + start_minute, end * 60 + end_minute) > _WHOLE_DAY:
        raise ValueError(f"'{hours}': a day ends at 24:00.")
    return start * 60 + start_minute, end * 60 + end_minute


def _range(dates: str) -> tuple[date, date]:
    first, dots, last = dates.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise ValueError(
            f"{dates[:60]!a} is no date. Write '2026-12-24', or '2026-12-20..2027-01-02' for several days."
        ) from None
