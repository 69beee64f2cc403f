"""What the kernel itself resolves inside a root: openat2(2) with RESOLVE_IN_ROOT, by its number."""

from __future__ import annotations

import ctypes
import errno
import os

_OPENAT2 = 437
"""On every architecture but alpha."""
_RESOLVE_IN_ROOT = 0x10
_libc = ctypes.CDLL(None, use_errno=True)
_PATH_ONLY = os.O_PATH | os.O_CLOEXEC


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_in_root(root: int, path: bytes, *, follow: bool = True, flags: int = _PATH_ONLY) -> int:
    """A descriptor of what is at ``path`` of the directory ``root``; raises OSError as the kernel has it."""
    how = _How(flags | (0 if follow else os.O_NOFOLLOW), 0, _RESOLVE_IN_ROOT)
    while (fd := _libc.syscall(_OPENAT2, root, path, ctypes.byref(how), ctypes.sizeof(how))) < 0:
        number = ctypes.get_errno()
        # A rename or mount anywhere on the machine makes it unsure of a "..": it is to be asked again.
        if number != errno.EAGAIN:
            raise OSError(number, os.strerror(number), path)
    return int(fd)


def real_path(root: int, path: bytes) -> bytes | None:
    """Where ``path`` ends, seen from the root; None where nothing is there."""
    try:
        fd = open_in_root(root, path)
    except OSError:
        return None
    try:
        inside, outside = os.readlink(b"/proc/self/fd/%d" % fd), os.readlink(b"/proc/self/fd/%d" % root)
    finally:
        os.close(fd)
    return inside.removeprefix(outside) or b"/"


def identity(root: int, path: bytes, *, follow: bool = True) -> tuple[int, int, int] | None:
    """Device, inode and mode of what is at ``path``, or None."""
    try:
        fd = open_in_root(root, path, follow=follow)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
    finally:
        os.close(fd)
    return status.st_dev, status.st_ino, status.st_mode
