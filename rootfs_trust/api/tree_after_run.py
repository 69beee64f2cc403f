"""Compute in memory the tree that a run would leave. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rootfs_trust.api.planning import Job, decide
from rootfs_trust.rootfs.device import Device
from rootfs_trust.rootfs.plan import Remove
from rootfs_trust.rootfs.planned_tree import PlannedTree
from rootfs_trust.rootfs.view import Absent, Directory, File, Symlink, View

Nodes = Iterator[tuple[str, File | Symlink | Directory | Absent]]
"""Pairs of a path and what exists there after the run: a file, link or directory, or ``Absent`` for a removed path."""


def after_run(view: View, job: Job) -> View:
    """Return the tree that ``job`` would make of ``view``. Raises RootfsTrustError if it refuses the tree."""
    return PlannedTree(Device(view), dict(written(view, job)))


def written(view: View, job: Job) -> Nodes:
    """Yield each changed path with what exists there after the run. A replaced file keeps owner and mode."""
    for action in decide(view, job).plan.actions:
        if isinstance(action, Remove):
            yield action.path, Absent()
        elif isinstance(action.node, File) and isinstance(old := view.node(action.path), File):
            yield action.path, action.node._replace(owner=old.owner, mode=old.mode)
        else:
            yield action.path, action.node
