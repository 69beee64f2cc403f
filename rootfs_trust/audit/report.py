"""What a report tells of a tree, as data; the templates under ``templates/report`` put it into words and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rootfs_trust.audit.clients.client import Client
from rootfs_trust.audit.difference import Difference, told
from rootfs_trust.audit.findings import LEVELS, Finding
from rootfs_trust.audit.settings import FoundSetting
from rootfs_trust.audit.timeline import Timeline
from rootfs_trust.audit.trust import TrustedAnchor


@dataclass(frozen=True, slots=True)
class SeenBy:
    """What one client sees: ``looked`` is where it looked, ``missing`` the local anchors that it does not see."""

    name: str
    looked: str
    count: int
    missing: tuple[TrustedAnchor, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """``source`` is what the caller calls the tree, ``system`` what the tree calls itself."""

    source: str
    system: str
    version: str
    at: datetime
    end_of_life: datetime
    anchors: tuple[TrustedAnchor, ...]
    findings: tuple[Finding, ...]
    clients: tuple[SeenBy, ...]
    settings: tuple[FoundSetting, ...]
    difference: Difference | None = None
    baseline: str = ""

    @cached_property
    def timeline(self) -> Timeline:
        """The line of time on which the anchors are drawn."""
        return Timeline.of((anchor.certificate for anchor in self.anchors), self.at, self.end_of_life)

    @cached_property
    def local(self) -> tuple[TrustedAnchor, ...]:
        """The anchors that the device's owner has added."""
        return tuple(anchor for anchor in self.anchors if anchor.is_local)

    @property
    def groups(self) -> tuple[tuple[str, tuple[TrustedAnchor, ...]], ...]:
        """The anchors by where they come from, with a title."""
        others = tuple(anchor for anchor in self.anchors if not anchor.is_local)
        return ("Local anchors", self.local), ("Anchors of the distribution", others)

    @property
    def grouped(self) -> tuple[tuple[Finding, ...], ...]:
        """The findings, those of one kind and level that are mended in one way together."""
        groups: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault((finding.level, finding.id, finding.mend), []).append(finding)
        return tuple(map(tuple, groups.values()))

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each level."""
        return {level: sum(finding.level == level for finding in self.findings) for level in LEVELS}

    @property
    def difference_lines(self) -> list[str]:
        """In what it differs from the baseline, a line each."""
        return list(told(self.difference)) if self.difference else []


def seen_by(client: Client, anchors: Sequence[TrustedAnchor], local: Iterable[TrustedAnchor]) -> SeenBy:
    """What ``client`` sees. A hash directory answers for given certificates alone, so it is asked for all."""
    found = client.find([anchor.certificate for anchor in anchors])
    seen = {anchor.certificate.sha256 for anchor in found.anchors}
    missing = tuple(anchor for anchor in local if anchor.certificate.sha256 not in seen)
    dead = (found.dead,) if found.dead else ()
    return SeenBy(client.name, found.looked, len(seen), missing, (*dead, *found.faults))
