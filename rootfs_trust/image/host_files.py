"""Image files on the host."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from rootfs_trust.errors import IMAGE, UNREADABLE, InputError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.image.streams import PIECE, Blob, of_file, section, unpacked
from rootfs_trust.rootfs.open_path import close
from rootfs_trust.rootfs.view import File

_START = 2048
"""Number of decompressed bytes that are read to recognize the format of a file."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def read_file(path: str, offset: int = 0) -> Iterator[bytes]:
    """Yield a regular file of the host from ``offset`` on. Raises InputError."""
    try:
        fd = os.open(path, _OPEN)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InputError(IMAGE(path, "is not a regular file", "pass an archive or a directory"))
            with open(fd, "rb", buffering=0, closefd=False) as file:
                file.seek(offset)
                yield from of_file(file)
        finally:
            close(fd)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: OSError) -> InputError:
    """Return the error for a file of the host that cannot be read."""
    return InputError(UNREADABLE(path, f"cannot be read: {error.strerror}"))


class DirectoryFiles:
    """The files in a directory, by relative path. Implements :class:`~rootfs_trust.image.model.ImageFiles`.

    Other users may write to the directory. Each file is therefore opened from the descriptor of its directory, without
    following links, so that no link leads outside, even one that appears during the run. A link is refused, because no
    tool writes links into image layouts.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, _OPEN | os.O_DIRECTORY)
        except OSError as error:
            raise unreadable(path, error) from error
        weakref.finalize(self, os.close, self._fd)

    def blob(self, name: str) -> Blob | None:
        """Implements :meth:`ImageFiles.blob`."""
        try:
            with self._open(name) as fd:
                status = os.fstat(fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(name, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise self._no_file(name)
        size = status.st_size
        return Blob(lambda offset: self._read(name, offset, size), size, link=lambda path: self._link(name, path))

    def _read(self, name: str, offset: int, size: int) -> Iterator[bytes]:
        """Yield the file from ``offset`` on, at most ``size`` bytes, as it may be growing."""
        try:
            with self._open(name) as fd:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    raise self._no_file(name)
                while offset < size and (piece := os.pread(fd, min(PIECE, size - offset), offset)):
                    offset += len(piece)
                    yield piece
        except OSError as error:
            raise self._unreadable(name, error) from error

    def _link(self, name: str, path: str) -> None:
        with self._parent(name) as (folder, leaf):
            os.link(leaf, path, src_dir_fd=folder, follow_symlinks=False)

    @contextmanager
    def _open(self, name: str) -> Iterator[int]:
        with self._parent(name) as (folder, leaf):
            fd = os.open(leaf, _OPEN | os.O_NOFOLLOW, dir_fd=folder)
        try:
            yield fd
        finally:
            close(fd)

    @contextmanager
    def _parent(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield the descriptor of the directory that contains ``name``, and the file name in it."""
        *folders, leaf = name.split("/")
        fd = os.dup(self._fd)
        try:
            for each in folders:
                fd, old = os.open(each, _OPEN | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd), fd
                close(old)
            yield fd, leaf
        finally:
            close(fd)

    def _unreadable(self, name: str, error: OSError) -> InputError:
        path = os.path.join(self.path, name)
        # ENOTDIR: O_DIRECTORY and O_NOFOLLOW on a link to a directory, open(2).
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            message = "is or passes through a symbolic link or a file; images have only directories and files"
            return InputError(IMAGE(path, message, "copy the image and follow its links: cp -rL"))
        return unreadable(path, error)

    def _no_file(self, name: str) -> InputError:
        path = os.path.join(self.path, name)
        return broken(path, "is not a regular file")


class ArchiveFiles:
    """The files in a tar archive, by path. Implements :class:`~rootfs_trust.image.model.ImageFiles`.

    They are not extracted. A compressed archive is decompressed up to the file each time.
    """

    def __init__(self, path: str, kind: str, tree: ImageTree) -> None:
        self.path = path
        self._kind = kind
        self._tree = tree

    def blob(self, name: str) -> Blob | None:
        """Implements :meth:`ImageFiles.blob`."""
        entry = self._tree.entry(name)
        if entry is None:
            return None
        if entry.kind is not File or entry.size is None:
            raise broken(f"{self.path}:{name}", "is not a regular file")
        start, size = entry.offset, entry.size
        return Blob(lambda offset: section(*self._from(start + offset), size - offset), size)

    def _from(self, offset: int) -> tuple[Iterator[bytes], int]:
        """Return a stream, and the position in it of the byte at ``offset``."""
        if self._kind:
            return unpacked(read_file(self.path))[1], offset
        return read_file(self.path, offset), 0


def archive_layer(path: str) -> tuple[str, Layer]:
    """Return the compression of the archive at ``path``, and its entries. Raises InputError."""
    try:
        kind, _ = unpacked(read_file(path))
    except MalformedError as error:
        raise broken(path, error.message) from error
    return kind, Layer(path, lambda: unpacked(read_file(path))[1])


def digest_of_file(path: str) -> str:
    """Return ``sha256:HEX`` of a file. Raises InputError."""
    state = hashlib.sha256(usedforsecurity=False)
    for piece in read_file(path):
        state.update(piece)
    return f"sha256:{state.hexdigest()}"


def first_bytes(path: str) -> tuple[str, bytes]:
    """Return the compression of the file at ``path``, and its first decompressed bytes, one piece at most.

    Raises InputError.
    """
    stream = read_file(path)
    try:
        kind, inner = unpacked(stream)
        start = b""
        while len(start) < _START and (piece := next(inner, b"")):
            start += piece
        return kind, start
    except MalformedError as error:
        raise broken(path, error.message) from error
