"""Times at both ends of what Python can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from rootfs_trust.times import EARLIEST, LATEST, from_seconds, later, rfc3339, years_later

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, st.floats(-1e9, 1e9), st.floats(-1e12, 1e12))
def test_times_are_clamped_to_the_years_1_to_9999(moment, days, seconds):
    assert later(moment, days=days, seconds=seconds) >= EARLIEST


def test_the_ends():
    assert later(LATEST, days=1) == LATEST == later(LATEST, days=1e12) == from_seconds(10**30)
    assert later(EARLIEST, days=-1) == EARLIEST == from_seconds(-(10**30))


@given(st.integers())
def test_seconds_since_1970(seconds):
    assert EARLIEST <= from_seconds(seconds) <= LATEST


def test_seconds_are_exact():
    assert from_seconds(2**32) == datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC)


@given(st.dates())
def test_the_same_day_years_later(day):
    assert years_later(day, 15) == date.max or years_later(day, 15).year == day.year + 15


@given(MOMENTS)
def test_rfc_3339_has_four_digits_of_a_year(moment):
    text = rfc3339(moment)
    assert len(text) == 20 and datetime.fromisoformat(text) == moment.replace(microsecond=0)
