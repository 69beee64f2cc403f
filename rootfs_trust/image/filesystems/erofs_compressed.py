"""Compressed files of erofs: their clusters, and their content. Does no I/O itself.

A file is divided into logical clusters. Each cluster is the head of an extent, or inside one. The content of an extent
is compressed into one physical cluster of one or more blocks, or stored uncompressed. The last extent may be stored
with the inode (inline), or in a file that contains the ends of many files (a fragment). Source: Linux, fs/erofs/zmap.c
and erofs_fs.h.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.compression import decompressor
from rootfs_trust.image.filesystems.storage import Storage

if TYPE_CHECKING:
    from rootfs_trust.image.filesystems.erofs import Erofs, RawInode

_COMPACT_2B, _BIG_1, _BIG_2, _INLINE, _INTERLACED, _FRAGMENT = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
_PLAIN, _HEAD1, _INSIDE, _HEAD2 = range(4)
_BLOCK_COUNT = 0x800
"""A flag in the distance of the first cluster after a head: the other bits are the number of blocks of the extent."""
_WHOLE_FRAGMENT = 1 << 63
_ALGORITHMS = {0: "lz4", 1: "microlzma", 2: "deflate", 3: "zstd"}
_FULL_INDEX = 1


class _Cluster(NamedTuple):
    """One entry of the index. Only heads have an ``offset`` and a ``block``. ``length`` is the number of blocks, or 0
    if it is not recorded.
    """

    type: int
    offset: int = 0
    block: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class _Extent:
    """An extent: ``size`` bytes of the file from ``start`` on, compressed to ``length`` bytes of the image at
    ``place``.
    """

    type: int
    start: int
    size: int
    place: int
    length: int


@dataclass(frozen=True, slots=True)
class _Header:
    """The header before the index of a file. ``inline`` is the size of an extent that is stored with the inode."""

    advice: int
    algorithms: tuple[int, int]
    cluster_bits: int
    fragment: int
    inline: int


class CompressedFile:
    """The compressed file with the inode ``raw`` in ``filesystem``. ``fragments`` is the file that contains the ends of
    other files.
    """

    def __init__(
        self, storage: Storage, filesystem: Erofs, raw: RawInode, fragments: Callable[[], CompressedFile | None]
    ) -> None:
        self._storage = storage
        self._filesystem = filesystem
        self._raw = raw
        self._at = (raw.end + 7) & ~7
        self._block_size = filesystem.superblock.block_size
        self._fragments = fragments
        self._header = self._read_header()
        self._extents = functools.cache(lambda: tuple(self._read_extents()))
        self._unpacked = functools.lru_cache(maxsize=8)(self._unpack)

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of the file from ``offset`` on."""
        if not size:
            return b""
        header = self._header
        if header.advice & _FRAGMENT and header.fragment & _WHOLE_FRAGMENT:
            return self._fragment((header.fragment ^ _WHOLE_FRAGMENT) + offset, size)
        extents, parts = self._extents(), []
        for extent in extents[bisect_right(extents, offset, key=lambda each: each.start) - 1 :]:
            if extent.start >= offset + size:
                break
            begin, end = max(offset, extent.start), min(offset + size, extent.start + extent.size)
            if begin < end:
                parts.append(self._unpacked(extent)[begin - extent.start : end - extent.start])
        content = b"".join(parts)
        if len(content) != size:
            raise MalformedError("has a compressed file that is shorter than it says")
        return content

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._raw.size

    @property
    def algorithm(self) -> int:
        """The number of the compression algorithm that most extents of the file use."""
        return self._header.algorithms[0]

    @property
    def largest(self) -> int:
        """The size in bytes of the largest compressed extent of the file."""
        if self._header.advice & _FRAGMENT and self._header.fragment & _WHOLE_FRAGMENT:
            return 0
        return max((extent.length for extent in self._extents()), default=0)

    @property
    def has_tail(self) -> bool:
        """Whether its last extent is stored with the inode."""
        return bool(self._header.inline)

    @property
    def has_fragment(self) -> bool:
        """Whether its last part is stored in the file that contains the ends of other files."""
        return bool(self._header.advice & _FRAGMENT)

    # -- index -------------------------------------------------------------------------------------------

    def _read_header(self) -> _Header:
        raw = self._storage.read(self._at, 8)
        low, advice, algorithms, bits = unpack_from("<IHBB", raw)
        if bits & 0x80:
            return _Header(_FRAGMENT, (0, 0), 12, unpack_from("<Q", raw)[0], 0)
        cluster_bits = self._block_size.bit_length() - 1 + (bits & 0xF)
        if cluster_bits > 20:
            raise MalformedError("has a compressed file with clusters of an impossible size")
        inline = low >> 16 if advice & _INLINE else 0
        return _Header(advice, (algorithms & 0xF, algorithms >> 4), cluster_bits, low, inline)

    def _read_extents(self) -> Iterator[_Extent]:
        bits, size = self._header.cluster_bits, self._raw.size
        clusters = self._clusters(-(-size >> bits))
        heads = [
            number
            for number, cluster in enumerate(clusters)
            if cluster.type != _INSIDE
            and (number << bits) + cluster.offset < size  # the last extent may begin at the end of the file
        ]
        if not heads or heads[0] or clusters[0].offset:
            raise MalformedError("has a compressed file without a beginning")
        starts = [(number << bits) + clusters[number].offset for number in heads] + [size]
        for number, start, end in zip(heads, starts, starts[1:], strict=False):
            cluster = clusters[number]
            follower = clusters[number + 1] if number + 1 < len(clusters) else _Cluster(_PLAIN)
            length = follower.length * self._block_size or 1 << bits
            place = cluster.block * self._block_size
            if end == size and self._header.inline:
                place, length = self._end_of_index, self._header.inline
            if start >= end:
                raise MalformedError("has a compressed file whose clusters are not in order")
            yield _Extent(cluster.type, start, end - start, place, length)

    def _clusters(self, count: int) -> list[_Cluster]:
        if count > self._storage.size:
            raise MalformedError("has a compressed file with an impossible size")
        return list(self._full_index(count) if self._raw.layout == _FULL_INDEX else self._compact_index(count))

    def _full_index(self, count: int) -> Iterator[_Cluster]:
        """Yield the clusters of a full index, whose entries have eight bytes each."""
        start = self._at + 16
        self._end_of_index = start + 8 * count
        raw = self._storage.read(start, 8 * count)
        for at in range(0, 8 * count, 8):
            advice, offset, block = unpack_from("<HHI", raw, at)
            if advice & 3 != _INSIDE:
                yield _Cluster(advice & 3, offset, block)
            else:
                distance = block & 0xFFFF
                yield _Cluster(_INSIDE, length=distance & ~_BLOCK_COUNT if distance & _BLOCK_COUNT else 0)

    def _compact_index(self, count: int) -> Iterator[_Cluster]:
        """Yield the clusters of a compact index: packs of 2 entries in 8 bytes or 16 entries in 32 bytes, each with one
        block number.
        """
        start = self._at + 8
        first = (32 - start % 32) // 4 & 7
        many = (count - first) // 16 * 16 if self._header.advice & _COMPACT_2B and first < count else 0
        first = first if many else count
        at = start
        for entries, width, per_pack in ((min(first, count), 4, 2), (many, 2, 16), (count - first - many, 4, 2)):
            for done in range(0, max(entries, 0), per_pack):
                pack = _Pack(self._storage.read(at, width * per_pack), per_pack, self._header)
                yield from (pack.cluster(index) for index in range(min(per_pack, entries - done)))
                at += width * per_pack
        self._end_of_index = at

    # -- content -----------------------------------------------------------------------------------------

    def _unpack(self, extent: _Extent) -> bytes:
        is_last = extent.start + extent.size == self._raw.size
        if is_last and self._header.advice & _FRAGMENT:
            # Its place has 64 bits, of which only the longer index stores the upper half.
            high = extent.place // self._block_size if self._raw.layout == _FULL_INDEX else 0
            return self._fragment(self._header.fragment | high << 32, extent.size)
        if extent.type == _PLAIN:
            return self._plain(extent)
        algorithm = self._header.algorithms[extent.type == _HEAD2]
        data = self._storage.read(extent.place, extent.length)
        if self._filesystem.superblock.incompatible & 1:
            data = data.lstrip(b"\0")
        if algorithm not in _ALGORITHMS:
            raise MalformedError(f"has a file that is compressed in an unknown way ({algorithm})")
        content = decompressor(_ALGORITHMS[algorithm])(data, extent.size)
        if len(content) < extent.size:
            raise MalformedError("has a compressed cluster that is shorter than it says")
        return content

    def _plain(self, extent: _Extent) -> bytes:
        if extent.size > extent.length:
            raise MalformedError("has a plain cluster that is longer than its blocks")
        if not self._header.advice & _INTERLACED or (self._header.inline and extent.place == self._end_of_index):
            return self._storage.read(extent.place, extent.size)
        data = self._storage.read(extent.place, extent.length)
        skip = extent.start % self._block_size
        return (data[skip:] + data[:skip])[: extent.size]

    def _fragment(self, offset: int, size: int) -> bytes:
        fragments = self._fragments()
        if fragments is None or offset + size > fragments.size:
            raise MalformedError("has a fragment outside of the file that holds them")
        return fragments.read(offset, size)


