"""Tar files of root filesystems: writes the archive with entries replaced, added and removed.

All other entries are copied byte for byte and in their order, with their headers and attributes.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from copy import copy

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.image_tree import ImageTree, Layer
from rootfs_trust.image.layer_entries import ImageChanges, NewEntry, foreign_headers, header, packed_entry
from rootfs_trust.image.limits import Limits
from rootfs_trust.image.merged_tree import ImageEntry, MemberPlace, apply_entry, each, walk
from rootfs_trust.image.tar_stream import Member, parts_of
from rootfs_trust.rootfs.view import Directory, File

_BLOCK = tarfile.BLOCKSIZE


def plain_header(name: str, size: int) -> bytes:
    """Return the header of a file, without owner and time."""
    info = tarfile.TarInfo(name)
    info.size = size
    return header(info)


def end_of_archive(size: int) -> bytes:
    """Return the end of an archive of ``size`` bytes: two zero blocks, and padding to a full record."""
    return bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % tarfile.RECORDSIZE)


class TarRewriter:
    """The archive in ``source``, whose tree is ``tree``, with ``changes`` applied."""

    def __init__(self, source: Layer, tree: ImageTree, changes: ImageChanges) -> None:
        self._source = source
        self._changes = changes
        self._left = dict(changes.entries)
        self._hard_link_names = _hard_link_names(tree, changes)
        self._names: dict[int, str] = {}
        """New name of the content of a file with several names, by the number of its member."""
        self._prefix = ""

    def stream(self) -> Iterator[bytes]:
        """Yield the new archive. Raises InputError if the old one is malformed."""
        size = 0
        for piece in self._entries():
            size += len(piece)
            yield piece
        yield end_of_archive(size)

    def _entries(self) -> Iterator[bytes]:
        seen, limits = ImageEntry(Directory, MemberPlace(-1, 0)), Limits()
        for member in self._source.members():
            place = "/" + "/".join(apply_entry(seen, member, 0, limits, whiteouts=False))
            if member.number == 0 and member.info.name.startswith("."):
                self._prefix = "./"
            yield member.global_headers
            yield from self._entry(member, place, seen)
        for place, entry in self._left.items():
            yield packed_entry(self._name(place), entry)

    def _name(self, place: str) -> str:
        return self._prefix + place[1:]

    def _entry(self, member: Member, place: str, seen: ImageEntry) -> Iterator[bytes]:
        if self._is_changed(place):
            if member.info.isreg() and member.number in self._hard_link_names:
                yield from self._move_hard_link_content(member)
            if place in self._left:
                yield _replaced(member, self._left.pop(place))
        elif member.info.islnk():
            yield from self._link(member, place, seen)
        else:
            if member.number in self._hard_link_names:
                self._names[member.number] = member.info.name
            yield member.header
            yield from member.rest()

    def _is_changed(self, place: str) -> bool:
        return place in self._changes.entries or place in self._changes.gone

    def _move_hard_link_content(self, member: Member) -> Iterator[bytes]:
        """When a hard-linked file is removed, move its content to the first remaining name."""
        if member.info.issparse():
            raise self._source.broken(MalformedError(f"has {member.info.name!r} as a sparse file with several names"))
        name = self._name(self._hard_link_names[member.number][0])
        self._names[member.number] = name
        yield _renamed(member, name=name)
        yield from member.rest()

    def _link(self, member: Member, place: str, seen: ImageEntry) -> Iterator[bytes]:
        way = walk(seen, parts_of(member.info.linkname), follow=False)
        number = way.entries[-1].place.member if way else -1
        name = self._names.get(number)
        if name == self._name(place):
            return
        target = "/" + "/".join(way.names) if way else ""
        yield _renamed(member, linkname=name) if name and self._is_changed(target) else member.header
        yield from member.rest()


def _hard_link_names(tree: ImageTree, changes: ImageChanges) -> dict[int, list[str]]:
    """Return the other names of changed files, by the number of the member with the content."""
    old = (tree.entry(place, follow=False) for place in (*changes.entries, *changes.gone))
    shared: dict[int, list[str]] = {entry.place.member: [] for entry in old if entry is not None and entry.kind is File}
    for place, entry in each(tree.root):
        if entry.place.member in shared and place not in changes.entries and place not in changes.gone:
            shared[entry.place.member].append(place)
    return {number: places for number, places in shared.items() if places}


def _replaced(member: Member, entry: NewEntry) -> bytes:
    """Return an entry that replaces an old one. Names of owners, and attributes in other encodings, are copied from the
    old one.
    """
    if not isinstance(entry.node, File) or not (member.info.isreg() or member.info.islnk()):
        return packed_entry(member.info.name, entry)
    return packed_entry(member.info.name, entry, like=member.info)


def _renamed(member: Member, *, name: str | None = None, linkname: str | None = None) -> bytes:
    info = copy(member.info)
    info.name = info.name if name is None else name
    info.linkname = info.linkname if linkname is None else linkname
    info.pax_headers = foreign_headers(member.info, xattrs=True)
    return header(info)
