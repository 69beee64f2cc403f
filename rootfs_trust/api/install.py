"""``install``: anchors into a rootfs, its trust store written, thin-edge.io pointed at it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from rootfs_trust.api.carry_out import carry_out
from rootfs_trust.api.decide import Decision, Job, decide, read_job
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.errors import InputError, Trouble
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
        return _finish(tree, job, decide(tree, job))


class RecordedInstall(NamedTuple):
    """``provenance`` is the text of an in-toto statement of what was installed, and from what."""

    outcome: Outcome
    provenance: str


def install_with_provenance(root: str, options: InstallOptions = NO_OPTIONS) -> RecordedInstall:
    """:func:`install`, and the provenance of what it leaves, also where it changes nothing. Raises the same errors."""
    from rootfs_trust.api.provenance import statement
    from rootfs_trust.rootfs.recording import Recording

    if options.dry_run:
        hint = "leave one of them out"
        raise InputError(Trouble("usage", "", "a dry run installs nothing, and has no provenance", hint))
    job = read_job(options)
    with Root(root) as tree:
        tree.lock()
        recording = Recording(tree)
        decision = decide(recording, job)
        provenance = statement(job, decision, recording.read)
        return RecordedInstall(_finish(tree, job, decision), provenance)


def _finish(tree: Root, job: Job, decision: Decision) -> Outcome:
    options = job.options
    notes = []
    if not options.dry_run:
        notes = carry_out(tree, decision.plan, decision.desired, owner=tree.owner, timestamp=options.timestamp)
    return decision.outcome(notes, dry_run=options.dry_run)


def plan(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """What :func:`install` would do; nothing is written. Raises the same errors."""
    return install(root, replace(options, dry_run=True))