class _Pack:
    """One pack of a compact index: ``count`` entries, followed by the number of a block."""

    def __init__(self, raw: bytes, count: int, header: _Header) -> None:
        self._raw = raw
        self._count = count
        self._big = bool(header.advice & (_BIG_1 | _BIG_2))
        self._low_bits = max(header.cluster_bits, 12)
        self._width = (len(raw) - 4) * 8 // count
        self._bits = int.from_bytes(raw, "little")

    def cluster(self, index: int) -> _Cluster:
        """Return the cluster with this number in the pack."""
        type_, low = self._entry(index)
        if type_ == _INSIDE:
            return _Cluster(_INSIDE, length=low & ~_BLOCK_COUNT if low & _BLOCK_COUNT and self._big else 0)
        return _Cluster(type_, low, unpack_from("<I", self._raw, len(self._raw) - 4)[0] + self._blocks_before(index))

    def _entry(self, index: int) -> tuple[int, int]:
        value = self._bits >> index * self._width
        return value >> self._low_bits & 3, value & (1 << self._low_bits) - 1

    def _blocks_before(self, index: int) -> int:
        """Return the number of blocks in the extents that begin earlier in the pack."""
        blocks = 0 if self._big else 1
        while index > 0:
            index -= 1
            type_, low = self._entry(index)
            if type_ != _INSIDE:
                blocks += self._big or index >= 0
                continue
            if not self._big:
                index -= low
                blocks += index >= 0
            elif low & _BLOCK_COUNT:
                index -= 1
                blocks += low & ~_BLOCK_COUNT
            elif low <= 1:
                raise MalformedError("has a broken index of a compressed file")
            else:
                index -= low - 2
        return blocks
