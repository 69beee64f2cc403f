"""Check before the first write whether a plan can be written. The check leaves no files.

It uses access(2), the attributes of files and directories (ioctl_iflags(2)), the type of the file system, and whether
an unnamed file (``O_TMPFILE`` of open(2)) can be created, and can get the owner of the file to replace. If a file
system does not support these, the error occurs while writing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from functools import lru_cache

from rootfs_trust.errors import CONFLICT, Problem
from rootfs_trust.rootfs.open_path import close
from rootfs_trust.rootfs.plan import Action, Link, Plan, Put, Remove
from rootfs_trust.rootfs.root_directory import RootDirectory
from rootfs_trust.rootfs.view import Directory, File, parent

_ASK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
"""FS_IOC_GETFLAGS of linux/fs.h on most architectures; on others the call fails, and the flags are unknown."""
_FIXED = {0x10: "immutable (chattr +i)", 0x20: "append-only (chattr +a)"}
"""The attributes that prevent changes: FS_IMMUTABLE_FL and FS_APPEND_FL."""

_REFUSED = (errno.EPERM, errno.EINVAL)
"""EINVAL: the user namespace has no mapping for this owner (user_namespaces(7))."""

_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""The kernel checks permissions before it finds out whether the file system supports unnamed files."""

_OF_THE_KERNEL = (
    *("binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs", "fusectl", "mqueue"),
    *("proc", "pstore", "securityfs", "selinuxfs", "sysfs", "tracefs"),
)
"""File systems of the kernel, in which no file can be created."""


def unwritable(root: RootDirectory, plan: Plan) -> Iterator[Problem]:
    """Return a conflict for each directory or file of ``plan`` that cannot be written or replaced."""
    folders = dict.fromkeys(_existing_parent(root, parent(action.path)) for action in plan.actions)
    reasons = {folder: _reason(root, folder) for folder in folders}
    for folder, reason in reasons.items():
        if reason:
            yield _conflict(folder, reason)
    for action in plan.actions:
        if not reasons[_existing_parent(root, parent(action.path))] and _replaces(action):
            yield from _immutable_file(root, action)
            yield from _owner_not_kept(root, action)


def _existing_parent(root: RootDirectory, folder: str) -> str:
    while folder != "/" and root.kind(folder) is not Directory:
        folder = parent(folder)
    return folder


def _replaces(action: Action) -> bool:
    return isinstance(action, Remove) or (isinstance(action, Put | Link) and action.replaces)


# -- directories -------------------------------------------------------------------------------------------


def _reason(root: RootDirectory, folder: str) -> str:
    """Return the reason why the directory cannot be written, or an empty string if no reason is known."""
    fd = root.open_directory(folder)
    if fd is None:
        return ""
    with contextlib.suppress(OSError):
        if os.statvfs(fd).f_flag & os.ST_RDONLY:
            return "is on a read-only file system"
        if (type_ := _type_of(os.fstat(fd).st_dev)) in _OF_THE_KERNEL:
            return f"is on a kernel file system ({type_})"
        if flag := _flag(fd, b"."):
            return f"is {flag}"
    return "is not writable for this user" if _is_denied(fd) else ""


def _is_denied(folder: int) -> bool:
    """Return whether the user may create no file in the directory.

    ``os.access`` is false after any error, for example of the disk. Opening an unnamed file returns the reason.
    """
    # Use the flag only if needed: fakeroot and similar programs support it badly.
    effective = {"effective_ids": True} if os.getuid() != os.geteuid() else {}
    if os.access(".", os.W_OK | os.X_OK, dir_fd=folder, **effective):
        return False
    try:
        close(_unnamed_file(folder))
    except OSError as error:
        return error.errno in _DENIED
    return False


@lru_cache(maxsize=64)
def _type_of(device: int) -> str:
    """Return the type of the mounted file system with this number (proc_pid_mountinfo(5)), or an empty string."""
    number = f"{os.major(device)}:{os.minor(device)}".encode()
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ""
    return next((line[line.index(b"-") + 1].decode() for line in lines if line[2] == number and b"-" in line), "")


def _flag(folder: int, name: bytes) -> str:
    """Return the attribute that makes the file or directory unchangeable, or an empty string."""
    with contextlib.suppress(OSError):
        fd = os.open(name, _ASK, dir_fd=folder)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(fd, _GET_FLAGS, bytes(struct.calcsize("l"))))
        finally:
            close(fd)
        return next((what for bit, what in _FIXED.items() if flags & bit), "")
    return ""


# -- files -------------------------------------------------------------------------------------------------


def _immutable_file(root: RootDirectory, action: Action) -> Iterator[Problem]:
    place = root.place(action.path)
    if place is not None and root.kind(action.path, follow=False) is File and (flag := _flag(*place)):
        yield _conflict(action.path, f"is {flag}")


def _owner_not_kept(root: RootDirectory, action: Action) -> Iterator[Problem]:
    """Return a conflict if the user cannot keep the owner of a replaced file or link."""
    place = root.place(action.path)
    if place is None or isinstance(action, Remove):
        return
    with contextlib.suppress(OSError):
        old = os.stat(place[1], dir_fd=place[0], follow_symlinks=False)
        if not _may_give(place[0], old.st_uid, old.st_gid):
            message = f"belongs to {old.st_uid}:{old.st_gid}, but this user may not give its replacement that owner"
            yield _conflict(action.path, message)


def _may_give(folder: int, uid: int, gid: int) -> bool:
    """Return whether a new file in the directory can get the owner. Raises OSError if that cannot be tested."""
    if (uid, gid) == (os.geteuid(), os.getegid()):
        return True
    fd = _unnamed_file(folder)
    try:
        new = os.fstat(fd)
        if (uid, gid) != (new.st_uid, new.st_gid):
            os.fchown(fd, uid, gid)
    except OSError as error:
        return error.errno not in _REFUSED
    finally:
        close(fd)
    return True


def _unnamed_file(folder: int) -> int:
    return os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=folder)


def _conflict(path: str, reason: str) -> Problem:
    hint = "run as a user who can write there, or use a copy: rootfs-trust image DIR DEST"
    return CONFLICT(path, f"{reason}: nothing can be written there", hint)
