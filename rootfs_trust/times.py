"""Arithmetic with times near the limits of Python's datetime, and RFC 3339. Certificates reach both limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(microsecond=0, tzinfo=UTC)


def later(moment: datetime, *, days: float = 0, seconds: float = 0) -> datetime:
    """Add to ``moment``. Outside the years 1 to 9999 the result is :data:`EARLIEST` or :data:`LATEST`."""
    try:
        return moment + timedelta(days, seconds)
    except OverflowError:
        return LATEST if days + seconds > 0 else EARLIEST


def years_later(day: date, years: int) -> date:
    """Return the same day ``years`` later: 28 February for a leap day, and at most the last day of 9999."""
    if day.year + years > date.max.year:
        return date.max
    return date(day.year + years, day.month, min(day.day, 28) if day.month == 2 else day.day)


def from_seconds(seconds: int) -> datetime:
    """Return seconds since 1970 as a time in UTC, with the limits of :func:`later`."""
    return later(datetime(1970, 1, 1, tzinfo=UTC), seconds=seconds)


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` (in UTC) in RFC 3339 format, to the second: ``2027-01-31T12:00:00Z``."""
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
