"""Warn of each store of a runtime that will not see an anchor of the run."""

from __future__ import annotations

from rootfs_trust.api.planning import Decision
from rootfs_trust.errors import Problem
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.error_collecting_view import ErrorCollectingView
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import View
from rootfs_trust.runtimes.find import find_stores
from rootfs_trust.runtimes.programs import has_programs
from rootfs_trust.store.purposes import SERVERS


def runtime_warnings(view: View, decision: Decision) -> list[Problem]:
    """Return a warning for each store in ``view`` that lacks an installed anchor after ``decision``.

    The search covers the whole tree and is not part of the decision: a known decision stays valid when files outside
    the trust store change.
    """
    installed = decision.store.installed
    names = {each.certificate.sha256: each.name for each in installed if SERVERS in (each.purposes or {SERVERS})}
    if not names:
        return []
    planned = PlannedTree(Device(view), decision.desired)
    finished = Device(ErrorCollectingView(planned))
    search = find_stores(planned)
    if not (search.stores or has_programs(finished.view)):
        return []
    from rootfs_trust.audit.checks.private_stores import kind_of
    from rootfs_trust.clients.applications import unseen
    from rootfs_trust.clients.file_readers import FileReader

    reading = FileReader(finished, {**finished.environment, **decision.variables}, search)
    system = {finished.view.real_path(path) or path for path in decision.desired}
    return [
        Problem(
            kind_of(each).id,
            each.path,
            f"lacks {', '.join(names[sha256] for sha256 in each.missing)}",
            f"use --runtimes {each.runtime} or auto if its programs connect to a server of this CA",
        )
        for each in unseen(reading, tuple(names), system)
    ]
