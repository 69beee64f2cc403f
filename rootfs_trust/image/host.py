"""Image files on the host, read where they are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from rootfs_trust.errors import InputError, MalformedError, Trouble
from rootfs_trust.image.streams import Blob, of_file, section, unpacked
from rootfs_trust.image.tree import Layer, Tree
from rootfs_trust.rootfs.nodes import File
from rootfs_trust.rootfs.walk import close

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def read_file(path: str, offset: int = 0) -> Iterator[bytes]:
    """A regular file of the host from ``offset`` on. Raises InputError."""
    try:
        fd = os.open(path, _OPEN)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InputError(Trouble("image", path, "is no regular file", "give an archive, or a folder"))
            with open(fd, "rb", buffering=0, closefd=False) as file:
                file.seek(offset)
                yield from of_file(file)
        finally:
            close(fd)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: OSError) -> InputError:
    """A file of the host that cannot be read."""
    hint = "check the path and its permissions"
    return InputError(Trouble("unreadable", path, f"cannot be read: {error.strerror}", hint))


class FolderFiles:
    """The files in a folder, by their paths in it. Implements :class:`~rootfs_trust.image.model.Files`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def blob(self, name: str) -> Blob | None:
        """See :class:`Files`."""
        path = os.path.join(self.path, name)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(Trouble("image", path, "is no regular file", "get or build the image anew"))
        return Blob(lambda offset: read_file(path, offset), status.st_size, host_path=path)


class ArchiveFiles:
    """The files in a tar archive, by their paths in it. Implements :class:`~rootfs_trust.image.model.Files`.

    They are read where they are; if the archive is packed, it is unpacked up to there each time.
    """

    def __init__(self, path: str, kind: str, tree: Tree) -> None:
        self.path = path
        self._kind = kind
        self._tree = tree

    def blob(self, name: str) -> Blob | None:
        """See :class:`Files`."""
        entry = self._tree.entry(name)
        if entry is None:
            return None
        if entry.kind is not File or entry.size is None:
            raise InputError(Trouble("image", f"{self.path}:{name}", "is no regular file", "get the image anew"))
        start, size = entry.offset, entry.size
        return Blob(lambda offset: section(*self._from(start + offset), size - offset), size)

    def _from(self, offset: int) -> tuple[Iterator[bytes], int]:
        """A stream, and where in it the bytes from ``offset`` on begin."""
        if self._kind:
            return unpacked(read_file(self.path))[1], offset
        return read_file(self.path, offset), 0


def archive_layer(path: str) -> tuple[str, Layer]:
    """How the archive at ``path`` is packed, and its stream of entries. Raises InputError."""
    try:
        kind, _ = unpacked(read_file(path))
    except MalformedError as error:
        raise InputError(Trouble("image", path, error.message, "get or build it anew")) from error
    return kind, Layer(path, lambda: unpacked(read_file(path))[1])
