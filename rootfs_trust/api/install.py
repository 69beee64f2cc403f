"""``install``: anchors into a rootfs, its trust store written, thin-edge.io pointed at it."""

from __future__ import annotations

from dataclasses import replace

from rootfs_trust.api.carry_out import carry_out
from rootfs_trust.api.decide import Job, decide, read_job
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.outcome import Outcome
from rootfs_trust.rootfs.door import Root


def install(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """Install anchors into the rootfs at the host path ``root``, and the settings that use them.

    Raises InputError, ConflictError (both: nothing was written) or ApplyError.
    """
    return install_job(root, read_job(options))


def install_job(root: str, job: Job) -> Outcome:
    """:func:`install`, for a job whose files are read already. Raises the same errors."""
    with Root(root) as tree:
        tree.lock()
        decision = decide(tree, job)
        notes = (
            []
            if job.options.dry_run
            else carry_out(tree, decision.plan, decision.desired, owner=tree.owner, timestamp=job.options.timestamp)
        )
    return decision.outcome(notes, dry_run=job.options.dry_run)


def plan(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """What :func:`install` would do; nothing is written. Raises the same errors."""
    return install(root, replace(options, dry_run=True))
