"""All checks of a tree, in their order, and all kinds of findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.audit.checks import anchors, applications, forms, links, outputs, rights, settings, sources, state
from rootfs_trust.audit.findings import ERROR, LEVELS, Finding, Kind
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.tolerant import Tolerant
from rootfs_trust.audit.trust import Trust
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.policy import Policy

UNREADABLE = Kind(
    "unreadable",
    (ERROR,),
    "Something could not be read",
    "What stands there is not known, and counts as missing in all other findings.",
    "run as a user who may read the whole tree",
)

GROUPS = {
    "Hash directories": links,
    "Outputs": outputs,
    "Files": forms,
    "Anchors": anchors,
    "Sources and the device's own tool": sources,
    "Who may read and write the store": rights,
    "Stores of applications": applications,
    "Settings of thin-edge.io": settings,
    "A device's state (`--state`)": state,
}
"""A module of checks for each heading of docs/findings.md."""

KINDS: dict[str, Kind] = {kind.id: kind for group in GROUPS.values() for kind in group.KINDS} | {
    UNREADABLE.id: UNREADABLE
}
"""Every kind of findings, by its id."""


class Question(NamedTuple):
    """What a tree is held against; see :class:`~rootfs_trust.audit.inspection.Inspection`."""

    policy: Policy
    at: datetime
    own: Mapping[str, AnchorTable] = {}
    distrust: frozenset[str] = frozenset()


def findings(view: Tolerant, question: Question) -> tuple[Finding, ...]:
    """All that is found, the worst first, then in the order of the checks."""
    inspection = Inspection(Trust(view, question.own), *question, view.image)
    found = [finding for group in GROUPS.values() for finding in group.check(inspection)]
    found += (UNREADABLE.found(each.path, each.message, mend=each.hint) for each in view.troubles.values())
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: LEVELS.index(finding.level)))
