"""Reads erofs. Does no I/O itself.

Source: Linux, fs/erofs/erofs_fs.h and Documentation/filesystems/erofs.rst.
"""

from __future__ import annotations

import functools
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.file_types import OF_ENTRIES
from rootfs_trust.image.filesystems.erofs_attributes import AttributeReader, read_prefixes
from rootfs_trust.image.filesystems.erofs_compressed import CompressedFile
from rootfs_trust.image.filesystems.inodes import Child, Inode, add_child, checked_mode, checked_size, device_number
from rootfs_trust.image.filesystems.storage import Storage
from rootfs_trust.rootfs.view import Owner, as_text

MAGIC = b"\xe2\xe1\xf5\xe0"
SUPERBLOCK = 1024

_FRAGMENTS, _READABLE = 0x20, 0x7F
"""Bits of incompatible features: that the image has a file with the ends of other files, and all that this reader
supports. A file on another device (DEVICE_TABLE) is refused.
"""

FLAT, FULL_INDEX, INLINE, COMPACT_INDEX, CHUNKS = range(5)
"""How the data of an inode is stored."""

_HOLE = 0xFFFFFFFF
_DIRECTORY_ENTRY = 12
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ErofsSuperblock:
    """The fields of the superblock. Positions are block numbers; ``time`` is in seconds since 1970; ``prefixes`` are
    position and count.
    """

    block_size: int
    blocks: int
    root: int
    time: int
    metadata: int
    attributes: int
    uuid: bytes
    compatible: int
    incompatible: int
    algorithms: int
    directory_bits: int
    packed: int
    volume: str
    prefixes: tuple[int, int]

    @property
    def size(self) -> int:
        """Return the size of the whole file system in bytes."""
        return self.blocks * self.block_size


def read_superblock(storage: Storage) -> ErofsSuperblock:
    """Read and check the superblock. Raises MalformedError, also for features that cannot be read."""
    raw = storage.read(SUPERBLOCK, 128)
    (compatible,) = unpack_from("<I", raw, 8)
    bits, _, root = unpack_from("<BBH", raw, 12)
    (time,) = unpack_from("<Q", raw, 24)
    blocks, metadata, attributes = unpack_from("<3I", raw, 36)
    incompatible, algorithms = unpack_from("<IH", raw, 80)
    (packed,) = unpack_from("<Q", raw, 96)
    if not 9 <= bits <= 16:
        raise MalformedError("has an impossible superblock")
    if unknown := incompatible & ~_READABLE:
        raise MalformedError(f"uses features that this version cannot read ({unknown:#x})")
    found = ErofsSuperblock(
        block_size=1 << bits,
        blocks=blocks,
        root=root,
        time=time,
        metadata=metadata,
        attributes=attributes,
        uuid=raw[48:64],
        compatible=compatible,
        incompatible=incompatible,
        algorithms=algorithms,
        directory_bits=raw[90],
        packed=packed,
        prefixes=(unpack_from("<I", raw, 92)[0] * 4, raw[91]),
        volume=as_text(raw[64:80].rstrip(b"\0")),
    )
    if found.size > storage.size:
        raise MalformedError(f"is cut short: it has {storage.size} of {found.size} bytes")
    return found


@dataclass(frozen=True, slots=True)
class RawInode:
    """An inode as it is stored in the image. Its extended attributes begin at ``attributes`` and end at ``end``."""

    layout: int
    mode: int
    owner: Owner
    mtime: int
    size: int
    links: int
    union: int
    attributes: int
    end: int


