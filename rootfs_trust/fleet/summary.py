"""The summary of ``fleet --check`` over all targets: for each server, the targets that trust it and until when; and the
findings.

Results are added one by one; only names and counts are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rootfs_trust import __version__
from rootfs_trust.audit.check import KINDS
from rootfs_trust.audit.findings import LEVELS, Finding
from rootfs_trust.audit.timeline import Bar, Timeline
from rootfs_trust.audit.who_trusts import Trusting
from rootfs_trust.fleet.messages import FAILED, CheckResult, ServerState
from rootfs_trust.rendering.packaged_templates import packaged_template
from rootfs_trust.times import later

_ROOM = 366
"""Number of days for which the timeline continues after the last end of trust."""

_UNKNOWN_END = "9999-12-31"
"""A time that sorts after every real day, for an end that is not known."""


class Stop(NamedTuple):
    """Targets that stop trusting a server on the same day. ``day`` is empty if they refuse the server now, and None if
    the day is unknown.
    """

    day: str | None
    targets: tuple[str, ...]
    as_expected: bool
    end: datetime | None = None

    @property
    def words(self) -> str:
        """Return the day in words."""
        return "refused now" if self.day == "" else self.day or "no end is known"


@dataclass
class ServerSummary:
    """One server, and the targets that trust it. ``refused``: no client may trust it."""

    name: str
    refused: bool = False
    trusted: int = 0
    judged: int = 0
    _stops: dict[str, list[str]] = field(default_factory=dict)
    _ends: dict[str, datetime] = field(default_factory=dict)

    def add(self, target: str, state: ServerState) -> None:
        """Count the result of a target."""
        self.refused |= state.refused
        self.judged += 1
        self.trusted += not state.refused_by
        day = "" if state.refused_by else f"{state.until.date()}" if state.until else _UNKNOWN_END
        if state.until is not None:
            self._ends.setdefault(day, state.until)
        self._stops.setdefault(day, []).append(target)

    @property
    def stops(self) -> Iterator[Stop]:
        """Yield the targets that refuse the server now, then those that stop on each day, the earliest first."""
        for day, targets in sorted(self._stops.items()):
            as_expected = (day == "") == self.refused
            yield Stop(None if day == _UNKNOWN_END else day, tuple(targets), as_expected, self._ends.get(day))


class FindingSummary(NamedTuple):
    """Findings of one kind and level, and the targets that have one."""

    id: str
    level: str
    title: str
    targets: tuple[str, ...]


class FleetSummary:
    """The results of a fleet: ``source`` names it, ``at`` is the time of the check."""

    def __init__(self, source: str, at: datetime) -> None:
        self.source, self.at, self.version = source, at, __version__
        self.counts: Counter[str] = Counter()
        self.trusting: Counter[Trusting] = Counter()
        self.failed: list[tuple[str, str]] = []
        self._servers: dict[str, ServerSummary] = {}
        self._findings: dict[tuple[str, str], list[str]] = {}

    def add(self, result: CheckResult) -> None:
        """Count one target."""
        self.counts[result.status] += 1
        self.trusting.update(result.trusted_by)
        for kind in dict.fromkeys(map(_kind, result.findings)):
            self._findings.setdefault(kind, []).append(result.target)
        for state in result.servers:
            self._servers.setdefault(state.name, ServerSummary(state.name)).add(result.target, state)
        if result.status == FAILED:
            self.failed.append((result.target, result.error or ""))

    @property
    def servers(self) -> tuple[ServerSummary, ...]:
        """The servers, in the order of the configs."""
        return tuple(self._servers.values())

    @property
    def findings(self) -> tuple[FindingSummary, ...]:
        """The kinds of findings: the most severe first, and within a level the most frequent first."""
        found = (
            FindingSummary(id_, level, KINDS[id_].title, tuple(targets))
            for (id_, level), targets in self._findings.items()
        )
        return tuple(sorted(found, key=lambda each: (LEVELS.index(each.level), -len(each.targets), each.id)))

    @property
    def timeline(self) -> Timeline:
        """Return the timeline from now to the last known end."""
        ends = [stop.end for server in self.servers for stop in server.stops if stop.end]
        last = min(max(ends, default=self.at), later(self.at, days=25 * _ROOM))
        return Timeline(self.at, later(last, days=_ROOM), self.at, later(last, days=_ROOM))

    def bar(self, stop: Stop) -> Bar | None:
        """Return the bar for targets that stop trusting a server on the same day, or None if they refuse it now."""
        return None if stop.day == "" else self.timeline.trust(stop.end, fails=not stop.as_expected)

    def render(self, form: str) -> str:
        """Return the report page, as ``html`` or ``md``. Raises InputError if jinja2 is missing."""
        return packaged_template(f"report/fleet.{form}.j2", "a report has to be rendered").render(fleet=self)


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.id, finding.level
