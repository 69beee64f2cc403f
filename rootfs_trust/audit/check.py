"""Run all checks on a tree; list all kinds of findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from rootfs_trust.audit.checks import (
    anchors,
    client_reading,
    clouds,
    constraints,
    device_state,
    environment,
    file_formats,
    links,
    missing,
    permissions,
    private_stores,
    roots,
    servers,
    settings,
    source_directories,
    sources,
    store_files,
)
from rootfs_trust.audit.findings import ERROR, LEVELS, Finding, FindingType
from rootfs_trust.audit.inspection import Inspection
from rootfs_trust.audit.trusted_anchors import Trust
from rootfs_trust.inputs.config import AnchorTable
from rootfs_trust.inputs.policy import Policy
from rootfs_trust.inputs.root_data import RootData, load_root_data
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.view import View
from rootfs_trust.store.selection import Selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rootfs_trust.audit.servers import Server

UNREADABLE = FindingType(
    "unreadable",
    (ERROR,),
    "A path could not be read",
    "Its content is not known. All other findings treat it as missing.",
    "run as a user who can read the whole tree",
)

GROUPS = {
    "Hash directories": links,
    "What is missing": missing,
    "Store files": store_files,
    "Files": file_formats,
    "Anchors": anchors,
    "Public roots": roots,
    "Roots of the clouds": clouds,
    "Constrained anchors": constraints,
    "What clients cannot read": client_reading,
    "Sources and the device's own tool": sources,
    "Directories of source files": source_directories,
    "Who may read and write the store": permissions,
    "Servers of rootfs-trust.toml": servers,
    "Stores of applications": private_stores,
    "Variables": environment,
    "Settings of thin-edge.io": settings,
    "A device's state (`--state`)": device_state,
}
"""The modules of checks, one for each section of docs/findings.md."""

KINDS: dict[str, FindingType] = {kind.id: kind for group in GROUPS.values() for kind in group.KINDS} | {
    UNREADABLE.id: UNREADABLE
}
"""Every kind of findings, by its id."""


class CheckRequest(NamedTuple):
    """The options of a check; see :class:`~rootfs_trust.audit.inspection.Inspection`."""

    policy: Policy
    at: datetime
    own: Mapping[str, AnchorTable] = {}
    distrust: tuple[Selection, ...] = ()
    root_data: RootData | None = None
    """The table of public roots. None: the table of the package."""
    servers: tuple[Server, ...] = ()
    clouds: tuple[str, ...] = ()


def inspect(view: View, question: CheckRequest) -> Inspection:
    """Prepare the check of ``view``. Unreadable paths are left out and reported as findings."""
    tolerant = ErrorCollectingView(view)
    data = question.root_data or load_root_data()
    trust = Trust(tolerant, question.own)
    return Inspection(trust, **{**question._asdict(), "root_data": data}, image=tolerant.image)


def findings(inspection: Inspection) -> tuple[Finding, ...]:
    """Return all findings, the most severe first, then in the order of the checks."""
    found = [finding for group in GROUPS.values() for finding in group.check(inspection)]
    if isinstance(inspection.view, ErrorCollectingView):
        unreadable = inspection.view.problems.values()
        found += (UNREADABLE.found(each.path, each.message, fix=each.hint) for each in unreadable)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: LEVELS.index(finding.level)))
