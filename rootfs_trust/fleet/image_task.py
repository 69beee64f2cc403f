"""One image of a fleet: read it, and write the new image to its destination. The API syncs it."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator
from hashlib import sha256

from rootfs_trust.api.image import SharedLayers, image_job
from rootfs_trust.fleet.change_detection import state_of
from rootfs_trust.fleet.messages import CHANGED, SKIPPED, UNCHANGED, JournalEntry, TargetResult, Task
from rootfs_trust.fleet.policies import load_job
from rootfs_trust.image.destination import Destination
from rootfs_trust.rootfs.open_path import Descent


class ImageWork:
    """The task, with the same steps as :class:`~rootfs_trust.fleet.root_task.RootWork`. ``stage`` does everything."""

    writes = False
    """The caller need not sync anything."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.result: TargetResult | None = None

    def close(self) -> None:
        """Do nothing: no lock or file is open."""

    def stage(self) -> None:
        """Write the new image. Raises InputError, ConflictError or ApplyError."""
        task, order = self.task, self.task.order
        dest = task.dest or ""
        if task.done is not None and _stamp(task.path, dest) == task.done.input:
            self.result = TargetResult(task.name, SKIPPED, task.done.digest)
            return
        if not order.dry_run:
            os.makedirs(os.path.dirname(dest), exist_ok=True)
        # What an earlier run wrote here, and nobody touched since, is ours to replace.
        destination = Destination(dest, overwrite=bool(task.own) and _stamp(dest) == task.own)
        outcome = image_job(task.path, destination, load_job(order), shared=_shared(order.policy))
        status = CHANGED if outcome.changed else UNCHANGED
        if order.dry_run:
            self.result = TargetResult(task.name, status, "")
        else:
            done = JournalEntry(order.policy, _stamp(task.path, dest), (), outcome.digest or "", _stamp(dest))
            self.result = TargetResult(task.name, status, done.digest, None, done)

    def publish(self) -> None:
        """Do nothing: :meth:`stage` has written the image."""


@functools.cache
def _shared(_policy: str) -> SharedLayers:
    """Return the layers that this process has made for a policy, to use them for other images on the same base."""
    return SharedLayers()


def _stamp(*paths: str) -> str:
    """Return a digest of the metadata of host files and directories, and of everything in them."""
    digest = sha256(usedforsecurity=False)
    for path in paths:
        for name, state in _states(path):
            digest.update(repr((name, state)).encode())
    return digest.hexdigest()


def _states(path: str) -> Iterator[tuple[object, object]]:
    """Yield the metadata of everything at ``path``, with the depth and name of each entry; outer directories first."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        yield path, None
        return
    yield path, state_of(status)
    if not stat.S_ISDIR(status.st_mode):
        return
    way = Descent(path, follow=True)
    try:
        left = [way.names()[::-1]]
        blobs = False
        while left:
            if not left[-1]:
                left.pop()
                if left:
                    way.up()
                continue
            name = left[-1].pop()
            status, depth = os.stat(name, dir_fd=way.fd, follow_symlinks=False), len(left)
            blobs = name == b"blobs" if depth == 1 else blobs
            state = state_of(status)
            is_folder = stat.S_ISDIR(status.st_mode)
            # Blobs are shared by hard links, and each further link to one sets its change time.
            yield (depth, name), state[:-1] if blobs and not is_folder else state
            if is_folder:
                way.down(name)
                left.append(way.names()[::-1])
    finally:
        way.close()
