"""``image`` on a directory: change a copy, and rename it when it is complete."""

from __future__ import annotations

import os

from rootfs_trust.api.apply_plan import nothing_written
from rootfs_trust.api.install import install_job
from rootfs_trust.api.planning import Job
from rootfs_trust.image.destination import Destination
from rootfs_trust.outcome import ImageOutcome, OneImage
from rootfs_trust.rootfs.copy import TreeCopy
from rootfs_trust.rootfs.root_directory import RootDirectory


def image_directory(source: str, dest: Destination, job: Job) -> ImageOutcome:
    """Copy the root filesystem ``source`` to ``dest``, and install into the copy. Raises what ``install`` raises."""
    if job.options.dry_run:
        outcome = install_job(source, job)
    else:
        with dest.staged_directory() as staged:
            with RootDirectory(source) as tree:
                tree.lock_for_reading()
                TreeCopy(source, staged).run()
            with nothing_written(dest.path, staged):
                outcome = install_job(staged, job, source)
            if dest.durable:
                # Sync once for all copied files: one call per file takes minutes.
                os.sync()
    return ImageOutcome(None, (OneImage("", None, outcome.changed, outcome),))
