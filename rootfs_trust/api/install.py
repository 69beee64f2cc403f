"""``install``: add anchors to a rootfs, write its trust store, and configure thin-edge.io."""

from __future__ import annotations

from typing import NamedTuple

from rootfs_trust.api.apply_plan import apply_and_verify
from rootfs_trust.api.open_tree import named_on_the_host
from rootfs_trust.api.options import NO_OPTIONS, InstallOptions
from rootfs_trust.api.planning import Decision, Job, decide, read_job
from rootfs_trust.api.runtime_warnings import runtime_warnings
from rootfs_trust.errors import USAGE, InputError
from rootfs_trust.outcome import Outcome
from rootfs_trust.rootfs.root_directory import RootDirectory


def install(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """Install anchors and settings into the rootfs at the host path ``root``.

    Raises InputError or ConflictError before anything is written, or ApplyError.
    """
    return install_job(root, read_job(options))


def install_job(root: str, job: Job, name: str | None = None) -> Outcome:
    """Like :func:`install`, for a job whose files were already read. If ``root`` is a temporary copy, errors contain
    the host path ``name`` instead. Raises the same errors.
    """
    with named_on_the_host(name or root), RootDirectory(root) as tree:
        tree.lock()
        return finish(tree, job, decide(tree, job, tree.lock_hash_directory))


class RecordedInstall(NamedTuple):
    """An outcome, and ``provenance``: an in-toto statement of what was installed, and from which inputs."""

    outcome: Outcome
    provenance: str


def install_with_provenance(root: str, options: InstallOptions = NO_OPTIONS) -> RecordedInstall:
    """Like :func:`install`, and also return the provenance, even if nothing changed. Raises the same errors."""
    from rootfs_trust.api.provenance import statement
    from rootfs_trust.rootfs.read_recorder import ReadRecorder

    if options.dry_run:
        raise InputError(USAGE("", "a dry run installs nothing, so it has no provenance", "use only one of them"))
    job = read_job(options)
    with named_on_the_host(root), RootDirectory(root) as tree:
        tree.lock()
        recording = ReadRecorder(tree)
        decision = decide(recording, job, tree.lock_hash_directory)
        provenance = statement(job, decision, recording.read)
        return RecordedInstall(finish(tree, job, decision), provenance)


def finish(tree: RootDirectory, job: Job, decision: Decision) -> Outcome:
    """Write the decision to an open and locked tree, unless it is a dry run. Raises ApplyError."""
    options = job.options
    notes = runtime_warnings(tree, decision)
    if not options.dry_run:
        notes += apply_and_verify(tree, decision.plan, decision.desired, owner=tree.owner, timestamp=options.timestamp)
    return decision.outcome(notes, dry_run=options.dry_run)


def plan(root: str, options: InstallOptions = NO_OPTIONS) -> Outcome:
    """Return the outcome that :func:`install` would have. Writes nothing. Raises the same errors."""
    return install(root, options._replace(dry_run=True))
