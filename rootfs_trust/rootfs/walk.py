"""A path of the device, resolved below the descriptor of the root: the door's way through the tree."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from rootfs_trust.rootfs.nodes import as_bytes, as_text
from rootfs_trust.rootfs.resolve import MAX_LINKS, steps

_PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def close(fd: int) -> None:
    """Close what was only read from or passed through: nothing that a close may still tell is of any use."""
    with contextlib.suppress(OSError):
        os.close(fd)


class Walk:
    """One resolution: the folders passed so far, the root first, each with a descriptor of its own."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stack: list[tuple[str, int]] = []
        self._links = 0

    @property
    def here(self) -> int:
        """Descriptor of the folder that the walk has come to; it is closed with the walk."""
        return self._stack[-1][1] if self._stack else self._root

    def to(self, path: str) -> str:
        """Walk to ``path``, every link followed; return the real path. Raises OSError as the kernel would."""
        if "\0" in path:  # as a list in the tree may name it; no call takes it
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        pending = steps(path)
        while pending:
            name = pending.pop()
            if name == "..":
                self._up()
            if name in (".", ".."):
                continue
            fd = os.open(as_bytes(name), _PATH_ONLY, dir_fd=self.here)
            mode = os.fstat(fd).st_mode
            if stat.S_ISDIR(mode):
                self._stack.append((name, fd))
                continue
            try:
                if not stat.S_ISLNK(mode):
                    return self._end(name, pending)
                pending += self._follow(as_text(os.readlink(b"", dir_fd=fd)))
            finally:
                close(fd)
        return self._path()

    def _end(self, name: str, pending: list[str]) -> str:
        if pending:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        return self._path(name)

    def _follow(self, text: str) -> list[str]:
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if text.startswith("/"):
            self.close()
        return steps(text)

    def _up(self) -> None:
        if self._stack:
            close(self._stack.pop()[1])

    def _path(self, name: str | None = None) -> str:
        return "/" + "/".join([part for part, _ in self._stack] + ([name] if name else []))

    def close(self) -> None:
        """Go back to the root: every descriptor but the root's is closed."""
        while self._stack:
            self._up()
