"""Writes cpio images with entries replaced, added and deleted. Does no I/O itself.

All other bytes are copied unchanged. The image is read twice: first to find its last archive and the changed entries,
then to write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rootfs_trust.errors import MalformedError
from rootfs_trust.image.cpio import (
    HEADER,
    NEWC,
    TRAILER,
    Fields,
    Record,
    name_bytes,
    padded,
    records,
    regions,
    relative,
)
from rootfs_trust.image.file_types import MODES
from rootfs_trust.image.image_tree import ImageTree
from rootfs_trust.image.layer_entries import ImageChanges, NewEntry
from rootfs_trust.image.merged_tree import walk
from rootfs_trust.image.streams import packed
from rootfs_trust.image.tar_stream import ForwardOnlyFile, parts_of
from rootfs_trust.rootfs.root_directory import MAX_FILE
from rootfs_trust.rootfs.view import Directory, File, Symlink, as_bytes

_RECORD = 512
"""Archives are padded to a multiple of this, as cpio does."""


_Group = tuple[int, tuple[int, int, int]]
"""The key of a hard-linked file: the number of the archive, and the identity of the file in it."""


@dataclass(slots=True)
class _Names:
    """A hard-linked file: the numbers of the records that stay, and the content if the record that contains it is
    removed.
    """

    kept: list[int] = field(default_factory=list)
    changes: bool = False
    content: bytes = b""


@dataclass(slots=True)
class _Survey:
    """The result of the first reading. ``latest`` maps each changed path to the last record with that path."""

    archives: int = 0
    highest: int = 0
    latest: dict[str, int] = field(default_factory=dict)
    groups: dict[_Group, _Names] = field(default_factory=dict)
    prefix: str = ""


class CpioRewriting:
    """The image from ``read``, whose tree is ``tree``, with ``changes`` applied."""

    def __init__(self, read: Callable[[], Iterator[bytes]], tree: ImageTree, changes: ImageChanges) -> None:
        self._read = read
        self._tree = tree
        self._changes = changes
        self._changed = {*changes.entries, *changes.gone}

    def stream(self) -> Iterator[bytes]:
        """Yield the new image. Raises MalformedError if the old one is malformed."""
        position = _Position(self._surveyed(), dict(self._changes.entries))
        for kind, forward in regions(self._read()):
            yield from packed(_whole(self._region(forward, position)), kind)

    # -- first reading -----------------------------------------------------------------------------------

    def _surveyed(self) -> _Survey:
        survey, number = _Survey(), 0
        for _, forward in regions(self._read()):
            for record in records(forward):
                self._survey_record(survey, number, record, forward)
                number += 1
        return survey

    def _survey_record(self, survey: _Survey, number: int, record: Record, forward: ForwardOnlyFile) -> None:
        if record.name == TRAILER:
            survey.archives += 1
            return
        survey.highest = max(survey.highest, record.fields.ino)
        if not number and record.name.startswith("."):
            survey.prefix = "./"
        place = self._place(record)
        changed = place in self._changed
        if changed:
            survey.latest[place] = number
        if record.group is not None:
            names = survey.groups.setdefault((survey.archives, record.group), _Names())
            names.changes |= changed
            if not changed:
                names.kept.append(number)
            if changed and record.fields.size:
                names.content = _content(record, forward)

    def _place(self, record: Record) -> str:
        """Return the path of a record in the tree, with links in its parent directories resolved."""
        parts = parts_of(relative(record.name))
        way = walk(self._tree.root, parts[:-1], follow=True) if parts else None
        return "/" + "/".join([*(way.names if way else ()), *parts[-1:]])

    # -- second reading ----------------------------------------------------------------------------------

    def _region(self, forward: ForwardOnlyFile, position: _Position) -> Iterator[bytes]:
        for record in records(forward):
            if record.name == TRAILER:
                position.archive += 1
                if position.archive == position.survey.archives:
                    yield from position.rest()
                yield from _raw(record, forward)
            else:
                yield from self._entry(record, forward, position)
            position.number += 1

    def _entry(self, record: Record, forward: ForwardOnlyFile, position: _Position) -> Iterator[bytes]:
        place = self._place(record)
        names = position.survey.groups.get((position.archive, record.group)) if record.group is not None else None
        if place in self._changed:
            if place in position.left and position.survey.latest[place] == position.number:
                yield position.new(record.name, position.left.pop(place))
        elif names is not None and names.changes:
            yield from _remaining_name(record, forward, names, position.number)
        else:
            yield from _raw(record, forward)


class _Position:
    """The position of the second reading, and the entries still to be written."""

    def __init__(self, survey: _Survey, left: dict[str, NewEntry]) -> None:
        self.survey = survey
        self.left = left
        self.number = 0
        self.archive = 0
        self._ino = survey.highest

    def rest(self) -> Iterator[bytes]:
        """Yield the new entries that replace no existing one. They are appended to the last archive."""
        for place, entry in self.left.items():
            yield self.new(self.survey.prefix + place[1:], entry)
        self.left = {}

    def new(self, name: str, entry: NewEntry) -> bytes:
        """Return a new entry with a unique inode number."""
        self._ino += 1
        content = entry.node.content if isinstance(entry.node, File) else b""
        if isinstance(entry.node, Symlink):
            content = as_bytes(entry.node.points_to)
        mode = MODES[type(entry.node)] | entry.mode
        links = 2 if isinstance(entry.node, Directory) else 1
        time = max(0, min(entry.mtime, 0xFFFFFFFF))
        fields = Fields(self._ino & 0xFFFFFFFF, mode, *entry.owner, links, time, len(content), 0, 0, 0, 0, 0)
        return packed_record(NEWC[0], name, fields, content)


def packed_record(magic: bytes, name: str, fields: Fields, content: bytes) -> bytes:
    """Return header, name and content, each padded to a multiple of four."""
    raw = name_bytes(name)
    check = sum(content) & 0xFFFFFFFF if magic == NEWC[1] else 0
    fields = fields._replace(size=len(content), name_size=len(raw), check=check)
    header = magic + b"".join(b"%08X" % number for number in fields) + raw
    return header.ljust(padded(HEADER + len(raw)), b"\0") + content.ljust(padded(len(content)), b"\0")


def _remaining_name(record: Record, forward: ForwardOnlyFile, names: _Names, number: int) -> Iterator[bytes]:
    """Yield a record of a hard-linked file that loses another name. The last remaining name gets the content."""
    fields = record.fields._replace(links=len(names.kept))
    content = names.content if number == names.kept[-1] else b""
    yield packed_record(record.magic, record.name, fields, _content(record, forward) or content)


def _content(record: Record, forward: ForwardOnlyFile) -> bytes:
    if record.fields.size > MAX_FILE:
        raise MalformedError(f"has a file {record.name!r} with several names that is too large to change")
    return b"".join(forward.pieces(record.fields.size))


def _raw(record: Record, forward: ForwardOnlyFile) -> Iterator[bytes]:
    """Yield a record unchanged."""
    yield record.magic + b"".join(forward.headers)
    yield from forward.pieces(record.end - forward.position)


def _whole(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Yield ``stream`` and zeros up to the next full record."""
    size = 0
    for piece in stream:
        size += len(piece)
        yield piece
    yield bytes(-size % _RECORD)