class Erofs:
    """An erofs file system. Implements :class:`Filesystem`."""

    name = "erofs"

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.superblock = read_superblock(storage)
        self.root = self.superblock.root
        self.raw = functools.lru_cache(maxsize=4096)(self._read)
        self._fragments = functools.cache(self._read_fragments)
        shared = self.superblock.attributes * self.superblock.block_size
        self._attributes = AttributeReader(storage, shared, functools.cache(self._prefixes))

    # -- Filesystem --------------------------------------------------------------------------------------

    def inode(self, number: int) -> Inode:
        """Implements :meth:`Filesystem.inode`."""
        raw = self.raw(number)
        device = device_number(raw.mode, raw.union)
        return Inode(number, raw.mode, raw.owner, raw.mtime, raw.size, raw.links, device)

    def children(self, number: int) -> dict[str, Child]:
        """Implements :meth:`Filesystem.children`."""
        found: dict[str, Child] = {}
        data = self.content(number)
        block_size = self.superblock.block_size << self.superblock.directory_bits
        for start in range(0, len(data), block_size):
            _entries(data[start : start + block_size], found)
        return found

    def content(self, number: int) -> bytes:
        """Implements :meth:`Filesystem.content`."""
        raw = self.raw(number)
        return self._data(raw, 0, checked_size(self.inode(number)))

    def pieces(self, number: int) -> Iterator[bytes]:
        """Yield the content of a regular file of any size, a piece at a time."""
        raw = self.raw(number)
        compressed = self.compressed(raw) if raw.layout in (FULL_INDEX, COMPACT_INDEX) else None
        for start in range(0, raw.size, _PIECE):
            size = min(_PIECE, raw.size - start)
            yield compressed.read(start, size) if compressed else self._data(raw, start, size)

    def attributes(self, number: int) -> dict[str, bytes]:
        """Implements :meth:`Filesystem.attributes`."""
        raw = self.raw(number)
        return self._attributes.read(raw.attributes, raw.end)

    # -- parts -------------------------------------------------------------------------------------------

    def compressed(self, raw: RawInode) -> CompressedFile:
        """Return the compressed file of an inode. The inode must have one of the two layouts with an index."""
        return CompressedFile(self._storage, self, raw, self._fragments)

    @property
    def fragments(self) -> CompressedFile | None:
        """The file that contains the ends of other files, or their whole content; None if the image has none."""
        return self._fragments()

    def _prefixes(self) -> dict[int, str]:
        """Return the attribute prefixes that the image defines. If the image has a file with the ends of others, they
        are in that file.
        """
        start, count = self.superblock.prefixes
        packed = self.superblock.packed
        if not packed:
            return read_prefixes(self._storage.read, start, count)
        raw = self.raw(packed)
        return read_prefixes(lambda at, size: self._range(raw, at, size), start, count)

    def _range(self, raw: RawInode, offset: int, size: int) -> bytes:
        if not 0 <= offset <= offset + size <= raw.size:
            raise MalformedError("has a reference outside of a file")
        return self._data(raw, offset, size)

    def _read_fragments(self) -> CompressedFile | None:
        """Return the file that contains the ends of other files, if the image has one."""
        if not self.superblock.incompatible & _FRAGMENTS or not self.superblock.packed:
            return None
        raw = self.raw(self.superblock.packed)
        if raw.layout not in (FULL_INDEX, COMPACT_INDEX):
            raise MalformedError("has fragments in a file that is not compressed")
        return CompressedFile(self._storage, self, raw, lambda: None)

    def _data(self, raw: RawInode, offset: int, size: int) -> bytes:
        if not size:
            return b""
        if raw.layout in (FULL_INDEX, COMPACT_INDEX):
            return self.compressed(raw).read(offset, size)
        if raw.layout == CHUNKS:
            return self._chunks(raw, offset, size)
        start = raw.union * self.superblock.block_size
        if raw.layout == FLAT:
            return self._storage.read(start + offset, size)
        tail = (raw.size - 1) // self.superblock.block_size * self.superblock.block_size
        outside = min(size, max(0, tail - offset))
        before = self._storage.read(start + offset, outside) if outside else b""
        return before + self._storage.read(raw.end + max(0, offset - tail), size - outside)

    def _chunks(self, raw: RawInode, offset: int, size: int) -> bytes:
        """Return the data of a file that is stored in chunks of equal size, each at an independent position."""
        bits, wide = raw.union & 0x1F, bool(raw.union & 0x20)
        length, width = self.superblock.block_size << bits, 8 if wide else 4
        first, last = offset // length, -(-(offset + size) // length)
        table = self._storage.read(-(-raw.end // width) * width + first * width, (last - first) * width)
        parts = []
        for index in range(last - first):
            start = (first + index) * length
            wanted = min(length, raw.size - start)
            if wide:
                _, device, block = unpack_from("<HHI", table, index * 8)
                if device:
                    raise MalformedError("has files on a further device, which is not in the image")
            else:
                (block,) = unpack_from("<I", table, index * 4)
            hole = block == _HOLE
            parts.append(bytes(wanted) if hole else self._storage.read(block * self.superblock.block_size, wanted))
        begin = offset - first * length
        return b"".join(parts)[begin : begin + size]

    def _read(self, number: int) -> RawInode:
        super_ = self.superblock
        start = super_.metadata * super_.block_size + number * 32
        raw = self._storage.read(start, 32)
        form, attributes, mode, links = unpack_from("<4H", raw)
        size, _, union, _, uid, gid = unpack_from("<4IHH", raw, 8)
        mtime, length = super_.time, 32
        if form & 1:
            raw += self._storage.read(start + 32, 32)
            size, union, _, uid, gid, mtime, _, links = unpack_from("<QIIIIQII", raw, 8)
            length = 64
        layout = form >> 1 & 7
        if layout > CHUNKS:
            raise MalformedError(f"has an inode {number} whose data is stored in an unknown way ({layout})")
        mode = checked_mode(number, mode)
        if stat.S_IFMT(mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            layout, size = FLAT, 0
        inner = 12 + 4 * (attributes - 1) if attributes else 0
        at = start + length
        return RawInode(layout, mode, Owner(uid, gid), mtime, size, links, union, at, at + inner)


def _entries(block: bytes, found: dict[str, Child]) -> None:
    """Add the entries of one block of a directory: a table, followed by the names."""
    if len(block) < _DIRECTORY_ENTRY:
        raise MalformedError("has a broken directory")
    first = unpack_from("<H", block, 8)[0]
    if first % _DIRECTORY_ENTRY or not _DIRECTORY_ENTRY <= first <= len(block):
        raise MalformedError("has a broken directory")
    table = [unpack_from("<QHB", block, at) for at in range(0, first, _DIRECTORY_ENTRY)]
    ends = [offset for _, offset, _ in table[1:]] + [len(block)]
    for (number, start, kind), end in zip(table, ends, strict=True):
        if not first <= start < end <= len(block):
            raise MalformedError("has a broken directory entry")
        name = block[start:end]
        add_child(found, name.partition(b"\0")[0] if end == len(block) else name, number, OF_ENTRIES.get(kind))
