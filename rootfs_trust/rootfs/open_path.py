"""Walk through a tree with descriptors: resolve a path below the root, and go up and down its directories."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from rootfs_trust.rootfs.resolve import MAX_LINKS, steps
from rootfs_trust.rootfs.view import as_bytes, as_text

_PATH_ONLY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def close(fd: int) -> None:
    """Close a descriptor that was only read from, ignoring errors."""
    with contextlib.suppress(OSError):
        os.close(fd)


class Walk:
    """One path resolution: the directories so far, the root first, each with its descriptor."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stack: list[tuple[str, int]] = []
        self._links = 0

    @property
    def here(self) -> int:
        """The descriptor of the current directory, which is closed with the walk."""
        return self._stack[-1][1] if self._stack else self._root

    def to(self, path: str) -> str:
        """Walk to ``path``, following every link, and return its real path. Raises OSError as the kernel would."""
        if "\0" in path:  # a path from a file in the tree may contain NUL, which no system call accepts
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
        """Go back to the root, and close every descriptor except the root's."""
        while self._stack:
            self._up()


class Descent:
    """Moves up and down the directories below ``path``, at any depth, with one open descriptor.

    Each directory is opened from its parent without following a link, and left by ``..``, which must be the same
    parent. Methods raise OSError.
    """

    def __init__(self, path: str | bytes, *, follow: bool = False) -> None:
        self.fd = os.open(path, _DIRECTORY & ~os.O_NOFOLLOW if follow else _DIRECTORY)
        """The descriptor of the current directory."""
        self._above: list[os.stat_result] = []

    def names(self) -> list[bytes]:
        """Return the entries of the current directory, sorted."""
        return sorted(map(os.fsencode, os.listdir(self.fd)))

    def down(self, name: bytes) -> None:
        """Go into the directory ``name``."""
        status = os.fstat(self.fd)
        inner = os.open(name, _DIRECTORY, dir_fd=self.fd)
        self._above.append(status)
        close(self.fd)
        self.fd = inner

    def up(self) -> None:
        """Go to the parent directory. Raises OSError (ESTALE) if the directory was moved during the run."""
        above = os.open("..", _DIRECTORY, dir_fd=self.fd)
        if not os.path.samestat(os.fstat(above), self._above.pop()):
            close(above)
            raise OSError(errno.ESTALE, "a directory was moved while it was read")
        close(self.fd)
        self.fd = above

    def close(self) -> None:
        """Close the descriptor."""
        close(self.fd)
