"""Reads squashfs 4.0. Does no I/O itself.

Source: Linux, fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst. In this module, the number of an
inode is its position in the inode table (block and offset), as in directory entries.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from struct import calcsize, unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.compression import decompressor
from rootfs_trust.image.filesystems.inodes import Child, Inode, add_child, checked_size, device_number
from rootfs_trust.image.filesystems.squashfs_attributes import AttributeTable
from rootfs_trust.image.filesystems.squashfs_metadata import NOTHING, Lookup, Metadata
from rootfs_trust.image.filesystems.storage import Storage
from rootfs_trust.rootfs.view import Directory, File, Node, Owner, Special, Symlink

MAGIC = b"hsqs"
BIG_ENDIAN = b"sqsh"
COMPRESSORS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}

_SIZE = 96
_NO_FRAGMENT = 0xFFFFFFFF
_UNPACKED = 1 << 24
_TYPES = {1: 0o040000, 2: 0o100000, 3: 0o120000, 4: 0o060000, 5: 0o020000, 6: 0o010000, 7: 0o140000}
"""The file type of stat(2) for each type of inode. Inodes with additional fields have a type that is higher by seven.
"""
_NODES: dict[int, type[Node]] = {1: Directory, 2: File, 3: Symlink, 4: Special, 5: Special, 6: Special, 7: Special}


@dataclass(frozen=True, slots=True)
class SquashfsSuperblock:
    """The fields of the superblock. ``size`` is the size of the whole file system, ``time`` its creation time."""

    time: int
    block_size: int
    fragments: int
    compressor: str
    flags: int
    ids: int
    root: int
    size: int
    id_table: int
    attribute_table: int
    inode_table: int
    directory_table: int
    fragment_table: int
    export_table: int


def read_superblock(storage: Storage) -> SquashfsSuperblock:
    """Read and check the superblock. Raises MalformedError."""
    raw = storage.read(0, _SIZE)
    _, _, time, block_size, fragments = unpack_from("<5I", raw)
    compressor, log, flags, ids, major, minor = unpack_from("<6H", raw, 20)
    places = unpack_from("<8Q", raw, 32)
    if (major, minor) != (4, 0):
        raise MalformedError(f"is of version {major}.{minor}; only 4.0 can be read")
    if compressor not in COMPRESSORS or not 12 <= log <= 20 or block_size != 1 << log:
        raise MalformedError("has an impossible superblock")
    found = SquashfsSuperblock(time, block_size, fragments, COMPRESSORS[compressor], flags, ids, *places)
    if found.size > storage.size:
        raise MalformedError(f"is cut short: it has {storage.size} of {found.size} bytes")
    return found


@dataclass(frozen=True, slots=True)
class _Raw:
    """An inode as it is stored: the common fields, and those of its type. ``data`` is the position of the list of
    blocks.
    """

    type: int
    mode: int
    owner: Owner
    mtime: int
    size: int = 0
    links: int = 1
    start: int = 0
    offset: int = 0
    fragment: int = _NO_FRAGMENT
    device: int = 0
    attributes: int = NOTHING
    data: int = 0


class Squashfs:
    """A squashfs file system. Implements :class:`Filesystem`."""

    name = "squashfs"

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.superblock = super_ = read_superblock(storage)
        self.root = super_.root
        self._unpack = decompressor(super_.compressor)
        self._inodes = Metadata(storage, super_.inode_table, self._unpack)
        self._directories = Metadata(storage, super_.directory_table, self._unpack)
        self._ids = Lookup(storage, super_.id_table, 4, super_.ids, self._unpack)
        self._fragments = Lookup(storage, super_.fragment_table, 16, super_.fragments, self._unpack)
        self._attributes = AttributeTable(storage, super_.attribute_table, self._unpack)
        self._raw = functools.lru_cache(maxsize=4096)(self._read)
        self._fragment = functools.lru_cache(maxsize=8)(self._read_fragment)

    # -- Filesystem --------------------------------------------------------------------------------------

    def inode(self, number: int) -> Inode:
        """Implements :meth:`Filesystem.inode`."""
        raw = self._raw(number)
        device = device_number(raw.mode, raw.device)
        return Inode(number, raw.mode, raw.owner, raw.mtime, raw.size, raw.links, device)

    def children(self, number: int) -> dict[str, Child]:
        """Implements :meth:`Filesystem.children`."""
        raw = self._raw(number)
        found: dict[str, Child] = {}
        if raw.size <= 3:  # the size counts the entries . and .., which are not stored
            return found
        reader = self._directories.reader(raw.start, raw.offset)
        end = raw.size - 3
        while reader.taken < end:
            count, start, _ = unpack_from("<3I", reader.take(12))
            if count >= 256:
                raise MalformedError("has a broken directory")
            for _ in range(count + 1):
                offset, _, kind, length = unpack_from("<HhHH", reader.take(8))
                add_child(found, reader.take(length + 1), start << 16 | offset, _NODES.get(kind))
        return found

    def content(self, number: int) -> bytes:
        """Implements :meth:`Filesystem.content`."""
        raw = self._raw(number)
        size = checked_size(self.inode(number))
        if raw.mode & 0o170000 == _TYPES[3]:
            return self._inodes.reader(number >> 16, number & 0xFFFF, skip=raw.data).take(size)
        return b"".join(self._pieces(number, raw, size))

    def pieces(self, number: int) -> Iterator[bytes]:
        """Yield the content of a regular file of any size, block by block."""
        raw = self._raw(number)
        return self._pieces(number, raw, raw.size)

    def attributes(self, number: int) -> dict[str, bytes]:
        """Implements :meth:`Filesystem.attributes`."""
        index = self._raw(number).attributes
        return self._attributes.read(index) if index != NOTHING else {}

    def compressor_options(self) -> bytes:
        """Return the options of the compressor, which are stored after the superblock."""
        return Metadata(self._storage, _SIZE, self._unpack).block(0)[0].ljust(8, b"\0")

    # -- parts -------------------------------------------------------------------------------------------

    def _pieces(self, number: int, raw: _Raw, size: int) -> Iterator[bytes]:
        """Yield the full blocks of a file, and its end, which may be in a fragment block with those of other files."""
        block_size = self.superblock.block_size
        count = size // block_size if raw.fragment != _NO_FRAGMENT else -(-size // block_size)
        reader = self._inodes.reader(number >> 16, number & 0xFFFF, skip=raw.data)
        position = raw.start
        for index in range(count):
            (stored,) = unpack_from("<I", reader.take(4))
            yield self._block(position, stored, min(block_size, size - index * block_size))
            position += stored & ~_UNPACKED
        if raw.fragment != _NO_FRAGMENT:
            rest = size % block_size
            part = self._fragment(raw.fragment)[raw.offset : raw.offset + rest]
            if len(part) != rest:
                raise MalformedError("has a file whose end is outside of its fragment")
            yield part

    def _block(self, position: int, stored: int, wanted: int) -> bytes:
        """Return one block of data. A stored size of 0 is a hole."""
        length = stored & ~_UNPACKED
        if not length:
            return bytes(wanted)
        if length > self.superblock.block_size:
            raise MalformedError("has an impossible block size")
        data = self._storage.read(position, length)
        data = data if stored & _UNPACKED else self._unpack(data, self.superblock.block_size)
        if len(data) < wanted:
            raise MalformedError("has a block that is shorter than its file")
        return data[:wanted]

    def _read_fragment(self, index: int) -> bytes:
        position, stored, _ = unpack_from("<QII", self._fragments.read(index))
        length = stored & ~_UNPACKED
        if length > self.superblock.block_size:
            raise MalformedError("has an impossible fragment size")
        data = self._storage.read(position, length)
        return data if stored & _UNPACKED else self._unpack(data, self.superblock.block_size)

    def _id(self, index: int) -> int:
        return int(unpack_from("<I", self._ids.read(index))[0])

    def _read(self, number: int) -> _Raw:
        reader = self._inodes.reader(number >> 16, number & 0xFFFF)
        kind, mode, uid, gid, mtime, _ = unpack_from("<4HII", reader.take(16))
        if not 1 <= kind <= 14:
            raise MalformedError(f"has an inode of an unknown type ({kind})")
        plain = kind if kind <= 7 else kind - 7
        owner = Owner(self._id(uid), self._id(gid))
        common = {"type": kind, "mode": _TYPES[plain] | mode & 0o7777, "owner": owner, "mtime": mtime}
        layout, names = _FIELDS[kind]
        values = unpack_from(layout, reader.take(calcsize(layout)))
        fields = {name: value for name, value in zip(names, values, strict=True) if name}
        if kind == 10:  # the index of the attributes follows the text of the link
            reader.take(min(fields["size"], 65536))
            fields["attributes"] = unpack_from("<I", reader.take(4))[0]
        data = 16 + calcsize(layout)
        return _Raw(**common, **fields, data=data)


_FIELDS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("<IIHHI", ("start", "links", "size", "offset", "")),
    2: ("<4I", ("start", "fragment", "offset", "size")),
    3: ("<II", ("links", "size")),
    4: ("<II", ("links", "device")),
    5: ("<II", ("links", "device")),
    6: ("<I", ("links",)),
    7: ("<I", ("links",)),
    8: ("<4IHHI", ("links", "size", "start", "", "", "offset", "attributes")),
    9: ("<3Q4I", ("start", "size", "", "links", "fragment", "offset", "attributes")),
    10: ("<II", ("links", "size")),
    11: ("<3I", ("links", "device", "attributes")),
    12: ("<3I", ("links", "device", "attributes")),
    13: ("<II", ("links", "attributes")),
    14: ("<II", ("links", "attributes")),
}
"""For each type of inode: the format of its additional fields, and their names (empty for fields that are not needed).
"""
