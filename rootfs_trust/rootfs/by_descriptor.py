"""What is asked of an entry by the descriptor of its folder, never following a link: kind, attributes, mounts."""

from __future__ import annotations

import errno
import os

from rootfs_trust.rootfs.nodes import Directory, File, Node, Special, Symlink
from rootfs_trust.rootfs.walk import close


def kind_of(entry: os.DirEntry[str]) -> type[Node]:
    """What a listing tells of an entry; few file systems need a look at the entry itself for it."""
    if entry.is_symlink():
        return Symlink
    if entry.is_dir(follow_symlinks=False):
        return Directory
    return File if entry.is_file(follow_symlinks=False) else Special


def mount_of(folder: int, name: bytes) -> bytes | None:
    """The number of the mount that ``name`` in ``folder`` is on (proc_pid_fdinfo(5)); unlike st_dev it tells binds."""
    fd = os.open(name or b".", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
            return next((line for line in file if line.startswith(b"mnt_id:")), None)
    finally:
        close(fd)


def path_by_descriptor(folder: int, name: bytes) -> bytes:
    """A path for calls that take no descriptor: the magic link leads to the folder that is open already."""
    return b"/proc/self/fd/%d/%s" % (folder, name)


def read_extended_attributes(folder: int, name: bytes) -> dict[str, bytes]:
    """Extended attributes of ``name`` in the folder ``folder`` (a descriptor), never following a link."""
    path = path_by_descriptor(folder, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {key: os.getxattr(path, key, follow_symlinks=False) for key in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOENT, errno.ENODATA):
            return {}
        raise
