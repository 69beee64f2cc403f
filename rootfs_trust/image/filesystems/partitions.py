"""Reads partition tables: MBR with logical partitions, and GPT. Does no I/O itself.

Source: UEFI specification 2.10, chapter 5 (GPT disk layout, and the legacy and protective MBR).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import iter_unpack, unpack_from

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.filesystems.storage import Storage, StorageSection, start_of

_SECTOR_SIZES = (512, 4096)
_GPT = b"EFI PART"
_PROTECTIVE, _EXTENDED = 0xEE, (0x05, 0x0F, 0x85)
_MAX_ENTRIES = 1024
_MAX_LOGICAL = 128
_MBR_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition. ``number`` is the number that sfdisk and the kernel use; ``name`` comes from a GPT, or is empty."""

    number: int
    name: str
    storage: StorageSection


def read_partitions(storage: Storage) -> list[Partition] | None:
    """Return the partitions of a disk image, or None if it has no partition table. Raises MalformedError."""
    first = start_of(storage, _MBR_SECTOR)
    if first[510:512] != b"\x55\xaa":
        return None
    entries = _entries(first)
    if any(kind == _PROTECTIVE for _, kind, _, _ in entries):
        return list(_gpt(storage))
    # A boot sector of FAT ends in the same two bytes, with code where the table would be.
    if not any(kind for _, kind, _, _ in entries) or any(status & 0x7F for status, _, _, _ in entries):
        return None
    return list(_mbr(storage, entries))


def _entries(sector: bytes) -> list[tuple[int, int, int, int]]:
    """Yield status, type, first sector and number of sectors of each of the four entries."""
    return [(raw[0], raw[4], *unpack_from("<II", raw, 8)) for (raw,) in iter_unpack("16s", sector[446:510])]


def _mbr(storage: Storage, entries: list[tuple[int, int, int, int]]) -> Iterator[Partition]:
    for number, (_, kind, first, sectors) in enumerate(entries, 1):
        if kind in _EXTENDED:
            yield from _logical(storage, first)
        elif kind and sectors:
            yield _partition(storage, number, "", first * _MBR_SECTOR, sectors * _MBR_SECTOR)


def _logical(storage: Storage, extended: int) -> Iterator[Partition]:
    """Yield the logical partitions in an extended partition: a chain of tables, each with one partition and the
    position of the next table.
    """
    table, number = extended, 5
    while True:
        sector = storage.read(table * _MBR_SECTOR, _MBR_SECTOR)
        if sector[510:] != b"\x55\xaa" or number >= 5 + _MAX_LOGICAL:
            raise MalformedError("has a broken chain of logical partitions")
        (_, kind, first, sectors), (_, further, next_, _), *_ = _entries(sector)
        if kind and sectors:
            yield _partition(storage, number, "", (table + first) * _MBR_SECTOR, sectors * _MBR_SECTOR)
            number += 1
        if further not in _EXTENDED or not next_:
            return
        if extended + next_ <= table:
            raise MalformedError("has a broken chain of logical partitions")
        table = extended + next_


def _gpt(storage: Storage) -> Iterator[Partition]:
    """Return the partitions of the first GPT header that is intact. The backup header is at the end of the disk."""
    for sector in _SECTOR_SIZES:
        for place in (sector, storage.size - sector):
            header = storage.read(place, 92) if 0 < place <= storage.size - 92 else b""
            if header[:8] == _GPT and (table := _table(storage, header, sector)) is not None:
                yield from _gpt_entries(storage, table, unpack_from("<I", header, 84)[0], sector)
                return
    raise MalformedError("has a damaged GPT: neither of its two headers is whole")


def _table(storage: Storage, header: bytes, sector: int) -> bytes | None:
    """Return the entries of the table that a header describes; None if a checksum is wrong."""
    size, checksum = unpack_from("<II", header, 12)
    if size != 92 or zlib.crc32(header[:16] + bytes(4) + header[20:92]) != checksum:
        return None
    first, count, length, sum_ = unpack_from("<QIII", header, 72)
    if not 128 <= length <= 4096 or count > _MAX_ENTRIES or first * sector + count * length > storage.size:
        return None
    table = storage.read(first * sector, count * length)
    return table if zlib.crc32(table) == sum_ else None


def _gpt_entries(storage: Storage, table: bytes, length: int, sector: int) -> Iterator[Partition]:
    for number, at in enumerate(range(0, len(table), length), 1):
        first, last = unpack_from("<QQ", table, at + 32)
        if table[at : at + 16] == bytes(16):
            continue
        if last < first:
            raise MalformedError(f"has a partition {number} that ends before it begins")
        name = table[at + 56 : at + 128].decode("utf-16-le", "replace").partition("\0")[0]
        yield _partition(storage, number, name, first * sector, (last - first + 1) * sector)


def _partition(storage: Storage, number: int, name: str, start: int, size: int) -> Partition:
    """Return a partition. If the image ends before the partition does, the partition ends there, too, and later reads
    fail.
    """
    return Partition(number, name, StorageSection(storage, start, max(0, min(size, storage.size - start))))
