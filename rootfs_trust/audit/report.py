"""The data of a report on a tree. The templates in ``templates/report`` render it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rootfs_trust.audit.findings import LEVELS, Finding
from rootfs_trust.audit.report_findings import FindingGroup, finding_groups
from rootfs_trust.audit.report_servers import ServerLines, server_lines
from rootfs_trust.audit.servers import ServerResult
from rootfs_trust.audit.timeline import Timeline
from rootfs_trust.audit.tree_diff import Difference, told
from rootfs_trust.audit.trusted_anchors import TrustedAnchor
from rootfs_trust.clients.client import Client
from rootfs_trust.thin_edge.settings_in_force import FoundSetting
from rootfs_trust.x509.constrained import original_of, scope_of

_EVERYBODY = "every client"


@dataclass(frozen=True, slots=True)
class ClientView:
    """The trust of one client. ``searched`` are the paths that it read; ``missing`` are the local anchors that it does
    not trust.
    """

    name: str
    searched: str
    count: int
    missing: tuple[TrustedAnchor, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The report. ``source`` is the path of the tree as given, ``system`` its name in os-release."""

    source: str
    system: str
    version: str
    at: datetime
    end_of_life: datetime
    anchors: tuple[TrustedAnchor, ...]
    findings: tuple[Finding, ...]
    clients: tuple[ClientView, ...]
    settings: tuple[FoundSetting, ...]
    difference: Difference | None = None
    baseline: str = ""
    servers: tuple[ServerResult, ...] = ()
    """The verdicts for each ``[[server]]``; empty if the extra ``verify`` is missing, which is a finding."""

    @cached_property
    def timeline(self) -> Timeline:
        """The timeline of the anchors."""
        return Timeline.of((anchor.certificate for anchor in self.anchors), self.at, self.end_of_life)

    @property
    def server_lines(self) -> tuple[ServerLines, ...]:
        """The servers; those that do not meet the expectations come first."""
        return server_lines(self.servers, self.timeline)

    @cached_property
    def local(self) -> tuple[TrustedAnchor, ...]:
        """The anchors that the administrator has added."""
        return tuple(anchor for anchor in self.anchors if anchor.is_local)

    @property
    def groups(self) -> tuple[tuple[str, tuple[TrustedAnchor, ...]], ...]:
        """The anchors by origin, with a title."""
        others = tuple(anchor for anchor in self.anchors if not anchor.is_local)
        return ("Local anchors", self.local), ("Anchors of the distribution", others)

    def trusting(self, anchor: TrustedAnchor) -> str:
        """Describe which clients trust an anchor, and for which names if it is constrained."""
        everybody = {client.name for client in self.clients} <= set(anchor.clients)
        clients = _EVERYBODY if everybody else ", ".join(anchor.clients) or "no client"
        return f"{clients}, {scope_of(anchor.certificate)}" if original_of(anchor.certificate) else clients

    @property
    def grouped(self) -> tuple[FindingGroup, ...]:
        """The findings, grouped by kind and level."""
        return finding_groups(self.findings)

    def trusted_by_all(self, anchor: TrustedAnchor) -> bool:
        """Return whether every client trusts ``anchor``, for any name."""
        return self.trusting(anchor) == _EVERYBODY

    def states(self, anchors: Iterable[TrustedAnchor]) -> list[tuple[str, str, int]]:
        """Return each state of ``anchors`` on the timeline, with its words and the number of anchors."""
        bars = [self.timeline.bar(anchor.certificate) for anchor in anchors]
        counts = Counter((bar.state, bar.words) for bar in bars)
        return [(state, words, count) for (state, words), count in counts.most_common()]

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each level."""
        return {level: sum(finding.level == level for finding in self.findings) for level in LEVELS}

    @property
    def difference_lines(self) -> list[str]:
        """The differences from the baseline, one line each."""
        return list(told(self.difference)) if self.difference else []


def seen_by(client: Client, anchors: Sequence[TrustedAnchor], local: Iterable[TrustedAnchor]) -> ClientView:
    """Return the anchors that ``client`` trusts. Each is looked up separately, because a hash directory supports
    nothing else.
    """
    found = client.find([anchor.certificate for anchor in anchors])
    seen = {anchor.certificate.sha256 for anchor in found.anchors}
    missing = tuple(anchor for anchor in local if anchor.certificate.sha256 not in seen)
    cannot_start = (found.cannot_start,) if found.cannot_start else ()
    return ClientView(client.name, found.searched, len(seen), missing, (*cannot_start, *found.faults))
