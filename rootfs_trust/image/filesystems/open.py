"""Opens an image file of the host: a file system, or a disk image with partitions."""

from __future__ import annotations

import os
import stat
import weakref
from dataclasses import dataclass

from rootfs_trust.errors import IMAGE, InputError, MalformedError
from rootfs_trust.image.damage import broken
from rootfs_trust.image.filesystems.partitions import Partition, read_partitions
from rootfs_trust.image.filesystems.recognize import filesystem_in, unreadable_in
from rootfs_trust.image.filesystems.storage import Storage, truncated
from rootfs_trust.image.filesystems.view import FilesystemView
from rootfs_trust.image.host_files import unreadable
from rootfs_trust.rootfs.view import Directory
from rootfs_trust.text import printable

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class ImageFile:
    """A file of the host. Implements :class:`Storage`. Raises InputError if it cannot be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, _OPEN)
            weakref.finalize(self, os.close, self._fd)
            status = os.fstat(self._fd)
        except OSError as error:
            raise unreadable(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError(IMAGE(path, "is not a regular file", "pass an image file or a directory"))
        self.size = status.st_size

    def read(self, offset: int, size: int) -> bytes:
        """Implements :meth:`Storage.read`."""
        if not 0 <= offset <= offset + size <= self.size:
            raise truncated()
        try:
            data = os.pread(self._fd, size, offset)
            while len(data) < size and (more := os.pread(self._fd, size - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise unreadable(self.path, error) from error
        if len(data) != size:
            raise truncated()
        return data


@dataclass(frozen=True, slots=True)
class FilesystemImage:
    """The file system in the image at ``path``, or in one of its partitions. ``place`` is its name in messages."""

    path: str
    place: str
    storage: Storage
    view: FilesystemView
    partition: Partition | None = None

    @property
    def start(self) -> int:
        """The offset of the file system in the file, in bytes."""
        return self.partition.storage.start if self.partition else 0


def split_partition(source: str) -> tuple[str, int | None]:
    """Split ``FILE#N`` into the path and the number. The number is None if ``source`` is an existing path, or does not
    end with ``#N``.
    """
    path, _, number = source.rpartition("#")
    if os.path.lexists(source) or not (path and number.isascii() and number.isdigit() and len(number) <= 4):
        return source, None
    return path, int(number)


def open_filesystem(path: str, number: int | None = None) -> FilesystemImage | None:
    """Open the file system in the image ``path``, in its partition ``number`` if given; None if it is not such an
    image.

    Raises InputError, also for a known format that cannot be read, and DamagedImageError.
    """
    file = ImageFile(path)
    if not file.size:
        raise broken(path, "is empty")
    try:
        partitions = read_partitions(file)
        whole = filesystem_in(file) if number is None else None
    except MalformedError as error:
        raise broken(path, f"is not a well-formed image: it {error.message}") from error
    if whole is not None:
        return FilesystemImage(path, path, file, FilesystemView(path, whole))
    if partitions is not None:
        return _in_partition(file, partitions, number)
    if number is not None:
        raise InputError(IMAGE(path, f"has no partition {number}: it has no partition table"))
    if (other := unreadable_in(file)) is not None:
        raise InputError(IMAGE(path, f"is {other.name}, which cannot be read", other.hint))
    return None


def _in_partition(file: ImageFile, partitions: list[Partition], number: int | None) -> FilesystemImage:
    if number is not None:
        chosen = next((each for each in partitions if each.number == number), None)
        if chosen is None:
            there = ", ".join(str(each.number) for each in partitions) or "none"
            raise InputError(IMAGE(file.path, f"has no partition {number}; partitions: {there}"))
        return _opened(file, chosen)
    return _only_root(file, partitions)


def _opened(file: ImageFile, partition: Partition) -> FilesystemImage:
    """Open the file system in the requested partition."""
    place = f"{file.path}#{partition.number}"
    try:
        found = filesystem_in(partition.storage)
    except MalformedError as error:
        raise broken(place, f"is not a well-formed image: it {error.message}") from error
    if found is None:
        message = f"contains {_content(partition)}, not a file system that can be read"
        other = unreadable_in(partition.storage)
        raise InputError(IMAGE(place, message, other.hint if other else "name another partition"))
    return FilesystemImage(file.path, place, partition.storage, FilesystemView(place, found), partition)


def _only_root(file: ImageFile, partitions: list[Partition]) -> FilesystemImage:
    roots = [each for each in partitions if _holds_root(each)]
    if len(roots) == 1:
        return _opened(file, roots[0])
    names = ", ".join(f"{_label(each)}: {_content(each)}" for each in roots or partitions) or "none"
    if roots:
        message = f"has {len(roots)} partitions with a root filesystem: {names}"
    else:
        message = f"has no partition with a root filesystem that can be read; partitions: {names}"
    example = roots[0].number if roots else 2
    raise InputError(IMAGE(file.path, message, f"name the partition: {file.path}#{example}"))


def _holds_root(partition: Partition) -> bool:
    """Return whether a partition contains a root filesystem: /etc, and a directory of programs or libraries."""
    try:
        found = filesystem_in(partition.storage)
        children = found.children(found.root) if found is not None else {}
    except (MalformedError, InputError):
        return False
    directories = {name for name, child in children.items() if child.kind in (Directory, None)}
    return "etc" in directories and bool({"usr", "bin", "sbin", "lib"} & children.keys())


def _label(partition: Partition) -> str:
    name = f" ({printable(partition.name)})" if partition.name else ""
    return f"#{partition.number}{name}"


def _content(partition: Partition) -> str:
    """Describe the content of a partition, for messages."""
    try:
        found = filesystem_in(partition.storage)
    except (MalformedError, InputError):
        return "a damaged file system"
    if found is not None:
        return found.name
    other = unreadable_in(partition.storage)
    return other.name if other else "data of an unknown kind"
