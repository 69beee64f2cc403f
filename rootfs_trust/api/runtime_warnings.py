"""Warn of each store of a runtime that will not see an anchor of the run."""

from __future__ import annotations

from rootfs_trust.agents.finished import Finished
from rootfs_trust.api.decide import Decision
from rootfs_trust.errors import Trouble
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.nodes import View
from rootfs_trust.rootfs.tolerant import Tolerant
from rootfs_trust.store.purposes import SERVERS


def runtime_warnings(view: View, decision: Decision) -> list[Trouble]:
    """Return a warning for each store in ``view`` that lacks an installed anchor after ``decision``.

    The search covers the whole tree and is not part of the decision: a known decision stays valid when files outside
    the trust store change.
    """
    installed = decision.store.installed
    names = {each.certificate.sha256: each.name for each in installed if SERVERS in (each.purposes or {SERVERS})}
    if not names:
        return []
    from rootfs_trust.audit.checks.applications import kind_of
    from rootfs_trust.clients.applications import unseen
    from rootfs_trust.clients.reading import Reading

    finished = Device(Tolerant(Finished(Device(view), decision.desired)))
    system = {finished.view.real_path(path) or path for path in decision.desired}
    return [
        Trouble(
            kind_of(each).id,
            each.path,
            f"lacks {', '.join(names[sha256] for sha256 in each.missing)}",
            f"use --runtimes {each.runtime} or auto if its programs connect to a server of this CA",
        )
        for each in unseen(Reading(finished, {**finished.environment, **decision.variables}), tuple(names), system)
    ]
