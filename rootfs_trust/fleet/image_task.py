"""One image of a fleet: read it, and write the new image to its destination. The API syncs it."""

from __future__ import annotations

import functools
import os

from rootfs_trust.api.image import SharedLayers, image_job
from rootfs_trust.api.open_tree import host_path
from rootfs_trust.fleet.image_stamp import image_stamp
from rootfs_trust.fleet.messages import CHANGED, SKIPPED, UNCHANGED, JournalEntry, TargetResult, Task
from rootfs_trust.fleet.policies import load_job
from rootfs_trust.image.destination import Destination


class ImageWork:
    """The task of one image, with the same steps as :class:`~rootfs_trust.fleet.root_task.RootWork`. :meth:`stage` does
    all the work.
    """

    writes = False
    """Whether the caller must sync after the steps."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.result: TargetResult | None = None

    def close(self) -> None:
        """Do nothing: no lock or file is open."""

    def stage(self) -> None:
        """Write the new image. Raises InputError, ConflictError or ApplyError."""
        task, order = self.task, self.task.order
        dest = task.dest or ""
        source = host_path(task.path)
        if task.done is not None and image_stamp(source, dest) == task.done.input:
            self.result = TargetResult(task.name, SKIPPED, task.done.digest)
            return
        if not order.dry_run:
            os.makedirs(os.path.dirname(dest), exist_ok=True)
        # Overwrite the result of an earlier run if nobody has changed it since.
        destination = Destination(dest, overwrite=bool(task.own) and image_stamp(dest) == task.own)
        outcome = image_job(task.path, destination, load_job(order), shared=_shared(order.policy))
        status = CHANGED if outcome.changed else UNCHANGED
        if order.dry_run:
            self.result = TargetResult(task.name, status, "")
        else:
            done = JournalEntry(order.policy, image_stamp(source, dest), (), outcome.digest or "", image_stamp(dest))
            self.result = TargetResult(task.name, status, done.digest, None, done)

    def publish(self) -> None:
        """Do nothing: :meth:`stage` has written the image."""


@functools.cache
def _shared(_policy: str) -> SharedLayers:
    """Return the layers that this process has made for a policy, to use them for other images on the same base."""
    return SharedLayers()
