"""``remove``: remove anchors, or distrust those that the distribution ships."""

from __future__ import annotations

from collections.abc import Sequence

from rootfs_trust.api.install import finish
from rootfs_trust.api.open_tree import named_on_the_host
from rootfs_trust.api.options import InstallOptions
from rootfs_trust.api.planning import Decision, Job, decide, read_job
from rootfs_trust.errors import InputError
from rootfs_trust.outcome import InstalledAnchor, Outcome
from rootfs_trust.rootfs.plan import Remove
from rootfs_trust.rootfs.root_directory import RootDirectory


def remove(
    root: str,
    names: Sequence[str],
    *,
    layout: str = "auto",
    timestamp: int | None = None,
    will_be_signed: bool = False,
    dry_run: bool = False,
    runtimes: Sequence[str] = (),
    root_data: str | None = None,
) -> Outcome:
    """Remove the anchors called ``names`` from the rootfs at the host path ``root``.

    A name may also be ``sha256:HEX`` (every copy), ``spki:HEX`` (every certificate with that key), ``file:PATH``, or
    the name of an incident or root in the root data. ``root_data`` is the file of a newer table. Certificates that an
    earlier run added to the stores of runtimes are also removed. With ``runtimes`` (names, or ``auto``), the runtimes'
    own copies are removed, too. The anchors of the result are the removed ones. Raises InputError or ConflictError
    before anything is written, or ApplyError.
    """
    options = InstallOptions(
        layout=layout,
        timestamp=timestamp,
        will_be_signed=will_be_signed,
        dry_run=dry_run,
        without=names,
        runtimes=runtimes,
        root_data=root_data,
    )
    with named_on_the_host(root), RootDirectory(root) as tree:
        tree.lock()
        job = read_job(options)
        decision = _decide(tree, job)
        outcome = finish(tree, job, decision)
    return outcome._replace(anchors=tuple(map(InstalledAnchor.of, decision.store.removed)))


def _decide(tree: RootDirectory, job: Job) -> Decision:
    """Plan the removal. An anchor that an interrupted run has already removed gives a warning, not an error."""
    try:
        return decide(tree, job, tree.lock_hash_directory)
    except InputError as error:
        unmatched = {each.argument: each for each in error.problems if each.argument}
        left = job.removal.without(unmatched)
        if not left or len(unmatched) < len(error.problems):
            raise
        decision = decide(tree, job._replace(removal=left))
        # Store files are written before source files are deleted. If only deletions are left, a run was interrupted.
        if not decision.plan.actions or not all(isinstance(each, Remove) for each in decision.plan.actions):
            raise
    hint = "an interrupted run has already removed it"
    gone = (each._replace(hint=hint) for each in unmatched.values())
    return decision._replace(warnings=(*decision.warnings, *gone))
