"""What is asked of an entry by the descriptor of its folder, no link followed: kind, content, attributes, mounts."""

from __future__ import annotations

import errno
import os
import stat

from rootfs_trust.rootfs.nodes import Directory, File, Node, Special, Symlink
from rootfs_trust.rootfs.walk import close

_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


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


def read_file(folder: int, name: bytes, most: int) -> tuple[os.stat_result, bytes | None]:
    """The status of the file ``name`` in ``folder``, and its content, up to a byte more than ``most``.

    None for what is no regular file when it has been opened, whatever it was before.
    """
    fd = os.open(name, _READ_FILE, dir_fd=folder)
    try:
        status = os.fstat(fd)
        return status, _content(fd, status.st_size, most) if stat.S_ISREG(status.st_mode) else None
    finally:
        close(fd)


def _content(fd: int, size: int, most: int) -> bytes:
    # Just the size, when one byte more was asked for, is the whole; more or less (a short read) is not.
    parts = [os.read(fd, min(size, most) + 1)]
    while parts[-1] and len(parts[0]) != size and sum(map(len, parts)) <= most:
        parts.append(os.read(fd, 1 << 20))
    return b"".join(parts)
