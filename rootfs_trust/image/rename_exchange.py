"""Renames that Python does not offer: exchange two names atomically, and rename without replacing anything."""

from __future__ import annotations

import errno
import os

_AT_FDCWD, _RENAME_NOREPLACE, _RENAME_EXCHANGE = -100, 1, 2
"""Constants from linux/fcntl.h and linux/fs.h."""


def exchange(one: str, other: str) -> bool:
    """Exchange two names: renameat2(2) with RENAME_EXCHANGE. Returns False if the system does not support it."""
    return _renameat2(one, other, _RENAME_EXCHANGE)


def rename_to_free_name(old: str, new: str) -> None:
    """Rename without replacing ``new``, even if it was created a moment ago. Raises FileExistsError."""
    if not _renameat2(old, new, _RENAME_NOREPLACE):
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
        os.rename(old, new)


def _renameat2(old: str, new: str, flags: int) -> bool:
    """Return False if the system or the file system does not support the rename."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number), new)
