"""Two names exchanged in one step, which Python has no call for."""

from __future__ import annotations

import errno
import os

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
"""linux/fcntl.h, linux/fs.h"""


def exchange(one: str, other: str) -> bool:
    """Exchange two names: renameat2(2) with RENAME_EXCHANGE. False where the system has no such thing."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number), other)
