"""``image`` on a folder: a copy of it that is changed, and put in place when it is whole."""

from __future__ import annotations

import os
import stat

from rootfs_trust.api.decide import Job
from rootfs_trust.api.install import install_job
from rootfs_trust.errors import ApplyError, Trouble
from rootfs_trust.image.destination import Destination
from rootfs_trust.image.streams import PIECE
from rootfs_trust.outcome import ImageOutcome, OneImage


def image_folder(source: str, dest: Destination, job: Job) -> ImageOutcome:
    """Copy the root filesystem ``source`` to ``dest``, and install into the copy. Raises as :func:`install`."""
    if job.options.dry_run:
        outcome = install_job(source, job)
    else:
        with dest.staged_folder() as staged:
            _Copy(source, staged).run()
            outcome = install_job(staged, job)
            if dest.durable:
                # One call for all the copies: one for each takes minutes.
                os.sync()
    return ImageOutcome(None, (OneImage("", None, outcome.changed, outcome),))


class _Copy:
    """A copy of a tree with owners, modes, times, extended attributes and hard links; links are never followed."""

    def __init__(self, source: str, dest: str) -> None:
        self._source = os.fsencode(source)
        self._dest = os.fsencode(dest)
        self._several: dict[tuple[int, int], bytes] = {}
        """Where a file with several names was copied to, by device and inode."""

    def run(self) -> None:
        self._folder(self._source, self._dest)

    def _folder(self, source: bytes, dest: bytes) -> None:
        for name in sorted(os.listdir(source)):
            self._entry(os.path.join(source, name), os.path.join(dest, name))
        self._attributes(source, dest, os.lstat(source))

    def _entry(self, source: bytes, dest: bytes) -> None:
        status = os.lstat(source)
        inode = status.st_dev, status.st_ino
        if inode in self._several:
            os.link(self._several[inode], dest, follow_symlinks=False)
            return
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            self._several[inode] = dest
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(dest, 0o700)
            self._folder(source, dest)
            return
        self._node(source, dest, status)
        self._attributes(source, dest, status)

    @staticmethod
    def _node(source: bytes, dest: bytes, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            _copy_file(source, dest)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(source), dest)
        else:
            os.mknod(dest, status.st_mode, status.st_rdev)

    @staticmethod
    def _attributes(source: bytes, dest: bytes, status: os.stat_result) -> None:
        new = os.lstat(dest)
        if (new.st_uid, new.st_gid) != (status.st_uid, status.st_gid):
            _give(dest, status)
        for name in os.listxattr(source, follow_symlinks=False):
            os.setxattr(dest, name, os.getxattr(source, name, follow_symlinks=False), follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(dest, stat.S_IMODE(status.st_mode))
        os.utime(dest, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def _give(dest: bytes, status: os.stat_result) -> None:
    try:
        os.lchown(dest, status.st_uid, status.st_gid)
    except PermissionError as error:
        path = os.fsdecode(dest)
        message = f"cannot be given to {status.st_uid}:{status.st_gid}: {error.strerror}"
        hint = "only root keeps owners in a copy; give a tar file of the tree, which needs no rights"
        raise ApplyError(Trouble("apply", path, message, hint)) from error


def _copy_file(source: bytes, dest: bytes) -> None:
    with open(source, "rb", buffering=0) as old, open(dest, "xb", buffering=0) as new:
        while piece := old.read(PIECE):
            new.write(piece)
