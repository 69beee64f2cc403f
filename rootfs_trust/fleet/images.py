"""One image of a fleet: read, and written whole to its new place, which the API itself syncs."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator
from hashlib import sha256

from rootfs_trust.api.image import SharedLayers, image_job
from rootfs_trust.fleet.jobs import CHANGED, SKIPPED, UNCHANGED, Done, Result, Task
from rootfs_trust.fleet.policies import ordered
from rootfs_trust.image.destination import Destination
from rootfs_trust.rootfs.stamps import state_of


class ImageWork:
    """The task in the steps of :class:`~rootfs_trust.fleet.roots.RootWork`; all of it is done in the first."""

    writes = False
    """Nothing is left for the caller to sync."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.result: Result | None = None

    def close(self) -> None:
        """Nothing is held."""

    def stage(self) -> None:
        """Write the new image. Raises InputError, ConflictError or ApplyError."""
        task, order = self.task, self.task.order
        dest = task.dest or ""
        if task.done is not None and _stamp(task.path, dest) == task.done.input:
            self.result = Result(task.name, SKIPPED, task.done.digest)
            return
        if not order.dry_run:
            os.makedirs(os.path.dirname(dest), exist_ok=True)
        # What an earlier run wrote here, and nobody touched since, is ours to replace.
        destination = Destination(dest, overwrite=bool(task.own) and _stamp(dest) == task.own)
        outcome = image_job(task.path, destination, ordered(order), shared=_shared(order.policy))
        status = CHANGED if outcome.changed else UNCHANGED
        if order.dry_run:
            self.result = Result(task.name, status, "")
        else:
            done = Done(order.policy, _stamp(task.path, dest), (), outcome.digest or "", _stamp(dest))
            self.result = Result(task.name, status, done.digest, None, done)

    def publish(self) -> None:
        """Nothing is left to do."""


@functools.cache
def _shared(_policy: str) -> SharedLayers:
    """The layers that this process made for a policy, for further images on the same base."""
    return SharedLayers()


def _stamp(*paths: str) -> str:
    """The state of files and folders of the host, with all that is in them, contents apart."""
    digest = sha256(usedforsecurity=False)
    for path in paths:
        for name, state in _states(path):
            digest.update(repr((name, state)).encode())
    return digest.hexdigest()


def _states(path: str) -> Iterator[tuple[str, object]]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        yield path, None
        return
    yield path, state_of(status)
    if not stat.S_ISDIR(status.st_mode):
        return
    for folder, folders, files in os.walk(path, onerror=_raise):
        folders.sort()
        for name in sorted([*folders, *files]):
            entry = os.path.join(folder, name)
            state = state_of(os.lstat(entry))
            # Blobs are shared by hard links, and each further link to one sets its change time.
            yield entry, state if name in folders or not _is_blob(entry, path) else state[:-1]


def _is_blob(entry: str, image: str) -> bool:
    return os.path.relpath(entry, image).startswith("blobs/")


def _raise(error: OSError) -> None:
    """What cannot be listed has no state: os.walk would pass over it."""
    raise error
