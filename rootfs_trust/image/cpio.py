"""Reads cpio archives in the newc format, as in initramfs images, without seeking. An image may contain several
archives. Does no I/O.

An image may begin with uncompressed archives (microcode) and continue with compressed ones, with zeros between them.
Entries of a later archive replace those of an earlier one, as in the kernel.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst, and init/initramfs.c.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.file_types import TAR_TYPES
from rootfs_trust.image.image_tree import Layer
from rootfs_trust.image.streams import compression, unpacked
from rootfs_trust.image.tar_stream import MAX_MEMBERS, ForwardOnlyFile, Member
from rootfs_trust.rootfs.plan import MAX_PATH
from rootfs_trust.rootfs.view import as_bytes, as_text

NEWC = (b"070701", b"070702")
OLD = (b"070707", b"\xc7\x71", b"\x71\xc7")
"""Magic numbers of older formats."""

TRAILER = "TRAILER!!!"
HEADER = 110

_TYPES = {**TAR_TYPES, stat.S_IFSOCK: tarfile.FIFOTYPE}


class Fields(NamedTuple):
    """The numeric fields of a header, in their order."""

    ino: int
    mode: int
    uid: int
    gid: int
    links: int
    mtime: int
    size: int
    device_major: int
    device_minor: int
    special_major: int
    special_minor: int
    name_size: int
    check: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """An entry: its header, its name, and where its content begins in the stream."""

    fields: Fields
    name: str
    magic: bytes
    offset: int

    @property
    def end(self) -> int:
        """The offset of the next header."""
        return self.offset + padded(self.fields.size)

    @property
    def group(self) -> tuple[int, int, int] | None:
        """A key that is equal for all names of a hard-linked file. None for a file with one name."""
        fields = self.fields
        if fields.links < 2 or stat.S_IFMT(fields.mode) == stat.S_IFDIR:
            return None
        return fields.device_major, fields.device_minor, fields.ino


def padded(size: int) -> int:
    """Round ``size`` up to a multiple of four bytes."""
    return (size + 3) & ~3


def regions(stream: Iterator[bytes]) -> Iterator[tuple[str, ForwardOnlyFile]]:
    """Split an image into parts that are compressed in the same way. Yield the compression and the decompressed stream
    of each. The caller reads each stream to its end before it takes the next part.
    """
    kind, inner = unpacked(stream)
    while True:
        forward = ForwardOnlyFile(inner, "cpio")
        yield kind, forward
        rest = forward.rest()
        first = next(rest, b"") or next(rest, b"")
        if kind or not first:
            return
        kind, inner = unpacked(_joined(first, rest))
        if not kind:
            raise MalformedError("has data after its archives that is not a cpio archive")


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def records(forward: ForwardOnlyFile) -> Iterator[Record]:
    """Yield the entries of all archives in a region, including trailers. Each entry is valid only until the next one is
    read.

    Stops before compressed data. Raises MalformedError.
    """
    ended = True
    while True:
        if ended:
            forward.skip_zeros()
        magic = b"".join(forward.pieces(6))
        if ended and (not magic or compression(magic)):
            forward.give_back(magic)
            return
        record = _record(forward, magic)
        yield record
        ended = record.name == TRAILER
        forward.skip_to(record.end)
        forward.headers.clear()


def _record(forward: ForwardOnlyFile, magic: bytes) -> Record:
    start = forward.position - len(magic)
    if magic not in NEWC:
        if magic.startswith(OLD):
            raise MalformedError("is a cpio archive in an old format; create it with cpio -H newc")
        raise forward.truncated() if len(magic) < 6 else MalformedError(f"has no cpio header at byte {start}")
    raw = forward.read(HEADER - 6)
    try:
        fields = Fields(*(int(raw[at : at + 8], 16) for at in range(0, HEADER - 6, 8)))
    except ValueError as error:
        raise MalformedError(f"has a broken cpio header at byte {start}") from error
    if not raw.isalnum() or not 1 <= fields.name_size <= MAX_PATH + 1:
        raise MalformedError(f"has a broken cpio header at byte {start}")
    name = forward.read(padded(HEADER + fields.name_size) - HEADER)
    if not name:
        raise forward.truncated()
    name = name[: fields.name_size].rstrip(b"\0")
    return Record(fields, as_text(name), magic, forward.position)


class _Numbering:
    """Converts records to members, with inode numbers that are unique across all archives."""

    def __init__(self) -> None:
        self._number = 0
        self._held: dict[tuple[int, int, int], list[Record]] = {}
        self._names: dict[tuple[int, int, int], str] = {}

    def members(self, record: Record, forward: ForwardOnlyFile) -> Iterator[Member]:
        """Yield the members of a record.

        The names of one file are held back until the record with its content, usually the last one, or the end of the
        archive.
        """
        group = record.group
        if record.name == TRAILER:
            for held in self._held.values():
                yield from self._hard_links(held[0], held[1:], forward)
            self._held, self._names = {}, {}
        elif group is None:
            yield self._member(record, forward)
        elif group in self._names and not record.fields.size:
            yield self._link(record, self._names[group], forward)
        elif record.fields.size:
            self._names[group] = record.name
            yield from self._hard_links(record, self._held.pop(group, []), forward)
        else:
            self._held.setdefault(group, []).append(record)

    def _hard_links(self, first: Record, others: list[Record], forward: ForwardOnlyFile) -> Iterator[Member]:
        yield self._member(first, forward)
        for other in others:
            yield self._link(other, first.name, forward)

    def _member(self, record: Record, forward: ForwardOnlyFile) -> Member:
        fields = record.fields
        info = _info(record)
        info.type = _TYPES.get(stat.S_IFMT(fields.mode), b"?")
        if info.type == b"?":
            raise MalformedError(f"has an entry {record.name!r} of an unknown type ({fields.mode:#o})")
        if info.issym():
            if fields.size > MAX_PATH:
                raise MalformedError(f"has a link {record.name!r} to more than {MAX_PATH} bytes")
            info.linkname = as_text(b"".join(forward.pieces(fields.size)))
            info.size = 0
        elif info.isdir():
            info.size = 0
        return self._numbered(info, record, forward)

    def _link(self, record: Record, target: str, forward: ForwardOnlyFile) -> Member:
        info = _info(record)
        info.type, info.linkname, info.size = tarfile.LNKTYPE, relative(target), 0
        return self._numbered(info, record, forward)

    def _numbered(self, info: tarfile.TarInfo, record: Record, forward: ForwardOnlyFile) -> Member:
        self._number += 1
        if self._number > MAX_MEMBERS:
            raise MalformedError(f"has more than {MAX_MEMBERS} entries")
        return Member(info, self._number - 1, record.offset, record.end, forward)


def relative(name: str) -> str:
    """Return the name of an entry relative to the root of the image, as the kernel interprets it."""
    return name.lstrip("/") or "."


def _info(record: Record) -> tarfile.TarInfo:
    fields = record.fields
    info = tarfile.TarInfo(relative(record.name))
    info.mode, info.uid, info.gid = stat.S_IMODE(fields.mode), fields.uid, fields.gid
    info.mtime, info.size, info.offset_data = fields.mtime, fields.size, record.offset
    info.devmajor, info.devminor = fields.special_major, fields.special_minor
    return info


def members(stream: Iterator[bytes]) -> Iterator[Member]:
    """Yield the entries of all archives of an image as members, like those of a tar stream. Raises MalformedError."""
    numbering = _Numbering()
    for _, forward in regions(stream):
        for record in records(forward):
            yield from numbering.members(record, forward)


class CpioLayer(Layer):
    """A cpio image as a layer of a tree."""

    def _members(self) -> Iterator[Member]:
        return members(self.read())


def name_bytes(name: str) -> bytes:
    """Encode a name, with a NUL at the end."""
    return as_bytes(name) + b"\0"
