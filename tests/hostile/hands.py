"""Builds entries below a directory through descriptors, so that a link that was made is never followed."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Path = str | bytes


class Hands:
    """The directory ``path``, which is made. Every method replaces what has the name, and returns whether it could.

    It cannot where a link, or a file, is on the way: that is somebody else's place.
    """

    def __init__(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)
        self.path = path
        self._fd = os.open(path, _DIRECTORY)

    def close(self) -> None:
        os.close(self._fd)

    def directory(self, path: Path, mode: int = 0o755) -> bool:
        fd = self._open(_parts(path))
        if fd is None:
            return False
        os.fchmod(fd, mode)
        os.close(fd)
        return True

    def file(self, path: Path, content: bytes = b"", mode: int = 0o644, size: int | None = None) -> bool:
        """``size``: a sparse file of so many bytes."""

        def make(folder: int, name: bytes) -> None:
            fd = os.open(name, _NEW, 0o600, dir_fd=folder)
            try:
                with open(fd, "wb", closefd=False) as file:
                    file.write(content)
                if size is not None:
                    os.truncate(fd, size)
                os.fchmod(fd, mode)
            finally:
                os.close(fd)

        return self._place(path, make)

    def link(self, path: Path, text: Path) -> bool:
        return self._place(path, lambda folder, name: os.symlink(os.fsencode(text) or b".", name, dir_fd=folder))

    def hard_link(self, path: Path, other: str) -> bool:
        """Another name of the file ``other``, which may be anywhere on the same file system."""
        return self._place(
            path, lambda folder, name: os.link(os.fsencode(other), name, dst_dir_fd=folder, follow_symlinks=False)
        )

    def node(self, path: Path, kind: int, device: tuple[int, int] = (0, 0)) -> bool:
        """A FIFO, socket or device; the latter where the caller may make it."""
        with suppress(PermissionError):
            return self._place(
                path, lambda folder, name: os.mknod(name, kind | 0o666, os.makedev(*device), dir_fd=folder)
            )
        return False

    def attribute(self, path: Path, name: str, value: bytes) -> bool:
        """An extended attribute of a file or directory that is there."""
        return self._open_and(path, lambda fd: os.setxattr(fd, name, value))

    def read(self, path: Path) -> bytes | None:
        """The content of a regular file, None where there is none."""
        found: list[bytes] = []

        def read(fd: int) -> None:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                with open(fd, "rb", closefd=False) as file:
                    found.append(file.read(1 << 20))

        self._open_and(path, read)
        return found[0] if found else None

    def remove(self, path: Path) -> bool:
        return self._place(path, lambda folder, name: None)

    def _open_and(self, path: Path, use) -> bool:
        *folders, name = _parts(path)
        folder = self._open(folders)
        if folder is None:
            return False
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                use(fd)
            finally:
                os.close(fd)
        except OSError:
            return False
        finally:
            os.close(folder)
        return True

    def _place(self, path: Path, make) -> bool:
        *folders, name = _parts(path)
        folder = self._open(folders)
        if folder is None:
            return False
        try:
            _free(folder, name)
            make(folder, name)
        finally:
            os.close(folder)
        return True

    def _open(self, folders: list[bytes]) -> int | None:
        """A descriptor of the directory, made where it is missing."""
        fd = os.dup(self._fd)
        for name in folders:
            try:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=fd)
                inner = os.open(name, _DIRECTORY, dir_fd=fd)
            except OSError:
                os.close(fd)
                return None
            os.close(fd)
            fd = inner
        return fd


def _parts(path: Path) -> list[bytes]:
    parts = [part for part in os.fsencode(path).split(b"/") if part]
    if b".." in parts:
        raise ValueError(f"{path!r} leads up")
    return parts


def _free(folder: int, name: bytes) -> None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def snapshot(path: str, *, contents_only: bool = False) -> dict[bytes, tuple[object, ...]]:
    """Every entry below ``path``, no link followed: mode, owner, time, and content or link text.

    ``contents_only`` leaves out owners and times.
    """
    found: dict[bytes, tuple[object, ...]] = {}
    pending = [b""]
    base = os.fsencode(path)
    while pending:
        inner = pending.pop()
        try:
            entries = list(os.scandir(base + b"/" + inner))
        except OSError:
            continue  # too deep for one call, or gone
        for entry in entries:
            name = inner + b"/" + entry.name if inner else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                pending.append(name)
            about = () if contents_only else (status.st_uid, status.st_gid, status.st_mtime_ns)
            found[name] = (status.st_mode, *about, _content(entry.path, status))
    return found


def _content(path: bytes, status: os.stat_result) -> object:
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(status.st_mode):
        return status.st_rdev
    if status.st_blocks * 512 < status.st_size or status.st_size > 1 << 24:
        return status.st_size, status.st_ino
    with open(path, "rb", opener=lambda name, _: os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME)) as file:
        return hashlib.sha256(file.read()).digest()
