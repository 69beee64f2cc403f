"""Where the validity of anchors lies on a line of time: numbers for a picture, and words beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rootfs_trust.x509 import Certificate

_BEFORE = timedelta(days=730)
_EDGE = 3
_FARTHEST = timedelta(days=25 * 366)
"""Past this no image lives: what ends later runs off the picture."""

EXPIRED, ENDING, OUTLASTING, FUTURE, UNREADABLE = "expired", "ending", "outlasting", "future", "unreadable"


@dataclass(frozen=True, slots=True)
class Bar:
    """One certificate: ``left`` and ``width`` are in percent of the line; ``state`` says what becomes of it."""

    left: float
    width: float
    state: str

    @property
    def words(self) -> str:
        """The state, said."""
        return {
            EXPIRED: "expired",
            ENDING: "ends within the image's lifetime",
            OUTLASTING: "outlasts the image",
            FUTURE: "is not valid yet",
            UNREADABLE: "has dates that cannot be read",
        }[self.state]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A line of time from two years before ``at`` to the last end that matters; ``end_of_life`` is the image's."""

    at: datetime
    end_of_life: datetime
    begin: datetime
    end: datetime

    @classmethod
    def of(cls, certificates: Iterable[Certificate], at: datetime, end_of_life: datetime) -> Timeline:
        """The line on which ``certificates`` have room, up to 25 years from ``at``."""
        ends = [each.not_after for each in certificates if each.not_after]
        last = min(max([*ends, end_of_life + timedelta(days=366)]), at + _FARTHEST)
        return cls(at, end_of_life, at - _BEFORE, max(last, end_of_life))

    def place(self, time: datetime) -> float:
        """Percent of the line at which ``time`` lies, from 0 to 100."""
        share = (time - self.begin) / (self.end - self.begin)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def bar(self, certificate: Certificate) -> Bar:
        """The bar of a certificate."""
        begin, end = certificate.not_before, certificate.not_after
        if begin is None or end is None:
            return Bar(0, 0, UNREADABLE)
        left = self.place(begin)
        return Bar(left, round(max(self.place(end) - left, 0), 2), self._state(begin, end))

    def _state(self, begin: datetime, end: datetime) -> str:
        if end < self.at:
            return EXPIRED
        if begin > self.at:
            return FUTURE
        return ENDING if end < self.end_of_life else OUTLASTING

    @property
    def years(self) -> list[tuple[int, float]]:
        """Years to be marked, every fifth, and where each begins; none so near an end that its number is cut off."""
        every = (year for year in range(self.begin.year + 1, self.end.year + 1) if year % 5 == 0)
        places = ((year, self.place(datetime(year, 1, 1, tzinfo=UTC))) for year in every)
        return [(year, place) for year, place in places if _EDGE < place < 100 - _EDGE]
