"""The metadata of squashfs: compressed blocks of 8 KiB that form one stream, and tables. Does no I/O itself."""

from __future__ import annotations

from collections import OrderedDict
from struct import unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.inodes import Decompress
from rootfs_trust.image.filesystems.storage import Storage

NOTHING = 0xFFFFFFFF
"""The index of a record that does not exist."""

_BLOCK = 8192
_MOST_KEPT = 2048
"""Maximum number of decompressed blocks in the cache: 16 MiB."""


class Metadata:
    """The metadata blocks from the offset ``start`` on."""

    def __init__(self, storage: Storage, start: int, unpack: Decompress) -> None:
        self._storage = storage
        self._start = start
        self._unpack = unpack
        self._known: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    def reader(self, block: int, offset: int, *, skip: int = 0) -> Reader:
        """Return a reader that starts at ``offset`` plus ``skip`` bytes in the block that begins ``block`` bytes after
        the start.
        """
        reader = Reader(self, block, offset)
        reader.take(skip)
        return reader

    def block(self, position: int) -> tuple[bytes, int]:
        """Return the decompressed block that begins ``position`` bytes after the start, and the position of the next
        one.
        """
        if position in self._known:
            self._known.move_to_end(position)
        else:
            self._known[position] = self._read(position)
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        return self._known[position]

    def _read(self, position: int) -> tuple[bytes, int]:
        at = self._start + position
        (header,) = unpack_from("<H", self._storage.read(at, 2))
        length = header & 0x7FFF
        if not 0 < length <= _BLOCK:
            raise MalformedError("has a metadata block of an impossible size")
        data = self._storage.read(at + 2, length)
        return data if header & 0x8000 else self._unpack(data, _BLOCK), position + 2 + length


class Reader:
    """Reads the metadata forwards from a position. ``taken`` is the number of bytes read."""

    def __init__(self, metadata: Metadata, block: int, offset: int) -> None:
        self._metadata = metadata
        self._data, self._next = metadata.block(block)
        self._at = offset
        self.taken = 0

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes. Raises MalformedError if the metadata ends before that."""
        data = self._data[self._at : self._at + size]
        self._at += size
        while len(data) < size:
            if self._at - size > len(self._data):
                raise MalformedError("has a reference past the end of a metadata block")
            self._data, self._next = self._metadata.block(self._next)
            self._at = size - len(data)
            size_left = self._data[: self._at]
            if not size_left:
                raise MalformedError("has an empty metadata block")
            data += size_left
        self.taken += size
        return data


class Lookup:
    """A table of ``count`` records of ``size`` bytes. The list of the blocks that contain them is at ``start``."""

    def __init__(self, storage: Storage, start: int, size: int, count: int, unpack: Decompress) -> None:
        self._storage = storage
        self._start = start
        self._size = size
        self._count = count
        self._metadata = Metadata(storage, 0, unpack)

    def read(self, index: int) -> bytes:
        """Return the record with this number."""
        if not index < self._count:
            raise MalformedError(f"names a record {index} of a table of {self._count}")
        block, offset = divmod(index * self._size, _BLOCK)
        (position,) = unpack_from("<Q", self._storage.read(self._start + 8 * block, 8))
        return self._metadata.reader(position, offset).take(self._size)
