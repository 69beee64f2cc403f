"""Positions of the validity of anchors on a timeline, in percent, and a description in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from rootfs_trust.times import later
from rootfs_trust.x509 import Certificate

_BEFORE = 730
_EDGE = 3
_FARTHEST = 25 * 366
"""Maximum length of the timeline in days; no image lives longer."""

EXPIRED, ENDING, OUTLASTING, FUTURE, UNREADABLE = "expired", "ending", "outlasting", "future", "unreadable"


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one certificate. ``left`` and ``width`` are in percent of the timeline."""

    left: float
    width: float
    state: str

    @property
    def words(self) -> str:
        """The state of the certificate in words."""
        return {
            EXPIRED: "expired",
            ENDING: "ends within the image's lifetime",
            OUTLASTING: "outlasts the image",
            FUTURE: "is not valid yet",
            UNREADABLE: "has dates that cannot be read",
        }[self.state]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A timeline from two years before ``at`` to the last relevant expiry. ``end_of_life`` is that of the image."""

    at: datetime
    end_of_life: datetime
    begin: datetime
    end: datetime

    @classmethod
    def of(cls, certificates: Iterable[Certificate], at: datetime, end_of_life: datetime) -> Timeline:
        """Return a timeline long enough for ``certificates``, but at most 25 years from ``at``."""
        ends = [each.not_after for each in certificates if each.not_after]
        last = min(max([*ends, later(end_of_life, days=366)]), later(at, days=_FARTHEST))
        return cls(at, end_of_life, later(at, days=-_BEFORE), max(last, end_of_life))

    def place(self, time: datetime) -> float:
        """Return the position of ``time`` on the timeline in percent, from 0 to 100."""
        share = (time - self.begin) / (self.end - self.begin)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def bar(self, certificate: Certificate) -> Bar:
        """Return the bar of a certificate."""
        begin, end = certificate.not_before, certificate.not_after
        if begin is None or end is None:
            return Bar(0, 0, UNREADABLE)
        left = self.place(begin)
        return Bar(left, round(max(self.place(end) - left, 0), 2), self._state(begin, end))

    def trust(self, end: datetime | None, *, fails: bool) -> Bar:
        """Return the bar of a client's trust in a server, from now to its ``end`` (None: not known). ``fails``: it ends
        too early.
        """
        left, last = self.place(self.at), self.end if end is None else end
        state = EXPIRED if fails else ENDING if last < self.end_of_life else OUTLASTING
        return Bar(left, round(max(self.place(last) - left, 0), 2), state)

    def _state(self, begin: datetime, end: datetime) -> str:
        if end < self.at:
            return EXPIRED
        if begin > self.at:
            return FUTURE
        return ENDING if end < self.end_of_life else OUTLASTING

    @property
    def years(self) -> list[tuple[int, float]]:
        """Return every fifth year and its position, without years whose label would be cut off."""
        every = (year for year in range(self.begin.year + 1, self.end.year + 1) if year % 5 == 0)
        places = ((year, self.place(datetime(year, 1, 1, tzinfo=UTC))) for year in every)
        return [(year, place) for year, place in places if _EDGE < place < 100 - _EDGE]
