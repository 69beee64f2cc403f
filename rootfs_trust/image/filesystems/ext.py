"""Reads ext2, ext3 and ext4. Does no I/O itself.

Source: Linux, Documentation/filesystems/ext4 (super, group_descr, inodes, ifork, directory, attributes), and
fs/ext4/ext4.h for the numbers of features. Nothing is repaired: an image whose journal has to be replayed is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.file_types import OF_ENTRIES
from rootfs_trust.image.filesystems.ext_attributes import VALUE_OF_INLINE_DATA, read_attributes
from rootfs_trust.image.filesystems.ext_blocks import by_extents, by_indirect_blocks
from rootfs_trust.image.filesystems.inodes import Child, Inode, add_child, checked_mode, checked_size, device_number
from rootfs_trust.image.filesystems.storage import Storage
from rootfs_trust.rootfs.view import Owner, Symlink

MAGIC = b"\x53\xef"
SUPERBLOCK = 1024
"""Offset and size of the superblock in bytes."""

_FILETYPE, _RECOVER, _META_BG, _EXTENTS, _64BIT = 0x2, 0x4, 0x10, 0x40, 0x80
_READABLE = _FILETYPE | _META_BG | _EXTENTS | _64BIT | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x30000
"""Incompatible features that this reader supports. They include MMP, FLEX_BG, EA_INODE, CSUM_SEED, LARGEDIR and
INLINE_DATA; ENCRYPT and CASEFOLD are flags of single directories.
"""

_HAS_JOURNAL, _SPARSE_SUPER = 0x4, 0x1
_ENCRYPTED, _EXTENT_MAP, _INLINE_DATA, _VALUE = 0x800, 0x80000, 0x10000000, 0x200000
_VERITY = 0x100000
_ROOT = 2
_MIN_INODE = 128


@dataclass(frozen=True, slots=True)
class ExtSuperblock:
    """The fields of the superblock that this reader needs. Sizes are in bytes, ``blocks`` and ``free_blocks`` in
    blocks.
    """

    block_size: int
    blocks: int
    free_blocks: int
    inodes: int
    free_inodes: int
    first_block: int
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    descriptor_size: int
    first_meta_group: int
    compatible: int
    incompatible: int
    read_only: int

    @property
    def name(self) -> str:
        """The name of the format: ``ext2``, ``ext3`` or ``ext4``. The features decide."""
        if self.incompatible & (_EXTENTS | _64BIT | 0x200):
            return "ext4"
        return "ext3" if self.compatible & _HAS_JOURNAL else "ext2"

    @property
    def size(self) -> int:
        """The size of the whole file system in bytes."""
        return self.blocks * self.block_size


def read_superblock(storage: Storage) -> ExtSuperblock:
    """Read and check the superblock. Raises MalformedError, also for features that cannot be read."""
    raw = storage.read(SUPERBLOCK, SUPERBLOCK)
    inodes, low, _, free, free_inodes, first, log = unpack_from("<7I", raw)
    per_group, _, inodes_per_group = unpack_from("<3I", raw, 32)
    dynamic = unpack_from("<I", raw, 76)[0] > 0
    inode_size = unpack_from("<H", raw, 88)[0] if dynamic else _MIN_INODE
    compatible, incompatible, read_only = unpack_from("<3I", raw, 92) if dynamic else (0, 0, 0)
    wide = bool(incompatible & _64BIT)
    high, _, free_high = unpack_from("<3I", raw, 0x150) if wide else (0, 0, 0)
    if log > 6 or not per_group or not inodes_per_group or not inodes:
        raise MalformedError("has an impossible superblock")
    found = ExtSuperblock(
        block_size=1024 << log,
        blocks=low | high << 32,
        free_blocks=free | free_high << 32,
        inodes=inodes,
        free_inodes=free_inodes,
        first_block=first,
        blocks_per_group=per_group,
        inodes_per_group=inodes_per_group,
        inode_size=inode_size,
        descriptor_size=unpack_from("<H", raw, 254)[0] if wide else 32,
        first_meta_group=unpack_from("<I", raw, 0x104)[0],
        compatible=compatible,
        incompatible=incompatible,
        read_only=read_only,
    )
    _check(found, storage)
    return found


def _check(found: ExtSuperblock, storage: Storage) -> None:
    if found.incompatible & _RECOVER:
        raise MalformedError("was not unmounted cleanly and its journal has to be replayed first (e2fsck -p on a copy)")
    if unknown := found.incompatible & ~_READABLE:
        raise MalformedError(f"uses features that this version cannot read ({unknown:#x})")
    size = found.inode_size
    if not _MIN_INODE <= size <= found.block_size or size & (size - 1) or not 32 <= found.descriptor_size <= 1024:
        raise MalformedError("has an impossible superblock")
    if found.size > storage.size:
        raise MalformedError(f"is cut short: it has {storage.size} of {found.size} bytes")


class Ext:
    """An ext2, ext3 or ext4 file system. Implements :class:`Filesystem`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.superblock = read_superblock(storage)
        self.name = self.superblock.name
        self.root = _ROOT
        self._table = functools.cache(self._read_table)

    # -- Filesystem --------------------------------------------------------------------------------------

    def inode(self, number: int) -> Inode:
        """Implements :meth:`Filesystem.inode`."""
        raw = self._raw(number)
        mode, uid, size, _, _, mtime, _, gid, links = unpack_from("<HHIIIiIHH", raw)
        high_uid, high_gid = unpack_from("<HH", raw, 120)
        if len(raw) >= 140 and unpack_from("<H", raw, 128)[0] >= 12:
            mtime += (unpack_from("<I", raw, 136)[0] & 3) << 32
        size |= unpack_from("<I", raw, 108)[0] << 32
        owner = Owner(uid | high_uid << 16, gid | high_gid << 16)
        return Inode(number, checked_mode(number, mode), owner, mtime, size, links, device_number(mode, _device(raw)))

    def children(self, number: int) -> dict[str, Child]:
        """Implements :meth:`Filesystem.children`."""
        raw = self._raw(number)
        flags = _flags(raw)
        if flags & _ENCRYPTED:
            raise MalformedError(f"has an encrypted directory (inode {number})")
        found: dict[str, Child] = {}
        data = self.content(number)
        if flags & _INLINE_DATA:
            # The inode number of the parent directory comes first. The rest continues after the part that is stored in
            # the inode.
            self._entries(data[4:60], found)
            self._entries(data[60:], found)
        else:
            for start in range(0, len(data), self.superblock.block_size):
                self._entries(data[start : start + self.superblock.block_size], found)
        return found

    def content(self, number: int) -> bytes:
        """Implements :meth:`Filesystem.content`."""
        inode, raw = self.inode(number), self._raw(number)
        size, flags, own = checked_size(inode), _flags(raw), raw[40:100]
        if flags & _ENCRYPTED:
            raise MalformedError(f"has an encrypted file (inode {number})")
        if flags & _INLINE_DATA:
            return (own + self._all_attributes(number).get(VALUE_OF_INLINE_DATA, b"")).ljust(size, b"\0")[:size]
        if inode.kind is Symlink and size < 60 and not flags & _EXTENT_MAP:
            return own[:size]
        content = bytearray(size)
        block_size = self.superblock.block_size
        for logical, physical, count in self._runs(own, flags, -(-size // block_size)):
            start = logical * block_size
            wanted = min(count * block_size, size - start)
            if wanted > 0:
                content[start : start + wanted] = self._storage.read(physical * block_size, wanted)
        return bytes(content)

    def attributes(self, number: int) -> dict[str, bytes]:
        """Implements :meth:`Filesystem.attributes`."""
        found = self._all_attributes(number)
        found.pop(VALUE_OF_INLINE_DATA, None)
        return found

    def is_verity(self, number: int) -> bool:
        """Return whether fs-verity protects the content of a file."""
        return bool(_flags(self._raw(number)) & _VERITY)

    # -- parts -------------------------------------------------------------------------------------------

    def _all_attributes(self, number: int) -> dict[str, bytes]:
        raw = self._raw(number)
        low, high = unpack_from("<I", raw, 104)[0], unpack_from("<H", raw, 118)[0]
        block = low | high << 32
        outside = self._block(block) if block else b""
        return read_attributes(raw, outside, self._value)

    def _value(self, number: int) -> bytes:
        """Return the value of an attribute that is stored in a separate inode."""
        if not _flags(self._raw(number)) & _VALUE:
            raise MalformedError(f"has an attribute whose value is in inode {number}, which is not made for one")
        return self.content(number)

    def _runs(self, own: bytes, flags: int, blocks: int) -> Iterator[tuple[int, int, int]]:
        """Return the runs of blocks of a file: first logical block, first physical block, count. Holes are omitted."""
        if flags & _EXTENT_MAP:
            return by_extents(own, self._block, blocks)
        return by_indirect_blocks(own, self._block, self.superblock.block_size, blocks)

    def _entries(self, block: bytes, found: dict[str, Child]) -> None:
        position = 0
        while position + 8 <= len(block):
            number, length, name_length, kind = unpack_from("<IHBB", block, position)
            length = 65536 if length in (0, 65535) and len(block) == 65536 else length
            if length < 8 or position + length > len(block) or 8 + name_length > length:
                raise MalformedError("has a broken directory entry")
            if number:
                typed = OF_ENTRIES.get(kind) if self.superblock.incompatible & _FILETYPE else None
                add_child(found, block[position + 8 : position + 8 + name_length], number, typed)
            position += length

    def _raw(self, number: int) -> bytes:
        super_ = self.superblock
        if not 0 < number <= super_.inodes:
            raise MalformedError(f"names an inode {number} that does not exist")
        group, index = divmod(number - 1, super_.inodes_per_group)
        start = self._table(group) * super_.block_size + index * super_.inode_size
        return self._storage.read(start, super_.inode_size)

    def _read_table(self, group: int) -> int:
        """Return the number of the first block of a group's inode table."""
        super_ = self.superblock
        per_block = super_.block_size // super_.descriptor_size
        block, index = divmod(group, per_block)
        if super_.incompatible & _META_BG and block >= super_.first_meta_group:
            first = block * per_block
            start = super_.first_block + first * super_.blocks_per_group + self._has_superblock(first)
        else:
            start = super_.first_block + 1 + block
        raw = self._storage.read(start * super_.block_size + index * super_.descriptor_size, super_.descriptor_size)
        high = unpack_from("<I", raw, 0x28)[0] if super_.descriptor_size >= 64 else 0
        return int(unpack_from("<I", raw, 8)[0] | high << 32)

    def _has_superblock(self, group: int) -> bool:
        """Return whether a group of blocks begins with a copy of the superblock."""
        if group <= 1 or not self.superblock.read_only & _SPARSE_SUPER:
            return True
        return any(_is_power(group, base) for base in (3, 5, 7))

    def _block(self, number: int) -> bytes:
        size = self.superblock.block_size
        return self._storage.read(number * size, size)


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1


def _flags(raw: bytes) -> int:
    return int(unpack_from("<I", raw, 32)[0])


def _device(raw: bytes) -> int:
    """Return the packed number of a device node, from the old field (8 and 8 bits) or the new one."""
    old, new = unpack_from("<II", raw, 40)
    return int(old or new)
