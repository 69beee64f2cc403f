"""Read the type, content, attributes and mount of an entry by its directory's descriptor, without following links."""

from __future__ import annotations

import errno
import os
import stat

from rootfs_trust.rootfs.open_path import close
from rootfs_trust.rootfs.view import Directory, File, Node, Special, Symlink

_READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def kind_of(entry: os.DirEntry[str]) -> type[Node]:
    """Return the type of a directory entry from the listing; few file systems need a stat(2)."""
    if entry.is_symlink():
        return Symlink
    if entry.is_dir(follow_symlinks=False):
        return Directory
    return File if entry.is_file(follow_symlinks=False) else Special


def mount_of(folder: int, name: bytes) -> bytes | None:
    """Return the mount number of ``name`` in ``folder`` (proc_pid_fdinfo(5)). Unlike st_dev, it shows bind mounts."""
    fd = os.open(name or b".", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        with open(f"/proc/self/fdinfo/{fd}", "rb") as file:
            return next((line for line in file if line.startswith(b"mnt_id:")), None)
    finally:
        close(fd)


def path_by_descriptor(folder: int, name: bytes) -> bytes:
    """Return a path in /proc for system calls that accept no descriptor."""
    return b"/proc/self/fd/%d/%s" % (folder, name)


def read_extended_attributes(folder: int, name: bytes) -> dict[str, bytes]:
    """Return the extended attributes of ``name`` in the directory with the descriptor ``folder``. Follows no link.

    Empty if the file system has none, or if ``name`` does not exist. Without /proc, this works only for entries that
    can be opened. For others it raises OSError, because attributes would be lost silently.
    """
    path = path_by_descriptor(folder, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {key: os.getxattr(path, key, follow_symlinks=False) for key in names}
    except OSError as error:
        if error.errno == errno.ENOENT and not os.path.exists("/proc/self/fd"):
            return _attributes_of_open_file(folder, name)
        if error.errno in (errno.ENOTSUP, errno.ENOENT, errno.ENODATA):
            return {}
        raise


def _attributes_of_open_file(folder: int, name: bytes) -> dict[str, bytes]:
    """Return the extended attributes of an open file or directory."""
    try:
        fd = os.open(name or b".", _READ_FILE, dir_fd=folder)
    except FileNotFoundError:
        return {}
    except OSError as error:
        message = "/proc is not mounted, so extended attributes cannot be read"
        raise OSError(error.errno, message, error.filename) from error
    try:
        return attributes_of_descriptor(fd)
    finally:
        close(fd)


def attributes_of_descriptor(fd: int) -> dict[str, bytes]:
    """Return the extended attributes of an open file or directory; none if the file system has none."""
    try:
        return {key: os.getxattr(fd, key) for key in os.listxattr(fd)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise


def read_file(folder: int, name: bytes, most: int) -> tuple[os.stat_result, bytes | None]:
    """Return the status and the content of the file ``name`` in ``folder``, at most ``most`` + 1 bytes.

    Returns None if it is not a regular file after opening.
    """
    fd = os.open(name, _READ_FILE, dir_fd=folder)
    try:
        status = os.fstat(fd)
        return status, _content(fd, status.st_size, most) if stat.S_ISREG(status.st_mode) else None
    finally:
        close(fd)


def _content(fd: int, size: int, most: int) -> bytes:
    # Ask for one byte more than the size: if exactly that size comes back, the file is complete. Otherwise read on.
    parts = [os.read(fd, min(size, most) + 1)]
    while parts[-1] and len(parts[0]) != size and sum(map(len, parts)) <= most:
        parts.append(os.read(fd, 1 << 20))
    return b"".join(parts)
